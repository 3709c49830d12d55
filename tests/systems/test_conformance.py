"""What every system must do; `tests.systems.entrants` finds them in the suites.

Each embedded track's corpus is generated at its smallest, goes through the real features stage,
and each entrant is fitted on it for two short epochs with the shape that its suite gives it.
"""

import contextlib
import importlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock

from pipeline.errors import UserError
from pipeline.modules import corpus_module, task_module
from pipeline.running.answering import Answering, load_folder
from pipeline.storage import predictions
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.files import read_json
from pipeline.suite.checks import load_valid
from pipeline.suite.schema import load
from pipeline.systems import training
from pipeline.systems.base import NeuralSystem, Run, System, system_class
from pipeline.tasks.contract import OwnFile
from tests.damage import (
    ODD,
    change_value,
    changed_values,
    cut_byte,
    files_in,
    flip_bit,
)
from tests.elsewhere import elsewhere
from tests.systems.entrants import Entrant, entrants
from tests.tasks.answers import without_ids
from tests.trials import trials

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = load(ROOT / "params.yaml")
ENTRANTS = entrants(ROOT)
FIRST_OF_TASK = {entrant.task: entrant for entrant in reversed(ENTRANTS)}
NEURAL = [entrant for entrant in ENTRANTS if entrant.neural]
EPOCHS = 2
LEARNING_EPOCHS = 4  # the first few steps at the full rate may overshoot


@dataclass(frozen=True)
class Track:
    """A track's features from its smallest corpus, and that corpus."""

    fit: Path
    test: Path
    corpus: Path


@pytest.fixture(scope="session")
def small_tracks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Track]:
    """Features of every track of the embedded suite; test processes share one copy."""
    own = tmp_path_factory.getbasetemp()
    base = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "conformance"
    base.mkdir(exist_ok=True)
    suite = load_valid(ROOT / "params.yaml")
    with FileLock(base / "lock"):
        if not (base / "complete").exists():
            for key in suite.corpora:
                settings = suite.corpus(key).smallest()
                (base / "data" / key).mkdir(parents=True, exist_ok=True)
                corpus_module(settings.module).prepare(settings, base / "data" / key, None)
            for key, track in suite.tracks.items():
                fit, test = base / key / "fit", base / key / "test"
                for folder in (fit, test):
                    folder.mkdir(parents=True, exist_ok=True)
                task_module(track.task, "features").extract(
                    suite.features(key).smallest(), base / "data" / track.corpus,
                    corpus_module(suite.reader_of(key)), fit, test)
            (base / "complete").touch()
    return {key: Track(base / key / "fit", base / key / "test", base / "data" / track.corpus)
            for key, track in suite.tracks.items()}


def new_system(entrant: Entrant, track: Track, epochs: int = EPOCHS, **changes: Any) -> System:
    settings = entrant.settings
    if entrant.neural:
        changes["training"] = settings.training.model_copy(
            update={"epochs": epochs, "warmup_steps": 0})
    settings = settings.model_copy(update=changes)
    torch.manual_seed(1)
    system = system_class(entrant.task, settings.model)(
        settings, read_json(track.fit / "spec.json"))
    system.artefacts = track.fit / ARTEFACTS
    return system


def fitted(entrant: Entrant, track: Track, work: Path, epochs: int = EPOCHS) -> System:
    system = new_system(entrant, track, epochs)
    system.fit(track.fit, Run(seed=1, work=work))
    return system


def answers(system: System, track: Track) -> dict[str, list[dict]]:
    variants = system.settings.variants or {"": None}
    return {name: list(system.predict(track.test, variant)) for name, variant in variants.items()}


def same_answers(found: Any, wanted: Any) -> None:
    """Equal decisions, and numbers as near as sums in another order leave them."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for name in wanted:
            same_answers(found[name], wanted[name])
    elif isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            same_answers(one, other)
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, rel=1e-5, abs=1e-5)
    else:
        assert found == wanted


def check_that_damage_is_found(kind: type[System], model: Path, folder: Path) -> None:
    """One bit flipped, one byte lost or one JSON value changed in each of a model's files."""
    chance = random.Random(model.name)
    for number, path in enumerate(files_in(model)):
        for damage in (flip_bit, cut_byte, *([change_value] if path.suffix == ".json" else [])):
            copy = shutil.copytree(model, folder / f"{number} {damage.__name__}")
            damage(copy / path.relative_to(model), chance)
            with pytest.raises(UserError, match=re.escape(str(path.relative_to(model)))):
                kind.load(copy)
            shutil.rmtree(copy)


