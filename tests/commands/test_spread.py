"""Trainings with further seeds: what is trained, kept, taken up again, carried over and removed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.commands.earlier_seeds import carry_over, prune
from pipeline.commands.spread import (
    account,
    chosen,
    is_kept,
    keep_own_records,
    lock_of,
    measure_suite,
    require_features,
    train_one,
)
from pipeline.errors import UserError
from pipeline.provenance.inputs import read_row_version, write_inputs
from pipeline.results.trainings import records_of, trainings_of
from pipeline.running.evaluation import evaluate_system
from pipeline.running.extraction import extract_features
from pipeline.running.fetching import fetch_corpus
from pipeline.running.fitting import train_system
from pipeline.running.seeds import train_seed
from pipeline.scoring.digests import digest_of
from pipeline.storage.files import read_json, sha256, write_json
from pipeline.suite.schema import Suite, load, read_yaml
from tests.commands.small_network import KEY, TRACK, small_project
from tests.toy_suite import toy_suite
from tests.written_lock import write_lock


def run_stages(folder: Path, trained: bool = True) -> Suite:
    """Bring the results of the project in `folder` up to date, as the stages would."""
    suite = load(folder / "params.yaml")
    write_inputs(suite)
    if trained:
        fetch_corpus(suite.places, "sums")
        extract_features(suite.places, TRACK)
        train_system(suite.places, KEY, suite.places)
    evaluate_system(suite.places, KEY, suite.places)
    write_lock(suite)
    return suite


def change(folder: Path, **settings: object) -> None:
    raw = read_yaml(folder / "params.yaml")
    for name, value in settings.items():
        (raw["systems"][KEY] if name in raw["systems"][KEY] else raw)[name] = value
    YAML().dump(raw, folder / "params.yaml")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A project with one small network, which `unrolled spread` has trained with three seeds."""
    folder = small_project(tmp_path_factory.mktemp("spread") / "project", root)
    run_stages(folder)
    measure_suite(folder / "params.yaml", [KEY], False, 3, 1)
    return folder


@pytest.fixture
def project(measured: Path, tmp_path: Path) -> Path:
    return shutil.copytree(measured, tmp_path / "project", symlinks=True)


def test_each_seed_is_kept_with_what_it_was(measured: Path) -> None:
    suite = load(measured / "params.yaml")
    places, version = suite.places, read_row_version(suite.places, KEY)
    folder = places.row_seeds(TRACK, KEY, "") / version
    assert {path.name for path in folder.iterdir()} == {
        "1.json", "2.json", "3.json", *(places.seed_items(TRACK, KEY, "", version, seed).name
                                        for seed in (2, 3))}
    found = trainings_of(suite, TRACK, KEY)
    assert found.seeds == [1, 2, 3]
    records = records_of(suite, TRACK, KEY)
    assert [records[seed]["statistics"] for seed in found.seeds] == list(
        map(digest_of, found.statistics))
    assert len({record["weights"] for record in records.values()}) == 3
    cost = read_json(places.cost(TRACK, KEY, "train"))
    for record in records.values():
        assert (record["processor"], record["torch"], record["precision"]) == (
            cost["processor"], cost["torch"], cost["precision"])
    assert records[1]["weights"] == sha256(places.model(KEY) / "weights.safetensors")
    assert records[1]["answers"] == sha256(places.answers(TRACK, KEY, ""))
    metrics = read_json(places.metrics(TRACK, KEY))["variants"][""]["metrics"]
    assert records[1]["scores"] == {name: score["value"] for name, score in metrics.items()}


def test_neither_models_nor_checkpoints_of_further_seeds_stay(measured: Path) -> None:
    places = load(measured / "params.yaml").places
    assert [path.name for path in places.all_checkpoints(KEY).iterdir()] == ["1"]
    assert [path.name for path in (measured / "models").iterdir()] == [KEY]


def test_a_seed_is_what_the_stages_would_make_of_it(measured: Path) -> None:
    suite = load(measured / "params.yaml")
    record, statistics = train_seed(suite.places, TRACK, KEY, 2)[""]
    shutil.rmtree(suite.places.seed_checkpoints(KEY, 2))
    assert record == records_of(suite, TRACK, KEY)[2]
    assert digest_of(statistics) == record["statistics"]


def test_what_is_kept_is_not_trained_again(project: Path, capsys: pytest.CaptureFixture) -> None:
    suite = load(project / "params.yaml")
    version = read_row_version(suite.places, KEY)
    path = suite.places.seed_record(TRACK, KEY, "", version, 2)
    write_json(path, read_json(path) | {"torch": "kept"})
    measure_suite(project / "params.yaml", [KEY], False, 3, 1)
    assert records_of(suite, TRACK, KEY)[2]["torch"] == "kept"
    assert "of 2 trainings with further seeds, 0 are to be done" in capsys.readouterr().out

    path.unlink()  # killed before the record was written
    assert not is_kept(suite, KEY, 2) and is_kept(suite, KEY, 3)
    train_one(suite, KEY, 2)
    assert is_kept(suite, KEY, 2) and records_of(suite, TRACK, KEY)[2]["torch"] != "kept"
    assert list(account(suite, [KEY]))[0].startswith(f"{KEY}: 3 trainings, exact_64 ")


