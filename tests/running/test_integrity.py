"""No stage uses a file that is not the one that was written: each is named, and nothing changes.

All files that the stages of a project read back from earlier ones are walked, whatever their names.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.modules import task_module
from pipeline.running.answering import load_folder
from pipeline.running.evaluation import evaluate_system
from pipeline.running.extraction import extract_features
from pipeline.running.fetching import fetch_corpus
from pipeline.running.fitting import train_system
from pipeline.suite.schema import Suite, load
from pipeline.verification.rescore import rescore
from tests.damage import change_value, cut_byte, files_in, flip_bit
from tests.toy_project import make_project

DAMAGES = (flip_bit, cut_byte, change_value)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Suite:
    folder = make_project(tmp_path_factory.mktemp("project"), root)
    return load(folder / "real" / "params.yaml")


def readers(suite: Suite, path: Path) -> list[Callable[[], object]]:
    """What reads a file of the project that another stage has written."""
    places = suite.places
    stages: dict[str, Callable[[], object]] = {
        "download": lambda: fetch_corpus(places, "series"),
        "features": lambda: extract_features(places, "yearly"),
        "train": lambda: train_system(places, "simple", places),
        "evaluate": lambda: evaluate_system(places, "simple", places)}
    folder, *inner = path.relative_to(places.base).parts
    if folder == "inputs":
        return [stages[inner[0]]] if inner[0] in stages else []
    if folder == "models":
        return [stages["evaluate"], lambda: load_folder(places.model("simple"))]
    if folder == "data":
        return [stages["features"]]
    if inner[1] == "fit":
        return [stages["train"]]
    return [stages["evaluate"], lambda: rescore(suite, "simple")]


def written(suite: Suite) -> Iterator[Path]:
    places = suite.places
    for folder in (places.inputs, places.data("series"), places.features("yearly"),
                   places.model("simple")):
        yield from files_in(folder)


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in files_in(folder)}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_file_that_a_stage_reads_back_is_checked_first(
        suite: Suite, damage: Callable[[Path, random.Random], None]) -> None:
    chance, tried = random.Random(0), 0
    for path in list(written(suite)):
        if damage is change_value and path.suffix != ".json":
            continue
        kept = path.read_bytes()
        damage(path, chance)
        before = content(suite.places.base)
        for read in readers(suite, path):
            with pytest.raises(UserError, match=str(path)):
                read()
            assert content(suite.places.base) == before
            tried += 1
        path.write_bytes(kept)
    assert tried >= 15


def test_a_feature_file_that_is_missing_or_new_is_named(suite: Suite) -> None:
    for folder in (suite.places.fit("yearly"), suite.places.test("yearly")):
        for path in files_in(folder):
            kept = path.read_bytes()
            path.unlink()
            for read in readers(suite, path):
                with pytest.raises(UserError, match="seal.json" if path.name == "seal.json" else
                                   f"{path} is missing; .*real/dvc.yaml:features@yearly"):
                    read()
            path.write_bytes(kept)


def test_features_of_a_stage_that_was_killed_are_not_whole(suite: Suite) -> None:
    """A new extraction takes the old seal away first, and seals at its end."""
    places = suite.places

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task_module("forecast", "features"), "extract", kill)
        with pytest.raises(Killed):
            extract_features(places, "yearly")
    for read in (train_system, evaluate_system):
        with pytest.raises(UserError, match="has no seal.json"):
            read(places, "simple", places)
    extract_features(places, "yearly")
    train_system(places, "simple", places)
    evaluate_system(places, "simple", places)
