"""What a run tells: time left, who is at work, winners."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.storage.files import write_json
from pipeline.suite.schema import Suite, load
from pipeline.workflow.plan import Plan
from pipeline.workflow.progress import Progress, in_words, winner


class ScriptedCall:
    """A call whose events are given by hand."""

    def __init__(self, *stages: str) -> None:
        self.stages = list(stages)
        self.current = stages[0]
        self.noted: list[tuple[str, str]] = []

    def events(self) -> Iterator[tuple[str, str]]:
        while self.noted:
            event, stage = self.noted.pop(0)
            self.current = stage
            yield event, stage

    def last_line(self) -> str:
        return "epoch 2/9"


class Run:
    """A run with a clock that is set by hand."""

    def __init__(self, suite: Suite, waits_for: dict[str, set[str]], jobs: int,
                 seconds: float = 99.0) -> None:
        self.now, self.said = 0.0, []
        plan = Plan(waits_for, dict.fromkeys(waits_for, seconds))
        self.progress = Progress(suite, plan, jobs, self.said.append, lambda: self.now)


@pytest.fixture
def suite(root: Path, tmp_path: Path) -> Suite:
    return load(root / "params.yaml").placed(tmp_path)


def test_work_is_shared_among_jobs_but_a_chain_is_not(suite: Suite) -> None:
    free = {"a": set(), "b": set(), "c": set(), "d": set()}
    assert Run(suite, free, 2).progress.seconds_left() == 200.0
    chain = {"a": set(), "b": {"a"}, "c": {"b"}, "d": {"c"}}
    assert Run(suite, chain, 2).progress.seconds_left() == 400.0


def test_what_is_left_scales_with_what_was_measured(suite: Suite) -> None:
    run = Run(suite, {"a": set(), "b": set()}, 1)
    call = ScriptedCall("a")
    call.noted = [("begins", "a")]
    run.progress.follow([call])
    run.now = 50.0
    assert run.progress.seconds_left() == 150.0  # half of the first stage is over
    run.now = 230.0
    call.noted = [("ends", "a")]
    run.progress.follow([call])
    # 230 s instead of 100, and 30 s as expected: what is left takes twice as long.
    assert run.progress.seconds_left() == 200.0


def test_a_finished_stage_and_the_one_at_work_have_a_line_each(suite: Suite) -> None:
    run = Run(suite, {"a": set(), "b": set()}, 1)
    call = ScriptedCall("a", "b")
    call.noted = [("begins", "a")]
    run.progress.follow([call])
    run.now = 10.0
    call.noted = [("ends", "a"), ("begins", "b")]
    run.progress.follow([call])
    assert len(run.said) == 1 and run.said[0].startswith("[  1/2] a  10.0 s  about ")
    run.now = 25.0
    run.progress.follow([call])
    run.progress.follow([call])
    assert [line.strip() for line in run.said[1:]] == ["b  15 s  epoch 2/9"]
    run.progress.finish(call)
    assert run.said[2] == "[  2/2] b  15.0 s"


def board(*values: float) -> dict:
    rows = [{"system": f"system-{n}", "value": value, "evidence": {"kind": "ci"}}
            for n, value in enumerate(values)]
    paper = {"system": "theirs", "value": 100.0, "evidence": {"kind": "published"}}
    return {"track": "addition", "metric": "exact_64", "rows": [paper, *rows]}


def test_a_board_that_stands_names_its_winner_at_once(suite: Suite) -> None:
    write_json(suite.places.board("addition"), board(99.123, 60.5))
    stage = suite.address("leaderboard", "addition")
    run = Run(suite, {stage: set()}, 1)
    run.progress.finish(ScriptedCall(stage))
    assert run.said[1].strip() == "addition: best exact_64 by system-0 99.12 (next: system-1 60.50)"


def test_a_board_of_one_row_or_none_is_no_error(suite: Suite) -> None:
    write_json(suite.places.board("addition"), board(99.0))
    assert winner(suite, "addition") == "addition: best exact_64 by system-0 99.00"
    write_json(suite.places.board("addition"), board())
    assert winner(suite, "addition") == "addition: no system has been run"


@pytest.mark.parametrize("seconds, words", [
    (1.0, "about 10 s"), (42.0, "about 40 s"), (100.0, "about 2 min"), (3000.0, "about 50 min"),
    (9000.0, "about 2.5 h")])
def test_times_are_told_roughly(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
