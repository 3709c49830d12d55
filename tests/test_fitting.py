"""Fitting a system as the train stage does: equal bytes, with tracking and without, costs apart."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.config import Suite, corpus_module, load, task_module
from pipeline.files import read_json, sha256
from pipeline.fitting import train_system
from pipeline.tracking import TrackingStore, live_logger, tracking_uri

KEY = "yearly-esrnn"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, root: Path) -> tuple[Path, Suite]:
    """The project's code, and the smallest features of one track, in a folder of its own."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("pipeline", "stages"):
        (folder / name).symlink_to(root / name)
    suite = load(root / "params.yaml")
    track = suite.track(suite.systems[KEY]["track"])
    corpus = suite.corpus(track.corpus).smallest()
    data, fit, test = (folder / name for name in ("data", f"features/{suite.systems[KEY]['track']}/"
                                                  "fit", "test"))
    for path in (data, fit, test):
        path.mkdir(parents=True)
    corpus_module(track.reader).prepare(corpus, data, None)
    task_module(track.task, "features").extract(
        suite.features(suite.systems[KEY]["track"]), data, corpus_module(track.reader), fit, test)
    entry = dict(suite.systems[KEY])
    entry["training"] = {**entry["training"], "epochs": 2}
    return folder, suite.model_copy(update={"systems": {KEY: entry}})


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in folder.iterdir()}


def train(project: tuple[Path, Suite], name: str, seed: int = 1, logger: object = None) -> Path:
    folder, suite = project
    train_system(suite, folder, KEY, seed, folder / name, folder / f"{name}.json", logger)
    shutil.rmtree(folder / "work")  # else a finished checkpoint would be taken up
    return folder / name


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(
        project: tuple[Path, Suite]) -> None:
    first = hashes(train(project, "first"))
    assert set(first) == {"weights.safetensors", "system.json", "record.json"}
    assert hashes(train(project, "second")) == first
    other = hashes(train(project, "other", seed=2))
    assert other["weights.safetensors"] != first["weights.safetensors"]


def test_tracking_watches_and_changes_nothing(project: tuple[Path, Suite],
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    folder, suite = project
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    TrackingStore(tracking_uri(folder), folder)
    untracked = hashes(train(project, "untracked"))
    tracked = hashes(train(project, "tracked", logger=live_logger(suite, folder, KEY)))
    assert tracked == untracked
    assert (folder / "mlflow.db").exists()


def test_cost_names_the_version_and_is_apart_from_the_model(project: tuple[Path, Suite]) -> None:
    folder, _ = project
    train(project, "costly")
    cost = read_json(folder / "costly.json")
    assert {"seconds", "peak_memory_bytes", "threads", "processor", "precision", "version",
            "commit"} <= set(cost)
    assert "seconds" not in (folder / "costly" / "record.json").read_text()


def test_cost_says_whether_code_or_settings_were_committed(project: tuple[Path, Suite]) -> None:
    folder, _ = project

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e",
                               *arguments], check=True, capture_output=True, text=True).stdout

    def state() -> tuple[str | None, bool]:
        train(project, "stated")
        cost = read_json(folder / "stated.json")
        return cost["commit"], cost["uncommitted_changes"]

    assert state() == (None, False)
    (folder / "params.yaml").write_text("root: .\n")
    git("init", "--quiet")
    git("add", "pipeline", "stages", "params.yaml")
    git("commit", "--quiet", "--message", "All")
    head = git("rev-parse", "HEAD").strip()
    assert state() == (head, False)
    with (folder / "params.yaml").open("a") as params:
        params.write("# changed\n")
    assert state() == (head, True)