def test_what_another_call_is_at_is_waited_for_and_not_trained_again(project: Path) -> None:
    suite = load(project / "params.yaml")
    path = suite.places.seed_record(TRACK, KEY, "", read_row_version(suite.places, KEY), 2)
    kept = read_json(path) | {"torch": "kept"}
    path.unlink()
    code = ("from pathlib import Path; from pipeline.suite.schema import load; "
            "from pipeline.commands.spread import train_one; "
            f"train_one(load(Path('params.yaml')), {KEY!r}, 2)")
    with lock_of(suite, KEY, 2):
        other = subprocess.Popen([sys.executable, "-c", code], cwd=project)
        write_json(path, kept)
    assert other.wait() == 0
    assert read_json(path) == kept


def test_a_clone_that_has_pulled_a_model_leaves_its_record_alone(project: Path) -> None:
    suite = load(project / "params.yaml")
    before = records_of(suite, TRACK, KEY)[1]
    suite.places.cost(TRACK, KEY, "train").unlink()
    keep_own_records(suite, [KEY])
    assert records_of(suite, TRACK, KEY)[1] == before and before["processor"]
    path = suite.places.seed_record(TRACK, KEY, "", read_row_version(suite.places, KEY), 1)
    write_json(path, before | {"weights": "0" * 64})
    keep_own_records(suite, [KEY])
    assert records_of(suite, TRACK, KEY)[1] == before | {
        "processor": None, "precision": None, "torch": None}


def test_nothing_is_trained_on_features_of_another_version(project: Path) -> None:
    suite = load(project / "params.yaml")
    require_features(suite, TRACK)
    raw = read_yaml(project / "params.yaml")
    raw["corpora"]["sums"]["train"] = 61
    YAML().dump(raw, project / "params.yaml")
    changed = load(project / "params.yaml")
    write_inputs(changed)
    with pytest.raises(UserError, match=r"download@sums writes is not up to date; run 'unrolled "
                                        r"repro --track addition' first"):
        train_one(changed, KEY, 2)
    assert list(account(changed, [KEY]))[0].startswith(f"{KEY}: its row is of another version")
    assert list(suite.places.row_seeds(TRACK, KEY, "").iterdir()) == [
        suite.places.row_seeds(TRACK, KEY, "") / read_json(
            suite.places.metrics(TRACK, KEY))["version"]]


def test_seeds_are_carried_over_to_a_version_that_trains_alike(project: Path) -> None:
    before = trainings_of(load(project / "params.yaml"), TRACK, KEY)
    change(project, device="auto")  # the same where there is no GPU
    write_inputs(load(project / "params.yaml"))
    [line] = carry_over(project / "params.yaml")
    assert line.startswith(f"{KEY}: not carried over: its row is not of the present version")
    suite = run_stages(project)
    assert trainings_of(suite, TRACK, KEY).seeds == [1]
    [line] = carry_over(project / "params.yaml")
    assert line.startswith(f"{KEY}: seeds 2, 3 of version ")
    after = trainings_of(suite, TRACK, KEY)
    assert after.seeds == [1, 2, 3]
    assert list(map(digest_of, after.statistics)) == list(map(digest_of, before.statistics))
    assert len(list(suite.places.row_seeds(TRACK, KEY, "").iterdir())) == 1
    assert list(carry_over(project / "params.yaml")) == []


def test_seeds_of_a_version_that_trains_otherwise_stay_and_are_pruned(project: Path) -> None:
    earlier = load(project / "params.yaml").places.row_seeds(TRACK, KEY, "")
    [old] = earlier.iterdir()
    change(project, hidden=5)
    suite = run_stages(project)
    [line] = carry_over(project / "params.yaml")
    assert line == (f"{KEY}: version {old.name} not carried over: the suite's own seed has other "
                    "weights and other answers and other statistics of test items now")
    assert trainings_of(suite, TRACK, KEY).seeds == [1]
    stranger = suite.places.row_seeds(TRACK, "gone", "greedy") / "0123456789abcdef"
    stranger.mkdir(parents=True)
    assert list(prune(project / "params.yaml")) == [
        f"removed seeds/addition/{KEY}/plain/{old.name}",
        "removed seeds/addition/gone/greedy/0123456789abcdef"]
    assert [path.name for path in earlier.iterdir()] == [read_row_version(suite.places, KEY)]
    assert not stranger.parent.parent.exists()


def test_networks_that_claims_name_are_trained_if_none_is_named() -> None:
    suite = toy_suite()
    assert chosen(suite, [], False) == chosen(suite, ["network"], False) == ["network"]
    assert chosen(suite.model_copy(update={"claims": []}), [], True) == ["network"]
    with pytest.raises(UserError, match="no claim of this suite names a system"):
        chosen(suite.model_copy(update={"claims": []}), [], False)
    with pytest.raises(UserError, match="smooth: no gradient trains it"):
        chosen(suite, ["network", "smooth:ses"], False)
    with pytest.raises(UserError, match="did you mean 'network'"):
        chosen(suite, ["netwrk"], False)


def test_rows_of_a_contrast_are_named_by_claims() -> None:
    claim = {"better": "smooth:ses", "worse": ["smooth:holt"]}
    plain = toy_suite(claim=claim)
    contrast = {"better": "network", "worse": "smooth:ses"}
    assert chosen(toy_suite(claim=claim | {"contrast": contrast}), [], False) == ["network"]
    with pytest.raises(UserError, match="no claim of this suite"):
        chosen(plain, [], False)