def check_that_odd_answers_are_refused(score: Any, found: list[dict], test: Path) -> None:
    """One value of one prediction changed: refused, or an answer of the right kind.

    What a scorer does not read it cannot refuse: that is a key that may as well be missing.
    """
    chance = random.Random(0)

    def refused(item: int, prediction: Any) -> bool:
        try:
            statistics = score([*found[:item], prediction, *found[item + 1 :]], test)
        except UserError as error:
            assert repr(found[item]["id"]) in str(error) or prediction["id"] != found[item]["id"]
            return True
        assert all(np.isfinite(column).all() for column in statistics.columns.values())
        return False

    for _ in range(trials(6, 300)):
        item = chance.randrange(len(found))
        name = chance.choice([name for name in found[item] if name != "id"])
        read = refused(item, {key: found[item][key] for key in found[item] if key != name})
        changes = list(changed_values(found[item][name]))
        for change in [*changes[: len(ODD)], *chance.choices(changes, k=10)]:
            changed = change(found[item][name])
            other = json_kind(changed) is not json_kind(found[item][name])
            assert refused(item, {**found[item], name: changed}) or not (read and other), changed
    assert refused(0, {**found[0], "id": found[-1]["id"] + "?"})
    with pytest.raises(UserError, match="more than one prediction"):
        score([*found, found[-1]], test)


def json_kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


@pytest.mark.parametrize("entrant", ENTRANTS, ids=str)
def test_saved_system_answers_every_item_as_before(
        small_tracks: dict[str, Track], entrant: Entrant, tmp_path: Path) -> None:
    track = small_tracks[entrant.track]
    system = fitted(entrant, track, tmp_path / "work")
    system.save(tmp_path / "model")
    loaded = type(system).load(tmp_path / "model")
    check_that_damage_is_found(type(system), tmp_path / "model", tmp_path)
    before = answers(system, track)
    assert answers(loaded, track) == before
    if isinstance(loaded, NeuralSystem):
        with elsewhere(loaded):
            again = answers(loaded, track)
        assert again.keys() == before.keys()
        for name, found in before.items():
            same_answers(again[name], found)
    scoring = task_module(entrant.task, "scoring")
    primary = scoring.METRICS[EMBEDDED.track(entrant.track).metric]
    for name, found in before.items():
        predictions.write(tmp_path / f"{name}.gz", found)
        statistics = scoring.score(predictions.read(tmp_path / f"{name}.gz"), track.test)
        assert len(statistics.ids) == len(found) > 0
        assert np.isfinite(statistics.score(primary))
    if entrant == FIRST_OF_TASK[entrant.task]:
        check_that_odd_answers_are_refused(scoring.score, found, track.test)
    assert loaded.parameters_count == system.parameters_count


def raw(task: str) -> ModuleType:
    """How the tests of a task write test items as the files that a user would hold."""
    return importlib.import_module(f"tests.tasks.{task}.raw")


def own_answers(answering: Answering, files: list[Path], folder: Path) -> list[dict]:
    """What a system predicts from raw files, its items' ids aside."""
    folder.mkdir()
    answering.own.prepare([OwnFile(str(file), file) for file in files], answering.trained, folder)
    return without_ids(answering.system.predict(folder, answering.variant))


@pytest.mark.parametrize("entrant", ENTRANTS, ids=str)
def test_copied_model_answers_raw_files_as_in_the_suite(
        small_tracks: dict[str, Track], entrant: Entrant, tmp_path: Path) -> None:
    """Nothing but the model's folder is there to read what a user holds."""
    track = small_tracks[entrant.track]
    system = fitted(entrant, track, tmp_path / "work", epochs=1)
    system.save(tmp_path / "model")
    alone = shutil.copytree(tmp_path / "model", tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "model")
    written = raw(entrant.task)
    (tmp_path / "raw").mkdir()
    files = written.write_raw(track.test, tmp_path / "raw", track.corpus)
    expected = getattr(written, "expected", list)
    for name, found in answers(system, track).items():
        answering = load_folder(alone, name or None)
        answered = own_answers(answering, files, tmp_path / f"inputs {name}")
        for given, wanted in zip(answered, without_ids(expected(found)), strict=True):
            assert wanted.items() <= given.items()
        rows = list(answering.predict([str(file) for file in files]))
        assert rows and all(json.loads(json.dumps(row, allow_nan=False)) == row for row in rows)
        assert {tuple(row) for row in rows} == {tuple(rows[0])}
        assert not answering.own.SHOWN or set(answering.own.SHOWN) & set(rows[0])


ANSWER = """
import json, sys
from pathlib import Path
from pipeline.running.answering import load_folder
for row in load_folder(Path(sys.argv[1])).predict(sys.argv[2:]):
    print(json.dumps(row))
"""


