"""What a run tells while it works: ends of stages, time left, who is at work, winners.

A line a finished stage, with the time that is left; every twenty seconds a line a stage at work,
with the last that it said; and the winner of each leaderboard as soon as the board stands.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.errors import UserError
from pipeline.results.boards import RankedRow, own, ranking
from pipeline.results.divisions import by_division, division_in_words
from pipeline.results.leaderboard import metrics_of
from pipeline.results.markdown import decimal
from pipeline.suite.schema import Suite
from pipeline.workflow.calls import Call
from pipeline.workflow.plan import Plan

_REPORT_SECONDS = 20.0
# So many seconds as expected weigh against what has been measured; else one stage would decide.
_PRIOR_SECONDS = 30.0
_MARGIN = " " * 10


def _say(line: str) -> None:
    print(line, flush=True)


@dataclass
class Progress:
    """Follows the calls of a run; `clock` gives seconds."""

    suite: Suite
    plan: Plan
    jobs: int
    say: Callable[[str], None] = _say
    clock: Callable[[], float] = time.monotonic
    _begun: dict[str, float] = field(default_factory=dict, init=False)
    _took: dict[str, float] = field(default_factory=dict, init=False)
    _reported: float | None = field(default=None, init=False)

    def follow(self, calls: list[Call]) -> None:
        """Take up what the calls have noted since the last time."""
        for call in calls:
            for event, stage in call.events():
                self._take(event, stage)
        now = self.clock()
        if self._reported is None or now - self._reported >= _REPORT_SECONDS:
            if self._reported is not None:
                self._report(calls, now)
            self._reported = now

    def finish(self, call: Call) -> None:
        """Take up the rest of a call that has ended well."""
        for event, stage in call.events():
            self._take(event, stage)
        for stage in call.stages:
            if stage not in self._took:
                self._take("ends", stage)

    def seconds_left(self) -> float:
        """Expected seconds to the end: the longest chain, or all work shared among the jobs.

        Both are scaled by how long the finished stages took, of what was expected of them.
        """
        left = {stage: self._left(stage) for stage in self.plan.waits_for
                if stage not in self._took}
        chains = [self.plan.chain_seconds(stage) - self.plan.expected([stage]) + seconds
                  for stage, seconds in left.items()]
        expected = self.plan.expected(self._took)
        scale = (sum(self._took.values()) + _PRIOR_SECONDS) / (expected + _PRIOR_SECONDS)
        return scale * max(*chains, sum(left.values()) / self.jobs, 0.0, 0.0)

    def _left(self, stage: str) -> float:
        expected = self.plan.expected([stage])
        if stage not in self._begun:
            return expected
        return max(0.0, expected - (self.clock() - self._begun[stage]))

    def _take(self, event: str, stage: str) -> None:
        now = self.clock()
        if event == "begins":
            self._begun[stage] = now
            return
        self._took[stage] = now - self._begun.get(stage, now)
        count, total = len(self._took), len(self.plan.waits_for)
        left = f"  {in_words(self.seconds_left())} left" if count < total else ""
        self.say(f"[{count:3d}/{total}] {stage}  {self._took[stage]:.1f} s{left}")
        kind, _, track = stage.rpartition(":")[2].partition("@")
        if kind == "leaderboard":
            self.say(_MARGIN + winner(self.suite, track))

    def _report(self, calls: list[Call], now: float) -> None:
        for call in calls:
            stage = call.current
            if stage in self._begun:
                self.say(f"{_MARGIN}{stage}  {now - self._begun[stage]:.0f} s  "
                         f"{call.last_line()}".rstrip())


def winner(suite: Suite, track: str) -> str:
    """The best row of a leaderboard and the next, as its file says."""
    board = ranking(suite.places.board(track))
    metric = metrics_of(suite, track).get(board["metric"])
    if metric is None:
        raise UserError(f"{suite.places.board(track)}: no metric {board['metric']!r}; run 'dvc "
                        "repro', which writes it again")
    divisions = by_division(own(board["rows"]))
    if not divisions:
        return f"{track}: no system has been run"
    best = "; ".join(_best(suite, track, division, rows, metric.decimals)
                     for division, rows in divisions.items())
    return f"{track}: best {board['metric']} by {best}"


def _best(suite: Suite, track: str, division: str | None, rows: Sequence[RankedRow],
          decimals: int) -> str:
    """The first of some rows and the next."""
    names = [f"{row['system']} {decimal(row['value'], decimals)}" for row in rows[:2]]
    where = f", {division_in_words(suite.track(track).task)} {division}" if division else ""
    return f"{names[0]}{f' (next: {names[1]})' if names[1:] else ''}{where}"


def in_words(seconds: float) -> str:
    """A time that is only roughly known."""
    if seconds < 90:
        return f"about {max(10, round(seconds, -1)):.0f} s"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"
