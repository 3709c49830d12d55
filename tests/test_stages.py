"""dvc.yaml: a stage watches the code that it uses; a system or corpus is one module, one entry."""

import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from dvc.repo import Repo

from pipeline.suite.schema import load

SUITES = ["params.yaml", "real/params.yaml", "large/params.yaml"]


@pytest.fixture(scope="module")
def stages(root: Path) -> dict[str, tuple[str, list[PurePosixPath]]]:
    """Command and deps, relative to the root, of each stage of each suite, by address."""
    with Repo(str(root)) as repo:
        return {stage.addressing: (str(stage.cmd), [
                    PurePosixPath(Path(dep.fs_path).relative_to(root).as_posix())
                    for dep in stage.deps if hasattr(dep, "fs_path")])
                for stage in repo.index.stages}


def test_a_stage_watches_its_own_settings_and_code_and_no_others(stages: dict) -> None:
    for address, (command, deps) in stages.items():
        _, _, module, params, *key = command.split()
        stage = module.removeprefix("stages.")
        code = {dep.as_posix() for dep in deps if dep.parts[0] in ("pipeline", "stages")}
        if stage == "validate":
            assert code == {"pipeline", "stages"} and PurePosixPath(params) in deps
            continue
        assert PurePosixPath(params) not in deps, address
        listed = PurePosixPath(params).parent / "inputs" / "/".join([stage, *key])
        assert PurePosixPath(f"{listed}.json") in deps, address
        assert not code, address


def test_every_entry_of_every_suite_has_its_stages(root: Path, stages: dict) -> None:
    for name in SUITES:
        suite = load(root / name)
        prefix = f"{suite.suite}dvc.yaml:" if suite.suite else ""
        expected = {f"{prefix}{stage}@{key}" for stage, keys in (
            ("download", suite.corpora), ("features", suite.tracks), ("train", suite.systems),
            ("evaluate", suite.systems), ("leaderboard", suite.tracks)) for key in keys}
        assert expected <= set(stages)


def test_training_does_not_depend_on_test_data(stages: dict) -> None:
    train = {address: deps for address, (_, deps) in stages.items() if "train@" in address}
    assert train
    for deps in train.values():
        data = [dep for dep in deps if "features" in dep.parts[:2]]
        assert data and all(dep.name == "fit" for dep in data)


def run(folder: Path, *command: str) -> str:
    found = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True,
                           text=True)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@pytest.fixture
def copy(tmp_path: Path, root: Path) -> Path:
    """The project's code in a folder of its own, a DVC project without results."""
    folder = tmp_path / "copy"
    for name in ("pipeline", "stages", "real", "large"):
        shutil.copytree(root / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns(
            "__pycache__", "data", "features", "models", "predictions", "figures", "costs"))
    for name in ("params.yaml", "dvc.yaml", ".dvcignore"):
        shutil.copy(root / name, folder / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    run(folder, "dvc", "init", "--quiet")
    return folder


NEW_SYSTEM = '''
"""The last value again: the smallest forecaster, to show what a new system takes."""

import torch

from pipeline.entries import SystemSettings
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import System


class Settings(SystemSettings):
    """No hyper-parameters."""


class Last(System):
    parameters_count = 0

    def fit(self, data, run):
        return []

    def predict(self, data, variant):
        yield Prediction(id="1")

    def tensors(self):
        return {"nothing": torch.zeros(1)}

    def load_tensors(self, tensors):
        pass
'''

NEW_CORPUS = '''
"""One sentence three times: the smallest corpus, to show what a new one takes."""

from pathlib import Path

from pipeline.entries import CorpusSettings
from pipeline.corpora.kinds import Sentence


class Settings(CorpusSettings):
    """No options."""


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    (directory / "text").write_text("the cat sat\\n")


def sentences(directory: Path, split: str) -> list[Sentence]:
    return [Sentence(split, (directory / "text").read_text().split(), cluster=split)]
'''


def test_a_new_system_is_one_module_and_one_entry(copy: Path) -> None:
    (copy / "pipeline/tasks/forecast/systems/last_value.py").write_text(NEW_SYSTEM)
    text = (copy / "params.yaml").read_text()
    track = next(key for key, t in load(copy / "params.yaml").tracks.items()
                 if t.task == "forecast")
    entry = f"  my-last:\n    track: {track}\n    model: last_value\n"
    (copy / "params.yaml").write_text(text.replace("\nsystems:\n", f"\nsystems:\n{entry}"))
    run(copy, "stages.validate", "params.yaml")
    listed = run(copy, "dvc", "stage", "list", "--name-only").split()
    assert {"train@my-last", "evaluate@my-last"} <= set(listed)


@pytest.fixture
def copy_with_corpus(copy: Path) -> Path:
    """The copy with one more corpus, downloaded through DVC."""
    (copy / "pipeline/corpora/one_sentence.py").write_text(NEW_CORPUS)
    text = (copy / "params.yaml").read_text()
    entry = "  my-corpus:\n    module: one_sentence\n"
    (copy / "params.yaml").write_text(text.replace("\ncorpora:\n", f"\ncorpora:\n{entry}"))
    run(copy, "stages.validate", "params.yaml")
    run(copy, "dvc", "repro", "--single-item", "--quiet", "download@my-corpus")
    return copy


def test_a_new_corpus_is_one_module_and_one_entry(copy_with_corpus: Path) -> None:
    assert (copy_with_corpus / "data/my-corpus/text").read_text() == "the cat sat\n"


def test_data_comes_back_from_a_remote(copy_with_corpus: Path, tmp_path: Path) -> None:
    copy, remote = copy_with_corpus, tmp_path / "remote"
    run(copy, "dvc", "remote", "add", "--quiet", "--default", "storage", str(remote))
    run(copy, "dvc", "push", "--quiet", "download@my-corpus")
    shutil.rmtree(copy / "data/my-corpus")
    shutil.rmtree(copy / ".dvc/cache")
    run(copy, "dvc", "pull", "--quiet", "download@my-corpus")
    assert (copy / "data/my-corpus/text").read_text() == "the cat sat\n"