@pytest.mark.parametrize("entrant", FIRST_OF_TASK.values(), ids=str)
def test_copied_model_answers_in_a_process_of_its_own(
        small_tracks: dict[str, Track], entrant: Entrant, tmp_path: Path) -> None:
    """One system a task, from a folder where nothing else is."""
    track = small_tracks[entrant.track]
    system = fitted(entrant, track, tmp_path / "work", epochs=1)
    system.save(tmp_path / "model")
    files = raw(entrant.task).write_raw(track.test, tmp_path, track.corpus)[:1]
    names = [file.name for file in files]
    found = subprocess.run([sys.executable, "-c", ANSWER, "model", *names], cwd=tmp_path,
                           env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True,
                           capture_output=True, text=True).stdout
    with contextlib.chdir(tmp_path):
        assert [json.loads(line) for line in found.splitlines()] == list(
            load_folder(Path("model")).predict(names))


@pytest.mark.parametrize("entrant", NEURAL, ids=str)
def test_every_parameter_learns(small_tracks: dict[str, Track], entrant: Entrant) -> None:
    track = small_tracks[entrant.track]
    system = new_system(entrant, track)
    assert isinstance(system, NeuralSystem)
    source = system.batches(track.fit, "train", 1)
    system.train().begin_epoch(training=True)
    for description in source.plan(0):
        total, terms = system.loss(source.load(description))
        (total / terms).backward()
    silent = [name for name, parameter in system.named_parameters()
              if parameter.numel() and (parameter.grad is None or not parameter.grad.any())]
    assert not silent


@pytest.mark.parametrize("entrant", NEURAL, ids=str)
def test_a_loss_is_computed_where_the_weights_are(
        small_tracks: dict[str, Track], entrant: Entrant) -> None:
    track = small_tracks[entrant.track]
    system = new_system(entrant, track)
    assert isinstance(system, NeuralSystem)
    source = system.batches(track.fit, "train", 1)
    batch = source.load(source.plan(0)[0])
    for learning in (True, False):
        system.train(learning).begin_epoch(training=learning)
        torch.manual_seed(1)
        expected, terms = system.loss(batch)
        system.begin_epoch(training=learning)
        torch.manual_seed(1)
        with elsewhere(system):
            found, count = system.loss(system.here(batch))
            assert (float(found), count) == (float(expected), terms)


@pytest.mark.parametrize("entrant", NEURAL, ids=str)
def test_training_lowers_the_loss(small_tracks: dict[str, Track], entrant: Entrant,
                                  tmp_path: Path) -> None:
    track = small_tracks[entrant.track]
    system = new_system(entrant, track, LEARNING_EPOCHS)
    curve = system.fit(track.fit, Run(seed=1, work=tmp_path))
    assert len(curve) == LEARNING_EPOCHS
    assert curve[-1]["loss"] < curve[0]["loss"]


class Interrupted(Exception):
    """Stands for a kill in the middle of an epoch."""


@pytest.mark.parametrize("entrant", NEURAL, ids=str)
def test_interrupted_training_ends_with_the_same_weights(
        small_tracks: dict[str, Track], entrant: Entrant, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SEGMENT_BATCHES", 1)
    track = small_tracks[entrant.track]
    straight = fitted(entrant, track, tmp_path / "straight")
    system = new_system(entrant, track)
    original, seen = system.loss, []

    def loss(batch: dict) -> tuple[torch.Tensor, float]:
        if system.training:
            seen.append(1)
        if len(seen) == stop:
            raise Interrupted
        return original(batch)

    stop = max(2, len(system.batches(track.fit, "train", 1).plan(0)) // 2 + 1)
    system.loss = loss  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        system.fit(track.fit, Run(seed=1, work=tmp_path / "work"))
    resumed = fitted(entrant, track, tmp_path / "work")
    for name, tensor in straight.tensors().items():
        assert torch.equal(tensor, resumed.tensors()[name]), name


@pytest.mark.parametrize("entrant", NEURAL, ids=str)
def test_padding_does_not_change_a_loss(small_tracks: dict[str, Track], entrant: Entrant) -> None:
    """Items one at a time and items in batches have the same total loss.

    A system that cuts one text into streams has no padding, and says so by the name of its
    setting: `batch_streams`.
    """
    sizes = [name for name in type(entrant.settings).model_fields if name.startswith("batch_")]
    assert sizes, "a neural system's batch size is a setting whose name begins with 'batch_'"
    if sizes == ["batch_streams"]:
        return
    track = small_tracks[entrant.track]
    together, alone = (new_system(entrant, track, **changes) for changes in ({}, {sizes[0]: 1}))
    alone.load_state_dict(together.state_dict())
    totals = []
    for system in (together, alone):
        system.eval().begin_epoch(training=False)
        source = system.batches(track.fit, "valid", 1)
        with torch.no_grad():
            parts = [system.loss(source.load(description)) for description in source.plan(0)]
        totals.append((sum(float(total) for total, _ in parts), sum(t for _, t in parts)))
    assert totals[0][0] == pytest.approx(totals[1][0], rel=1e-4)
    assert totals[0][1] == totals[1][1]
