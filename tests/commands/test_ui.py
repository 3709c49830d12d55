"""`unrolled ui`: addresses that show runs, a store that nobody sees in a list of processes."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.suite.schema import Suite
from pipeline.tracking import ui
from pipeline.tracking.publish import Gap, Outcome, account, publish
from pipeline.tracking.ui import addresses, command, environment, gaps, serve
from tests.conftest import ROOT
from tests.tracked_project import empty_store, evaluate, free_port, make_project, train
from tests.workflow.tiny_stages import MARK, left_after, marked

PATIENCE_SECONDS = 300


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """A project whose systems are not trained."""
    return make_project(tmp_path)


@pytest.fixture
def uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    address = empty_store(tmp_path / "runs.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    return address


def trained(suite: Suite) -> Suite:
    for key in suite.systems:
        train(suite, key)
        evaluate(suite, key)
    return suite


@pytest.fixture
def served(tmp_path: Path, suite: Suite, uri: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command at work on a trained project, and its port."""
    trained(suite)
    port = free_port()
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "ui", "--no-browser", "--port", str(port), "--suite",
         str(tmp_path / "params.yaml")],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"PYTHONPATH": path, MARK: str(tmp_path)})
    yield process, port
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    # MLflow has started a server, its workers and its queues, some in sessions of their own.
    assert left_after(str(tmp_path), PATIENCE_SECONDS) == []


def test_a_terminated_command_leaves_nothing_of_mlflow(
        served: tuple[subprocess.Popen[str], int], tmp_path: Path) -> None:
    process, port = served
    _asked(port, "experiments/search", {"max_results": 1})
    assert len(marked(str(tmp_path))) > 3
    process.terminate()
    assert process.wait(PATIENCE_SECONDS) == 143
    assert left_after(str(tmp_path), 2.0) == []


def test_the_printed_addresses_lead_to_the_runs(served: tuple[subprocess.Popen[str], int],
                                                uri: str) -> None:
    process, port = served
    assert process.stdout is not None
    printed = [process.stdout.readline() for _ in range(2)]
    assert f"MLflow at http://127.0.0.1:{port}" in printed[0]
    track, address = printed[1].split()
    assert track == "reading"
    page, _, query = address.partition("?")
    assert query == "workflowType=machine_learning&viewStateShareKey=scores"
    found = re.fullmatch(rf"http://127\.0\.0\.1:{port}/#/experiments/(\d+)/runs", page)
    assert found is not None
    found = _asked(port, "runs/search", {"experiment_ids": [found[1]]})
    assert sorted(run["info"]["run_name"] for run in found["runs"]) == ["counting", "recurrent"]
    (server,) = [path for path in Path("/proc").glob("[0-9]*")
                 if _parent(path) == process.pid]
    assert uri.encode() not in (server / "cmdline").read_bytes()
    assert f"MLFLOW_BACKEND_STORE_URI={uri}".encode() in (server / "environ").read_bytes()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(PATIENCE_SECONDS) == 0


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _asked(port: int, what: str, body: dict[str, object]) -> dict[str, list[dict]]:
    """The server's answer, once it answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/2.0/mlflow/{what}", json.dumps(body).encode(),
        {"Content-Type": "application/json"})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return json.load(urllib.request.urlopen(request))
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_nothing_trained_is_one_line_that_says_what_brings_it(suite: Suite, uri: str) -> None:
    (line,) = gaps(suite, publish(suite))
    assert line.startswith("nothing to compare: none of 2 systems is trained here")
    assert "'unrolled repro'" in line and "'dvc pull'" in line


def test_a_clone_without_models_is_told_in_one_line_too(tmp_path: Path, suite: Suite,
                                                        uri: str) -> None:
    trained(suite)
    for folder in ("models", "figures", "predictions"):
        (tmp_path / folder).rename(tmp_path / f"{folder}-away")
    outcome = publish(suite)
    (line,) = gaps(suite, outcome)
    assert line.startswith("2 of 2 systems have runs; something is not here of 2 ")
    told = list(account(suite, outcome))
    assert any("of recurrent, counting: its learning curve" in entry for entry in told)
    assert len(told) <= 5
    for folder in ("models", "figures", "predictions"):
        (tmp_path / f"{folder}-away").rename(tmp_path / folder)
    assert list(gaps(suite, publish(suite))) == []


def test_what_many_systems_lack_is_counted(suite: Suite) -> None:
    outcome = Outcome(missing=[Gap(f"s{number}", "its figures") for number in range(290)])
    assert list(account(suite, outcome))[1:] == ["  not published of 290 systems: its figures"]


def test_a_browser_shows_the_runs_with_their_scores(
        served: tuple[subprocess.Popen[str], int], tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("PAGE NOT LOOKED AT: no Chromium is installed")
    process, port = served
    assert process.stdout is not None
    process.stdout.readline()
    _, address = process.stdout.readline().split()
    _asked(port, "experiments/search", {"max_results": 1})
    wanted = {"recurrent", "counting", "test_wer", "test_wer/low", "usage/train_seconds", "12.5"}
    words: set[str] = set()
    # On a busy machine the page may not have its data when its time is up.
    for milliseconds in (20_000, 60_000, 180_000):
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                   "--disable-quic", "--disable-background-networking",
                   "--disable-component-update", "--disable-sync", "--window-size=1800,900",
                   f"--user-data-dir={tmp_path / 'browser'}",
                   f"--virtual-time-budget={milliseconds}", "--dump-dom"]
        page = subprocess.run([browser, *options, address], capture_output=True, text=True).stdout
        words = set(re.sub("<[^>]+>", " ", page).split())
        if wanted <= words:
            break
    assert wanted <= words


def test_the_stores_password_is_in_no_argument_and_no_line() -> None:
    uri = "postgresql+psycopg2://user:secret@host/runs"
    assert "secret" not in " ".join(command(5000))
    assert environment(uri, {"HOME": "/h"})["MLFLOW_BACKEND_STORE_URI"] == uri
    shown = list(addresses("https://user:secret@host/", Outcome(experiments={"asr": "7"})))
    assert shown == ["  asr  https://user:***@host/#/experiments/7/runs"
                     "?workflowType=machine_learning&viewStateShareKey=scores"]


def test_a_port_that_is_taken_is_named(suite: Suite, uri: str) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} cannot be used .*--port"):
            serve(suite, port, browser=False)


def test_only_a_browser_with_windows_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    class Windows(ui.webbrowser.BaseBrowser):
        def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
            opened.append(url)
            return True

    for browser in (Windows(), ui.webbrowser.GenericBrowser("lynx")):
        monkeypatch.setattr(ui.webbrowser, "get", lambda browser=browser: browser)
        ui._open("http://127.0.0.1/")
    assert opened == ["http://127.0.0.1/"]
