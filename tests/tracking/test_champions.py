"""The winner of a track as a registered model: when there is one, and what it answers over HTTP."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.main import run
from pipeline.provenance.inputs import version_of
from pipeline.provenance.lock import folder_hash
from pipeline.storage.files import write_json, write_text
from pipeline.suite.schema import Suite
from pipeline.tasks.tagging.systems.most_frequent import MostFrequentTag, Settings
from pipeline.tracking.champions import model_name
from pipeline.tracking.publish import Outcome, publish, winners
from tests.tracked_project import (
    MODULES,
    ROOT,
    SUITE,
    evaluate,
    free_port,
    lock,
    make_project,
    md5,
    save_suite,
    tracking_server,
    train,
    wait_for,
)

TRACK = "tagging"
KEYS = ("first", "second")
# Each knows the word 'dog' by another tag.
TAGS = {"first": "NN", "second": "VB"}


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Two taggers that are trained, evaluated and ranked, the first one first."""
    for name, source in MODULES.items():
        write_text(tmp_path / name.replace("reading", TRACK), source)
    write_text(tmp_path / f"pipeline/tasks/{TRACK}/systems/most_frequent.py", "")
    write_text(tmp_path / f"features/{TRACK}/fit/spec.json", "{}\n")
    track = {"title": "Tags of words", "task": TRACK, "corpus": "text", "metric": "wer",
             "features": {}}
    found = save_suite(tmp_path, {
        "root": ".", "suite": "", **SUITE, "tracks": {TRACK: track},
        "systems": {key: {"track": TRACK, "model": "most_frequent", "settings_tried": number}
                    for number, key in enumerate(KEYS, start=1)}})
    for key in KEYS:
        trained(found, key, TAGS[key])
    ranked(found, *KEYS)
    return found


def trained(suite: Suite, key: str, tag: str) -> None:
    train(suite, key)
    places, model = suite.places, suite.places.model(key)
    MostFrequentTag(Settings(track=TRACK, model="most_frequent"),
                    {"forms": ["dog"], "counts": [1], "tags": [tag]}).save(model)
    inputs = places.input("train", key)
    lock(suite, f"train@{key}",
         {places.fit(TRACK): version_of(places, key).data, inputs: md5(inputs)},
         {model: folder_hash(model)})
    evaluate(suite, key)


def ranked(suite: Suite, *rows: str) -> None:
    board = suite.places.board(TRACK)
    write_json(board, {"metric": "wer", "better": "lower", "rows": [
        {"system": row, "value": 10.0 + number, "evidence": {"kind": kind}}
        for number, (row, kind) in enumerate([("A paper", "published"),
                                              *((row, "ci") for row in rows)])]})
    lock(suite, f"leaderboard@{TRACK}", {}, {board: md5(board)})


def champion(uri: str) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri).get_model_version_by_alias(
        TRACK, "champion")


def leads(uri: str) -> tuple[str, int]:
    """Row and version of the champion; a server says its number as text, a database as number."""
    found = champion(uri)
    return found.tags["row"], int(found.version)


def versions(uri: str) -> int:
    from mlflow.tracking import MlflowClient

    return len(MlflowClient(tracking_uri=uri, registry_uri=uri).search_model_versions(
        f"name = '{TRACK}'"))


def test_the_first_own_row_is_registered_once(suite: Suite, uri: str) -> None:
    for _ in range(2):
        assert publish(suite).champions == {TRACK: None}
        found = champion(uri)
        assert (int(found.version), found.tags["row"], versions(uri)) == (1, "first", 1)
        assert found.tags["dvc.model"] == folder_hash(suite.places.model("first"))


def test_the_alias_goes_with_the_lead_and_comes_back(suite: Suite, uri: str) -> None:
    publish(suite)
    ranked(suite, "second", "first")
    publish(suite)
    assert leads(uri) == ("second", 2)
    ranked(suite, "first", "second")
    publish(suite)
    assert (*leads(uri), versions(uri)) == ("first", 1, 2)


def test_another_training_of_the_winner_is_another_version(suite: Suite, uri: str) -> None:
    publish(suite)
    trained(suite, "first", "UH")
    publish(suite)
    assert (*leads(uri), versions(uri)) == ("first", 2, 2)


def _no_model(suite: Suite) -> None:
    model = suite.places.model("first")
    model.rename(model.with_name("away"))


def _altered_model(suite: Suite) -> None:
    write_json(suite.places.model("first") / "texts.json", {"more": 1})


def _altered_board(suite: Suite) -> None:
    write_text(suite.places.board(TRACK),
               suite.places.board(TRACK).read_text().replace("first", "second"))


def _removed_row(suite: Suite) -> None:
    ranked(suite, "third", "first")


def _altered_scores(suite: Suite) -> None:
    path = suite.places.metrics(TRACK, "first")
    write_text(path, path.read_text().replace("10.0", "9.0"))


@pytest.mark.parametrize(("change", "reason"), [
    (_no_model, "the first row's model is not here"),
    (_altered_model, "models/first is not the one that dvc.lock names"),
    (_altered_board, "its leaderboard is not the one that dvc.lock names"),
    (_removed_row, "its first row, third, is no longer in params.yaml"),
    (_altered_scores, "scores of the first row, first, are not published")])
