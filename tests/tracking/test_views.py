"""MLflow's pages in a real browser: what a person sees of a track, of its runs and of its winner.

They are pages of another project, so this is where a new version of it that keeps views in another
form is noticed.
"""

import json
import os
import shutil
import struct
import subprocess
import time
import wave
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.storage.files import write_bytes, write_json, write_text
from pipeline.suite.schema import Suite
from pipeline.tracking.publish import publish
from pipeline.tracking.ui import command, environment, runs_page
from pipeline.tracking.views import description, state
from tests.site.browser import Browser, browser
from tests.tracked_project import (
    empty_store,
    evaluate,
    free_port,
    lock,
    make_project,
    md5,
    train,
    wait_for,
)

PATIENCE_SECONDS = 300.0  # on a busy machine
MEASURED = "Track `reading`, corpus `text`.\n**wer**: words that are wrong; lower is better."


def finished(root: Path) -> Suite:
    """Two systems with a leaderboard, one with a picture and a sound."""
    suite = make_project(root)
    for key, wer in (("recurrent", 10.0), ("counting", 8.0)):
        train(suite, key)
        evaluate(suite, key, wer)
    figures = suite.places.figures("reading", "recurrent")
    write_bytes(figures / "square.png", _square())
    with wave.open(str(figures / "tone.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0\x20" * 800)
    board = suite.places.board("reading")
    write_json(board, {"metric": "wer", "better": "lower", "rows": []})
    lock(suite, "leaderboard@reading", {}, {board: md5(board)})
    write_text(suite.places.page("reading"), f"# Reading\n\n{MEASURED}\n\n| rank |\n")
    return suite


def _square() -> bytes:
    """A black PNG of 40 by 40 pixels."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 40, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0" * 41 * 40)) + chunk(b"IEND", b""))


def test_an_experiment_says_what_it_is_and_how_to_read_it(tmp_path: Path) -> None:
    text = description(finished(tmp_path), "reading")
    assert text.startswith("**Reading**: `test_wer`, lower is better.")
    for said in (MEASURED, "`leaderboards/reading.md`", "`test_wer/low`", "*Compare*",
                 "`models:/reading@champion`"):
        assert said in text
    assert "| rank |" not in text


def test_before_there_is_a_leaderboard_it_says_what_is_known(tmp_path: Path) -> None:
    text = description(make_project(tmp_path), "reading")
    assert text.startswith("**Reading**: `test_wer`.") and "corpus `text`" in text


@pytest.mark.parametrize(("better", "ascending"), [("lower", True), ("higher", False)])
def test_the_best_run_stands_first(tmp_path: Path, better: str, ascending: bool) -> None:
    suite = make_project(tmp_path)
    write_json(suite.places.board("reading"), {"better": better})
    view = state(suite, "reading")
    assert (view["orderByKey"], view["orderByAsc"]) == ("metrics.`test_wer`", ascending)


def test_every_chart_stands_in_a_section_that_is_there(tmp_path: Path) -> None:
    view = state(make_project(tmp_path), "reading")
    sections = {section["uuid"] for section in view["compareRunSections"]}
    charts = [chart["uuid"] for chart in view["compareRunCharts"]]
    assert {chart["metricSectionId"] for chart in view["compareRunCharts"]} <= sections
    assert len(set(charts)) == len(charts)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str, str, str]]:
    """A browser, MLflow's address, and its names of the experiment and of the network's run."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("PAGES NOT LOOKED AT: no Chromium is installed")
    folder = tmp_path_factory.mktemp("project")
    uri = empty_store(folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        experiment = publish(finished(folder)).experiments["reading"]
    from mlflow.tracking import MlflowClient

    (run,) = MlflowClient(tracking_uri=uri).search_runs([experiment], "params.model = 'recurrent'")
    port = free_port()
    with (folder / "mlflow.log").open("wb") as log:
        server = subprocess.Popen(
            [*command(port), "--workers", "1"], stdout=log, stderr=log, cwd=folder,
            start_new_session=True,
            env=environment(uri, os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}))
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server, folder / "mlflow.log")
        with browser(program, folder / "browser") as found:
            found.call("Emulation.setDeviceMetricsOverride", width=2000, height=2400,
                       deviceScaleFactor=1, mobile=False)
            yield found, f"http://127.0.0.1:{port}", experiment, run.info.run_id
    finally:
        os.killpg(server.pid, 9)
        server.wait()


