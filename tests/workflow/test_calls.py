"""A call as the runner sees it: what its files say about how far it is."""

import subprocess
import sys
from pathlib import Path

from pipeline.workflow.calls import Call


def call(folder: Path, log: str = "", progress: str = "") -> Call:
    (folder / "log").write_text(log)
    (folder / "progress").write_text(progress)
    process = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    process.wait()
    return Call(["a", "b"], process, folder / "log", folder / "progress")


def test_each_event_is_given_once_and_a_half_written_one_later(tmp_path: Path) -> None:
    found = call(tmp_path, progress="begins a\nends a\nbeg")
    assert found.events() == [("begins", "a"), ("ends", "a")]
    assert found.events() == []
    with found.progress.open("a") as file:
        file.write("ins b\n")
    assert found.events() == [("begins", "b")]


def test_the_stage_that_began_last_is_at_work(tmp_path: Path) -> None:
    found = call(tmp_path, progress="begins a\nends a\nbegins b\n")
    assert found.current == "a"
    found.events()
    assert found.current == "b"


def test_the_last_line_is_that_of_the_stage_at_work(tmp_path: Path) -> None:
    log = "> python -m stages.x p a\nepoch 3/3\n\nRunning stage 'b':\n> python -m stages.x p b\n"
    assert call(tmp_path, log).last_line() == ""
    assert call(tmp_path, f"{log}epoch 1/9\n\n").last_line() == "epoch 1/9"


def test_a_failure_names_the_stage_and_the_reason(tmp_path: Path) -> None:
    found = call(tmp_path, "the reason", "begins a\nends a\nbegins b\n")
    found.events()
    assert found.failure().startswith("b failed")
    assert "the reason" in found.failure() and str(found.log) in found.failure()
