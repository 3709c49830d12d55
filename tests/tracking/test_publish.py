"""Publishing completes the store from the files: everything that belongs there, and nothing twice.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.main import run as run_command_line
from pipeline.errors import UserError
from pipeline.provenance.inputs import read_row_version, version_of
from pipeline.provenance.lock import Lock
from pipeline.storage.files import read_json, write_json
from pipeline.suite.schema import Suite
from pipeline.tracking.publish import publish
from tests.tracked_project import (
    CURVE,
    SUITE,
    contents,
    curve_points,
    empty_store,
    evaluate,
    free_port,
    killed_and_resumed,
    lock,
    make_project,
    md5,
    save_suite,
    tracking_server,
    train,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with tracking_server(tmp_path_factory.mktemp("server")) as uri:
        yield uri


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return finished(tmp_path)


def finished(root: Path, prefix: str = "") -> Suite:
    suite = make_project(root, prefix)
    for key in suite.systems:
        train(suite, key)
        evaluate(suite, key)
    return suite


def run_of(uri: str, key: str, experiment: str = "reading") -> dict:
    (run,) = contents(uri)[experiment][key]
    return run


def final(run: dict) -> dict[str, float]:
    return {name: points[-1][1] for name, points in run["points"].items()}


def assert_complete(uri: str, suite: Suite, experiment: str) -> None:
    run = run_of(uri, "recurrent", experiment)
    version = version_of(suite.places, "recurrent")
    assert {name: run["points"][name] for name in curve_points()} == curve_points()
    scores = {
        "test_wer": 10.0, "test_wer/greedy": 10.0, "test_wer/beam": 11.0,
        "test_wer/low": 9.0, "test_wer/high": 11.0,
        "test_wer/greedy/low": 9.0, "test_wer/greedy/high": 11.0,
        "test_wer/beam/low": 10.0, "test_wer/beam/high": 12.0,
        "test_wer/ceiling": 0.5, "usage/parameters": 1234.0,
        "usage/test_items": 40.0,
        "usage/train_seconds": 12.5, "usage/train_peak_memory_bytes": 1000.0,
        "usage/evaluate_seconds": 0.5, "usage/evaluate_peak_memory_bytes": 500.0,
    }
    assert final(run) == scores | {name: points[-1][1] for name, points in curve_points().items()}
    assert all(len(run["points"][name]) == 1 for name in scores)
    assert run["params"] == {
        "track": "reading", "task": "reading", "model": "recurrent", "hidden": "64",
        "training.epochs": "5", "training.learning_rate": "0.1", "run.seed": "1",
        "run.threads": "1", "run.device": "cpu", "run.precision": "fp32"}
    tags = {
        "unrolled.version": version.hash, "unrolled.params": version.params,
        "unrolled.data": version.data, "unrolled.code": version.code,
        "mlflow.source.git.commit": "0" * 40, "processor": "a processor", "precision": "fp32",
        "dvc.stage": "train@recurrent", "dvc.features": version.data,
        "dvc.model": f"{2 * version.hash}.dir", "corpus": "text", "settings_tried": "3",
        "signature.wer": "jiwer"}
    assert run["tags"].items() >= tags.items()
    assert run["status"] == "FINISHED"
    assert run["artifacts"] == ["figures/errors.txt", "samples/beam.json", "samples/greedy.json"]


@pytest.mark.parametrize("prefix", ["", "real/"])
def test_an_empty_store_is_filled_completely_and_twice_changes_nothing(
        tmp_path, uri, prefix) -> None:
    suite = finished(tmp_path, prefix)
    outcome = publish(suite)
    assert outcome.missing == [] and set(outcome.added) == {"recurrent", "counting"}
    assert_complete(uri, suite, f"{prefix}reading")
    before = contents(uri)
    assert publish(suite).added == {"recurrent": 0, "counting": 0}
    assert contents(uri) == before


def test_further_seeds_are_runs_of_their_own(suite, uri) -> None:
    places, version = suite.places, read_row_version(suite.places, "recurrent")
    for seed, wer in ((1, 10.0), (2, 12.5), (3, 9.5)):
        for variant in ("greedy", "beam"):
            write_json(places.seed_record("reading", "recurrent", variant, version, seed), {
                "scores": {"wer": wer}, "processor": "another", "precision": "fp32",
                "torch": None, "converged": True, "answers": "", "weights": "", "statistics": ""})
    assert publish(suite).missing == []
    runs = contents(uri)["reading"]
    assert runs.keys() == {"recurrent", "counting", *(
        f"recurrent:{variant} seed {seed}" for variant in ("greedy", "beam") for seed in (2, 3))}
    (run,) = runs["recurrent:beam seed 2"]
    assert final(run) == {"test_wer": 12.5}
    assert run["tags"].items() >= {"seed": "2", "processor": "another", "precision": "fp32",
                                   "converged": "True"}.items()
    assert "torch" not in run["tags"]
    assert (run["params"]["run.seed"], run["status"]) == ("2", "FINISHED")
    assert run_of(uri, "recurrent")["tags"]["seed"] == "1"
    assert publish(suite).added == {"recurrent": 0, "counting": 0}
    assert contents(uri)["reading"] == runs


def test_seeds_of_another_version_are_not_shown(suite, uri) -> None:
    write_json(suite.places.seed_record("reading", "recurrent", "beam", "f" * 16, 2), {})
    publish(suite)
    assert contents(uri)["reading"].keys() == {"recurrent", "counting"}


def test_a_score_without_an_interval_is_published_without_one(tmp_path, uri, suite) -> None:
    evaluate(suite, "recurrent", interval=False)
    publish(suite)
    names = final(run_of(uri, "recurrent"))
    assert "test_wer" in names and not any(name.endswith(("/low", "/high")) for name in names)


def test_killed_resumed_and_published_on_a_server_is_one_complete_run(
        tmp_path, server, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    suite = make_project(tmp_path)
    killed_and_resumed(tmp_path, server)
    live = run_of(server, "recurrent")
    assert live["points"] == curve_points() and live["status"] == "RUNNING"
    for key in suite.systems:
        train(suite, key)
        evaluate(suite, key)
    publish(suite)
    assert_complete(server, suite, "reading")
    before = contents(server)
    assert before["reading"]["recurrent"][0]["id"] == live["id"]
    assert publish(suite).added == {"recurrent": 0, "counting": 0}
    assert contents(server) == before
    assert not (tmp_path / "mlartifacts").exists(), "a server keeps artifacts itself"


def test_runs_of_a_track_have_the_same_metric_names(tmp_path, uri, suite) -> None:
    publish(suite)
    with_variants, without = final(run_of(uri, "recurrent")), final(run_of(uri, "counting"))
    assert set(without) <= set(with_variants)
    further = set(with_variants) - set(without)
    assert {name for name in further if not name.startswith("test_")} == set(curve_points())
    assert {name.split("/")[1] for name in further - set(curve_points())} == {"beam", "greedy"}


def test_scores_come_before_all_else_in_the_alphabet(tmp_path, uri, suite) -> None:
    publish(suite)
    names = sorted(final(run_of(uri, "recurrent")))
    assert [name.startswith("test_wer") for name in names] == sorted(
        (name.startswith("test_wer") for name in names), reverse=True)
    assert names[0] == "test_wer"


def test_an_experiment_says_what_it_compares(tmp_path, uri, suite) -> None:
    from mlflow.tracking import MlflowClient

    for _ in range(2):
        outcome = publish(suite)
        experiment = MlflowClient(tracking_uri=uri).get_experiment_by_name("reading")
        assert outcome.experiments == {"reading": experiment.experiment_id}
        note = experiment.tags["mlflow.note.content"]
        assert "Reading" in note and "`test_wer`" in note and "leaderboards/reading.md" in note
        view = json.loads(experiment.tags["mlflow.sharedViewState.scores"])
        assert (view["orderByKey"], view["orderByAsc"]) == ("metrics.`test_wer`", True)
        known = {f"metrics.`{name}`" for name in final(run_of(uri, "recurrent"))}
        assert known >= set(view["selectedColumns"])


def test_gaps_of_a_live_curve_are_closed_in_the_same_run(tmp_path, uri, suite) -> None:
    from pipeline.tracking.store import TrackingStore

    version = version_of(suite.places, "recurrent").hash
    run = TrackingStore(uri, suite.places).run("reading", "recurrent", version)
    run.add_points([CURVE[0], CURVE[2]])
    publish(suite)
    points = run_of(uri, "recurrent")["points"]
    assert {name: sorted(points[name]) for name in curve_points()} == curve_points()


def test_a_new_evaluation_of_the_same_model_updates_its_run(tmp_path, uri, suite) -> None:
    publish(suite)
    before = run_of(uri, "counting")
    evaluate(suite, "counting", wer=8.0)
    publish(suite)
    after = run_of(uri, "counting")
    assert after["id"] == before["id"] and final(after)["test_wer"] == 8.0


def test_scores_of_an_earlier_model_are_not_shown_beside_a_later_one(tmp_path, uri, suite) -> None:
    entry = {**SUITE["systems"]["counting"], "order": 6}
    changed = save_suite(tmp_path, {"root": ".", "suite": "", **SUITE,
                                    "systems": {"counting": entry}})
    assert publish(changed).missing == [
        ("counting", "nothing: params.yaml has changed since it was trained")]
    train(changed, "counting")
    outcome = publish(changed)
    assert outcome.missing == [
        ("counting", "its scores: the model has not been evaluated by 'dvc repro'")]
    run = run_of(uri, "counting")
    assert run["params"]["order"] == "6" and "test_wer" not in run["points"]
    evaluate(changed, "counting", wer=9.0)
    assert publish(changed).missing == []
    assert final(run_of(uri, "counting"))["test_wer"] == 9.0


def test_scores_that_dvc_did_not_write_are_not_published(tmp_path, uri, suite) -> None:
    file = suite.places.metrics("reading", "counting")
    write_json(file, read_json(file) | {"parameters": 0})
    outcome = publish(suite)
    assert [gap.system for gap in outcome.missing] == ["counting"]
    shown = contents(uri)["reading"].get("counting", [])
    assert not any("test_wer" in run["points"] for run in shown)


def test_an_altered_file_of_costs_does_not_change_whose_run_it_is(tmp_path, uri, suite) -> None:
    publish(suite)
    before = contents(uri)
    path = suite.places.cost("reading", "recurrent", "train")
    cost = read_json(path)
    write_json(path, cost | {"version": cost["version"] | {"hash": "f" * 16, "code": "e" * 16}})
    assert publish(suite).added == {"recurrent": 0, "counting": 0}
    assert contents(uri) == before


@pytest.mark.parametrize(("place", "value", "said"), [
    ("cost", {"seconds": "long"}, "seconds: input should be a valid number"),
    ("cost", ["seconds"], "input should be a valid dictionary"),
    ("metrics", {"variants": 3}, "variants: input should be a valid dictionary"),
    ("model", {"curve": [{"step": "first"}]}, "curve.0.step: input should be a valid number"),
    ("model", {}, "curve: field required")])
def test_a_file_of_another_shape_is_named(tmp_path, uri, suite, place: str, value: Any,
                                          said: str) -> None:
    path = {"cost": suite.places.cost("reading", "recurrent", "train"),
            "metrics": suite.places.metrics("reading", "recurrent"),
            "model": suite.places.model("recurrent") / "record.json"}[place]
    whole = read_json(path)
    write_json(path, whole | value if isinstance(value, dict) and value else value)
    if place == "metrics":  # as DVC would have written it, or it is not read at all
        lock(suite, "evaluate@recurrent",
             {suite.places.model("recurrent"): Lock(suite.places).digest(
                 "train@recurrent", "outs", suite.places.model("recurrent"))}, {path: md5(path)})
    with pytest.raises(UserError) as failure:
        publish(suite)
    assert path.name in str(failure.value) and said in str(failure.value)


def test_a_clone_without_costs_publishes_the_same_run_without_them(
        tmp_path, uri, suite, monkeypatch) -> None:
    publish(suite)
    before = contents(uri)
    complete = final(run_of(uri, "counting"))
    shutil.rmtree(suite.places.all_costs)
    assert publish(suite).added == {"recurrent": 0, "counting": 0}
    assert contents(uri) == before
    another = empty_store(tmp_path / "another.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", another)
    assert publish(suite).missing == []
    assert final(run_of(another, "counting")) == {
        name: value for name, value in complete.items()
        if not name.endswith(("_seconds", "_bytes"))}


def test_a_clone_without_models_publishes_what_it_has_and_the_rest_after_a_pull(
        tmp_path, uri, suite) -> None:
    away = tmp_path / "away"
    away.mkdir()
    for folder in ("models", "figures", "predictions"):
        shutil.move(tmp_path / folder, away / folder)
    outcome = publish(suite)
    assert sorted(gap.what for gap in outcome.missing if gap.system == "recurrent") == [
        "its figures: they are not here ('dvc pull' brings them)",
        "its learning curve: the model is not here ('dvc pull' brings it)",
        "sample predictions: they are not here"]
    run = run_of(uri, "recurrent")
    assert final(run)["test_wer"] == 10.0 and "training/loss" not in run["points"]
    for folder in ("models", "figures", "predictions"):
        shutil.move(away / folder, tmp_path / folder)
    assert publish(suite).missing == []
    assert_complete(uri, suite, "reading")
    assert run_of(uri, "recurrent")["id"] == run["id"]


def test_samples_are_readable_and_few(tmp_path, uri, suite) -> None:
    publish(suite)
    (sample,) = (tmp_path / "mlartifacts").rglob("samples/beam.json")
    assert "größe 0" in sample.read_text("utf-8")
    assert len(json.loads(sample.read_text("utf-8"))) == 20
    (figure,) = [path for path in (tmp_path / "mlartifacts").rglob("errors.txt")
                 if "counting" in path.read_text()]
    assert figure.parent.name == "figures"


def test_an_untrained_suite_and_an_unreachable_store_are_told_plainly(
        tmp_path, suite, monkeypatch, capsys) -> None:
    command = ["publish", "--suite", str(tmp_path / "params.yaml")]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UserError, match=r"^tracking store http://127\.0\.0\.1"):
        run_command_line(command)
    (tmp_path / "dvc.lock").unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", empty_store(tmp_path / "runs.db"))
    run_command_line(command)
    told = capsys.readouterr().out
    assert "0 of 2 systems are in the tracking store" in told
    assert "not published of recurrent, counting: nothing: it has not been trained" in told