def test_what_dvc_lock_does_not_vouch_for_is_not_registered(
        suite: Suite, uri: str, change: Any, reason: str) -> None:
    change(suite)
    outcome = publish(suite)
    assert (outcome.champions[TRACK] or "").startswith(reason)
    assert versions(uri) == 0
    (line,) = winners(outcome)
    assert reason in line


def test_a_clone_is_told_once_that_it_has_no_models() -> None:
    missing = Outcome(champions=dict.fromkeys("abcd", "the first row's model is not here"))
    assert list(winners(missing)) == ["the first rows of 0 of 4 boards are registered as models; "
                                      "not of 4 tracks: the first row's model is not here"]
    assert list(winners(Outcome())) == []


def test_a_registered_model_has_no_pickle_and_names_no_package_of_ours(
        suite: Suite, uri: str, tmp_path: Path) -> None:
    publish(suite)
    (place,) = (tmp_path / "mlartifacts").rglob("champion")
    files = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    model = {f"artifacts/first/{name}" for name in (
        "record.json", "seal.json", "system.json", "texts.json", "weights.safetensors")}
    assert files == model | {"MLmodel", "champion_model.py", "conda.yaml", "python_env.yaml",
                             "requirements.txt"}
    # A package index may have another project of that name.
    assert "unrolled" not in (place / "requirements.txt").read_text().casefold()


def test_a_suites_folder_becomes_a_dot(tmp_path: Path) -> None:
    assert model_name(make_project(tmp_path, "real/"), "reading") == "real.reading"


def test_a_server_keeps_the_champion_and_gives_it_back(
        suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.artifacts import download_artifacts

    folder = tmp_path / "server"
    folder.mkdir()
    with tracking_server(folder) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        for _ in range(2):
            assert publish(suite).champions == {TRACK: None}
            assert (*leads(uri), versions(uri)) == ("first", 1, 1)
        place = download_artifacts(f"models:/{TRACK}@champion", tracking_uri=uri,
                                   registry_uri=uri, dst_path=str(tmp_path / "given"))
    assert folder_hash(Path(place) / "artifacts/first") == folder_hash(
        suite.places.model("first"))


def test_every_task_says_what_a_request_holds() -> None:
    def columns(task: str) -> dict[str, tuple[str, bool]]:
        # MLflow is imported behind the store, which tells it first to send nothing.
        from pipeline.tracking.serving import signature

        return {one.name: (one.type.name, one.required) for one in signature(task).inputs}

    name = {"name": ("string", False)}
    assert columns("tagging") == columns("forecast") == {"text": ("string", True)} | name
    assert columns("asr") == columns("caption") == {"content": ("binary", True)} | name
    assert columns("alignment") == {"content": ("binary", True), "text": ("string", True)} | name


@contextmanager
def served(uri: str, folder: Path) -> Iterator[str]:
    """`mlflow models serve` as the README shows it, of this track; yields its address."""
    (line,) = re.findall(r"^mlflow models serve .*$", (ROOT / "README.md").read_text("utf-8"),
                         re.MULTILINE)
    port = free_port()
    words = line.partition(" #")[0].split()
    words[words.index("--model-uri") + 1] = f"models:/{TRACK}@champion"
    words[words.index("--port") + 1] = str(port)
    with (folder / "served.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], stdout=log, stderr=log, cwd=folder,
            start_new_session=True,
            env=os.environ | {"MLFLOW_TRACKING_URI": uri, "PYTHONPATH": str(ROOT),
                              "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                              "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"})
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, folder / "served.log")
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def asked(address: str, body: str) -> tuple[int, Any]:
    request = urllib.request.Request(address, body.encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def rows(*found: dict[str, Any]) -> str:
    return json.dumps({"dataframe_records": found})


def test_the_champion_answers_over_http_what_predict_answers(
        suite: Suite, uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(suite)
    (tmp_path / "mine.txt").write_text("dog dog\n")
    run(["predict", str(suite.places.model("first")), str(tmp_path / "mine.txt"),
         "--format", "json"])
    printed = json.loads(capsys.readouterr().out)
    with served(uri, tmp_path) as address:
        status, answer = asked(address, rows({"text": "dog dog\n", "name": "mine.txt"},
                                             {"text": "dog"}))
        assert status == 200
        first, second = answer["predictions"]
        assert first == printed | {"file": "mine.txt"} and first["tags"] == "NN NN"
        assert (second["file"], second["tags"]) == ("row 2.txt", "NN")
        # What the README sends to another model fits every one that reads text.
        (shown,) = re.findall(r"^curl .*/invocations .* -d '(.*)'$",
                              (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
        assert asked(address, shown)[0] == 200
        for body, said in [
                (rows({"text": " "}), "row 1: 'text' holds no text; give text, a sentence a line"),
                (rows({"text": 5}), "row 1: 'text' holds no text"),
                (rows({"txt": "dog"}), "Model is missing inputs ['text']"),
                (rows({"text": "dog", "name": "../x.wav"}), "does not end in .txt or .conllu"),
                (rows({"text": "1\tdog\n", "name": "a.conllu"}), "a.conllu"),
                ('{"dataframe_split": {"columns": ["text"], "data": []}}', "has no row"),
                (rows(*[{"text": "dog"}] * 1001), "send 1000 at most"),
                ("{", "valid JSON")]:
            status, answer = asked(address, body)
            assert (status, said in answer["message"]) == (400, True), answer
            assert "Traceback" not in json.dumps(answer) and "stack_trace" not in answer
