"""Fitting a system as the train stage does: equal bytes, with tracking and without, costs apart."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.provenance.inputs import version_of, write_inputs
from pipeline.running.evaluation import evaluate_system
from pipeline.running.extraction import extract_features
from pipeline.running.fetching import fetch_corpus
from pipeline.running.fitting import train_system
from pipeline.storage.files import read_json, sha256
from pipeline.suite.places import Places
from pipeline.suite.schema import Suite, load
from pipeline.tracking.addresses import tracking_uri
from pipeline.tracking.store import TrackingStore, live_logger

KEY = "yearly-esrnn"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Suite:
    """The project's code, and the smallest features of one track, in a folder of its own."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("pipeline", "stages"):
        (folder / name).symlink_to(root / name)
    whole = load(root / "params.yaml")
    name = whole.track_of(KEY)
    track = whole.track(name)
    entry = dict(whole.systems[KEY])
    entry["training"] = {**entry["training"], "epochs": 2}
    smallest = whole.corpus(track.corpus).smallest()
    suite = whole.model_copy(update={
        "corpora": {track.corpus: smallest.model_dump(mode="json")}, "tracks": {name: track},
        "systems": {KEY: entry}, "claims": []}).placed(folder)
    write_inputs(suite)
    fetch_corpus(suite.places, track.corpus)
    extract_features(suite.places, name)
    return suite


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in folder.iterdir()}


def train(suite: Suite, name: str, seed: int | None = None, logger: object = None) -> Places:
    """Train into a folder of that name; where everything lies in it."""
    out = suite.places.below(suite.places.root / name)
    train_system(suite.places, KEY, out, seed, logger)
    shutil.rmtree(suite.places.work)  # else a finished checkpoint would be taken up
    return out


def model(suite: Suite, name: str, seed: int | None = None,
          logger: object = None) -> dict[str, str]:
    """Hashes of the files of a model that is trained into a folder of that name."""
    return hashes(train(suite, name, seed, logger).model(KEY))


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(suite: Suite) -> None:
    first = model(suite, "first")
    assert set(first) == {"weights.safetensors", "texts.json", "system.json", "record.json",
                          "seal.json"}
    assert model(suite, "second") == model(suite, "named", seed=suite.seed) == first
    other = model(suite, "other", seed=2)
    assert other["weights.safetensors"] != first["weights.safetensors"]


def test_tracking_watches_and_changes_nothing(suite: Suite,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    places = suite.places
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{places.tracking_database}")
    TrackingStore(tracking_uri(places), places)
    untracked = model(suite, "untracked")
    assert model(suite, "tracked", logger=live_logger(places, KEY)) == untracked
    assert places.tracking_database.exists()


def test_cost_names_the_version_and_is_apart_from_the_model(suite: Suite) -> None:
    out = train(suite, "costly")
    cost = read_json(out.cost(suite.track_of(KEY), KEY, "train"))
    assert {"seconds", "peak_memory_bytes", "threads", "processor", "precision", "version",
            "commit"} <= set(cost)
    assert cost["version"]["hash"] == version_of(suite.places, KEY).hash
    assert "seconds" not in (out.model(KEY) / "record.json").read_text()
    assert cost["precision"] == read_json(out.model(KEY) / "record.json")["precision"] == "fp32"


def test_a_result_says_how_its_training_computed_and_ended(suite: Suite) -> None:
    """Two epochs are too few to see that a loss is flat."""
    out = train(suite, "told")
    assert read_json(out.model(KEY) / "record.json")["precision"] == "fp32"
    evaluate_system(suite.places, KEY, out)
    result = read_json(out.metrics(suite.track_of(KEY), KEY))
    assert (result["precision"], result["converged"]) == ("fp32", False)


def test_settings_come_from_what_validate_wrote(suite: Suite) -> None:
    """Whoever edits params.yaml while a run is under way does not change that run."""
    entry = {**suite.systems[KEY], "training": {**suite.systems[KEY]["training"], "epochs": 1}}
    edited = suite.model_copy(update={"systems": {KEY: entry}})
    suite.places.params.write_text(json.dumps(edited.model_dump(mode="json")))
    assert load(suite.places.params).systems[KEY]["training"]["epochs"] == 1
    assert len(read_json(train(suite, "before").model(KEY) / "record.json")["curve"]) == 2
    write_inputs(load(suite.places.params))
    assert len(read_json(train(suite, "after").model(KEY) / "record.json")["curve"]) == 1
    write_inputs(suite)
    suite.places.params.unlink()


def test_checkpoints_of_another_version_and_of_no_other_suite_or_seed_are_removed(
        suite: Suite) -> None:
    """Two suites may have systems of one name: a training of one leaves the other's alone."""
    other = Places(suite.places.root, "real/").checkpoints(KEY, suite.seed, "version")
    earlier = suite.places.checkpoints(KEY, suite.seed, "earlier")
    beside = suite.places.checkpoints(KEY, suite.seed + 1, "earlier")
    for folder in (other, earlier, beside):
        folder.mkdir(parents=True)
    train_system(suite.places, KEY, suite.places.below(suite.places.root / "beside"))
    left = {path.name for path in earlier.parent.iterdir()}
    assert other.is_dir() and beside.is_dir()
    assert left == {version_of(suite.places, KEY).hash}
    shutil.rmtree(suite.places.work)


def test_cost_says_whether_code_or_settings_were_committed(suite: Suite) -> None:
    folder = suite.places.root

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e",
                               *arguments], check=True, capture_output=True, text=True).stdout

    def state() -> tuple[str | None, bool]:
        cost = read_json(train(suite, "stated").cost(suite.track_of(KEY), KEY, "train"))
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