def shows(page: Browser, address: str, *words: str) -> None:
    """Open an address, and wait until the page shows all the words."""
    page.call("Page.navigate", url="about:blank")
    page.call("Page.navigate", url=address)
    missing = (f"{json.dumps(words)}.filter(word => !(document.body ? document.body.innerText : '')"
               ".replace(/\\s+/g, ' ').includes(word)).join('; ')")
    waits(page, f"{missing} === ''", missing)


def waits(page: Browser, script: str, lacks: str = "''") -> None:
    """Until an expression is true; what MLflow's pages warn of is not this project's."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not page.ask(script):
        assert time.monotonic() < deadline, f"{script} is not so; missing: {page.ask(lacks)}"
        time.sleep(0.2)


def test_the_table_that_opens_has_scores_in_columns(
        page: tuple[Browser, str, str, str]) -> None:
    found, base, experiment, _ = page
    shows(found, runs_page(base, experiment), "Reading: test_wer, lower is better.",
          "test_wer/low", "usage/train_seconds", "12.5", "recurrent", "counting")
    rows = "[...document.querySelectorAll('[col-id*=\"test_wer`\"]')].map(one => one.innerText)"
    assert [text for text in found.ask(rows) if text.strip()][-2:] == ["8", "10"]


def test_the_charts_are_scores_curves_and_the_settings_that_differ(
        page: tuple[Browser, str, str, str]) -> None:
    found, base, experiment, _ = page
    shows(found, f"{runs_page(base, experiment)}&compareRunsMode=CHART", "Scores (3)",
          "Learning curves (2)", "Settings that differ (1)", "Show differences only", "usage (6)")
    waits(found, "/\\bmodel\\b/.test(document.body.innerText)")
    text = " ".join(found.ask("document.body.innerText").split())
    scores, _, rest = text.partition("Learning curves (2)")
    curves, _, settings = rest.partition("Settings that differ (1)")
    assert "test_wer/low" in scores and "training/validation_loss" in curves
    settings = settings.partition("usage (6)")[0].split()
    # Each system is of its own model; both have their number of threads from the suite.
    assert "model" in settings and "run.threads" not in settings


def test_a_comparison_of_runs_has_scores_and_settings(page: tuple[Browser, str, str, str]) -> None:
    found, base, experiment, run = page
    other = found.ask(f"""fetch('{base}/ajax-api/2.0/mlflow/runs/search', {{method: 'POST',
        headers: {{'Content-Type': 'application/json'}},
        body: JSON.stringify({{experiment_ids: ['{experiment}']}})}}).then(got => got.json())
        .then(got => got.runs.map(one => one.info.run_id).find(one => one != '{run}'))""")
    shows(found, f'{base}/#/compare-runs?runs=["{run}","{other}"]&experiments=["{experiment}"]',
          "Show diff only", "test_wer", "training.epochs", "order")


def test_a_runs_page_shows_pictures_and_has_sounds_and_answers(
        page: tuple[Browser, str, str, str]) -> None:
    found, base, experiment, run = page
    address = f"{base}/#/experiments/{experiment}/runs/{run}"
    shows(found, address, "recurrent:greedy: wer 10 (9 to 11)", "figures/tone.wav",
          "samples/greedy.json")
    waits(found, "[...document.querySelectorAll('img')].some("
                 "one => one.src.includes('square.png') && one.naturalWidth == 40)")
    shows(found, f"{address}/artifacts/figures/tone.wav", "tone.wav")
    # The player keeps its parts in a shadow tree.
    waits(found, "[...document.querySelectorAll('*')].some(one => one.tagName == 'AUDIO' || "
                 "!!(one.shadowRoot && one.shadowRoot.querySelector('audio')))")
    shows(found, f"{address}/artifacts/samples/greedy.json", "größe 0")
