"""The tracking store: what a run is found by, what is added to it, and when it cannot be reached.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.suite.places import Places
from pipeline.tracking.addresses import tracking_uri
from pipeline.tracking.store import LiveCurve, TrackedRun, TrackingStore, flat, live_logger
from tests.tracked_project import (
    CURVE,
    ROOT,
    contents,
    curve_points,
    empty_store,
    free_port,
    killed_and_resumed,
    make_project,
)


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'runs.db'}"


@pytest.fixture
def store(tmp_path: Path, uri: str) -> TrackingStore:
    empty_store(tmp_path / "runs.db")
    return TrackingStore(uri, Places(tmp_path))


def only_run(uri: str, experiment: str = "asr", name: str = "lstm") -> dict:
    (run,) = contents(uri)[experiment][name]
    return run


def test_a_run_is_found_by_its_version_and_not_by_its_name(uri, store) -> None:
    first = store.run("asr", "lstm", "v1")
    assert store.run("asr", "renamed", "v1").id == first.id
    assert store.run("asr", "lstm", "v2").id != first.id
    assert {name: len(runs) for name, runs in contents(uri)["asr"].items()} == {"lstm": 2}


def test_points_are_added_where_they_lack_and_never_twice(uri, store) -> None:
    run = store.run("asr", "lstm", "v1")
    run.add_points([CURVE[0], CURVE[3]])
    run.add_points([CURVE[3]])
    again = store.run("asr", "lstm", "v1")
    again.add_points(CURVE)
    again.add_points([{**point, "loss": -1.0} for point in CURVE])
    assert {name: sorted(points) for name, points in only_run(uri)["points"].items()
            } == curve_points()
    assert (run.added, again.added) == (6, 9)


def test_more_points_and_params_than_one_request_takes(uri, store) -> None:
    run = store.run("asr", "lstm", "v1")
    run.add_points([{"step": step, "loss": 1.0, "rate": 0.5} for step in range(700)])
    run.add_params({f"p{n}": n for n in range(150)})
    assert {name: len(points) for name, points in only_run(uri)["points"].items()} == {
        "training/loss": 700, "training/rate": 700}
    assert len(only_run(uri)["params"]) == 150


def test_params_stay_scores_follow_and_nothing_is_written_without_need(uri, store) -> None:
    for wer in (10.0, 10.0, 9.5):
        run = store.run("asr", "lstm", "v1")
        run.add_params({"hidden": 64, "training": {"epochs": 3}})
        run.set_scores({"test_wer": wer})
        run.set_tags({"corpus": "an4"})
        run.set_files({}, {"samples/beam.json": "[]"})
        run.finish()
    found = only_run(uri)
    assert found["params"] == {"hidden": "64", "training.epochs": "3"}
    assert [value for _, value in found["points"]["test_wer"]] == [10.0, 9.5]
    assert found["status"] == "FINISHED"
    assert found["artifacts"] == ["samples/beam.json"]
    assert run.added == 1


def test_a_deleted_experiment_comes_back(uri, store) -> None:
    from mlflow.tracking import MlflowClient

    before = store.run("asr", "lstm", "v1").id
    client = MlflowClient(tracking_uri=uri)
    client.delete_experiment(client.get_experiment_by_name("asr").experiment_id)
    assert store.run("asr", "lstm", "v1").id == before
    assert only_run(uri)["id"] == before


def test_two_processes_may_create_the_store_at_once(tmp_path, uri) -> None:
    script = ("import sys, pathlib; from pipeline.suite.places import Places\n"
              "from pipeline.tracking.store import TrackingStore\n"
              "import mlflow.tracking, mlflow.store.tracking.sqlalchemy_store\n"
              "print('ready', flush=True); sys.stdin.readline()\n"
              "places = Places(pathlib.Path(sys.argv[2]))\n"
              "run = TrackingStore(sys.argv[1], places).run('asr', 'x', 'v')\n"
              "print(run.id)")
    both = [subprocess.Popen([sys.executable, "-c", script, uri, str(tmp_path)], cwd=ROOT,
                             text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    ids = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert ids == {only_run(uri, name="x")["id"]}


def test_killed_while_logging_and_resumed_gives_every_point_once(tmp_path, uri) -> None:
    make_project(tmp_path)
    killed_and_resumed(tmp_path, uri)
    run = only_run(uri, "reading", "recurrent")
    assert run["points"] == curve_points()
    assert run["params"]["training.epochs"] == "5"
    assert run["params"]["run.seed"] == "1"


def test_a_live_curve_does_not_touch_the_store_before_its_first_point(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'runs.db'}")
    live_logger(make_project(tmp_path).places, "counting")
    assert not (tmp_path / "runs.db").exists()


@pytest.mark.parametrize("kind", ["http", "postgresql"])
def test_an_unreachable_store_does_not_stop_a_training(tmp_path, monkeypatch, capsys, kind) -> None:
    address = f"{kind}://user:secret@127.0.0.1:{free_port()}/runs"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    logger = live_logger(make_project(tmp_path).places, "recurrent")
    for step in range(100):
        logger.log_metrics({"loss": 1.0}, step=step)
    warning = capsys.readouterr().err
    assert warning.count("warning") == 1
    assert "Connection refused" in warning and "unrolled publish" in warning
    assert address.replace("secret", "***") in warning and "secret" not in warning


def test_a_missing_driver_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with (socket.create_server(("127.0.0.1", 0)) as host,
          pytest.raises(UserError, match=r"'psycopg' is not installed; .*psycopg2-binary")):
        uri = f"postgresql+psycopg://u@127.0.0.1:{host.getsockname()[1]}/runs"
        TrackingStore(uri, Places(tmp_path))


def test_a_server_that_never_answers_does_not_stop_a_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        logger = live_logger(make_project(tmp_path).places, "recurrent")
        logger.log_metrics({"loss": 1.0}, step=1)
    assert "Training goes on" in capsys.readouterr().err


def test_points_wait_until_the_store_is_back(tmp_path, uri, capsys) -> None:
    blocked = tmp_path / "later"
    blocked.write_text("a file where the store's folder will be")
    late = f"sqlite:///{blocked / 'runs.db'}"

    def open_run() -> TrackedRun:
        return TrackingStore(late, Places(tmp_path)).run("asr", "lstm", "v1")

    curve = LiveCurve(late, open_run)
    for point in CURVE[:3]:
        curve.log_metrics({"loss": point["loss"]}, step=point["step"])
    blocked.unlink()
    blocked.mkdir()
    for point in CURVE[3:]:
        curve.log_metrics({"loss": point["loss"]}, step=point["step"])
    assert only_run(late)["points"] == {
        "training/loss": curve_points()["training/loss"]}
    assert capsys.readouterr().err.count("warning") == 1


def test_the_address_comes_from_the_environment_or_is_a_file_of_the_project(
        tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(Places(tmp_path)) == f"sqlite:///{tmp_path / 'mlflow.db'}"
    for uri in ("http://127.0.0.1:5000", "postgresql+psycopg2://u@h/runs"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert tracking_uri(Places(tmp_path)) == uri
    for uri in ("file:///tmp/mlruns", "mlruns"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with pytest.raises(UserError, match="no tracking server or database; use"):
            tracking_uri(Places(tmp_path))


def test_nested_settings_become_names_with_dots() -> None:
    assert flat({"a": 1, "b": {"c": {"d": 2}, "e": [1, 2]}}) == {"a": 1, "b.c.d": 2, "b.e": [1, 2]}


def test_nothing_is_sent_to_mlflow(store) -> None:
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    from mlflow.telemetry import get_telemetry_client

    assert get_telemetry_client() is None
