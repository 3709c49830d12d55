"""A suite as a whole: the best of each track, claims by lecture, studies, what is not run yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UserError
from pipeline.results.boards import Board, own
from pipeline.results.claim_pages import how_to_read_claims
from pipeline.results.divisions import by_division, division_in_words
from pipeline.results.leaderboard import metrics_of
from pipeline.results.markdown import decimal
from pipeline.results.studies import Study, read_study, shown
from pipeline.running.trained import suite_option
from pipeline.site import charts
from pipeline.site.addresses import row_anchor
from pipeline.site.agreeing import read_board
from pipeline.site.code import Library
from pipeline.site.lectures import Lecture, counts_in_words, lectures_of
from pipeline.suite.schema import Suite


@dataclass(frozen=True)
class Standing:
    """A line of the table of a suite's tracks: the best of a track, or of one of its divisions."""

    track: str
    title: str
    division: str
    metric: str
    preference: str
    row: str | None
    anchor: str
    score: str
    interval: str
    runner_up: str
    runner_up_score: str
    ceiling: str


@dataclass(frozen=True)
class Described:
    """A suite as its pages show it; `charted` are its studies with a chart of each."""

    suite: Suite
    boards: Mapping[str, Board]
    standings: Sequence[Standing]
    lectures: Sequence[Lecture]
    charted: Sequence[tuple[Study, Mapping[str, Any]]]
    not_run: Sequence[str]

    @property
    def name(self) -> str:
        return self.suite.name

    @property
    def folder(self) -> str:
        return f"{self.name}/"

    @property
    def option(self) -> str:
        return suite_option(self.suite)

    @property
    def verdicts(self) -> str:
        return counts_in_words(self.lectures)

    @property
    def reading(self) -> str:
        """How to read claims, as Markdown."""
        return "\n".join(how_to_read_claims([shown.claim for lecture in self.lectures
                                             for shown in lecture.claims]))


def described(suite: Suite, library: Library) -> Described:
    """Raises UserError for a suite without leaderboards, or with a damaged file."""
    found = {track: read_board(suite, track) for track in suite.tracks}
    boards = {track: board for track, board in found.items() if board is not None}
    if not boards:
        raise UserError(f"suite {suite.name!r} has no leaderboard in {suite.places.leaderboards}; "
                        f"'unrolled repro{suite_option(suite)}' trains its systems and writes them")
    return Described(
        suite=suite, boards=boards,
        standings=[line for board in boards.values() for line in _standings(suite, board)],
        lectures=lectures_of(suite, library), charted=list(_studies(suite)),
        not_run=[track for track, board in found.items() if board is None])


def _standings(suite: Suite, board: Board) -> Iterator[Standing]:
    metric = metrics_of(suite, board["track"])[board["metric"]]
    words = division_in_words(board["task"])
    for division, rows in (by_division(own(board["rows"])) or {None: []}).items():
        first, second = [*rows[:2], None, None][:2]
        low = first["low"] if first else None
        yield Standing(
            track=board["track"], title=suite.track(board["track"]).title,
            division=f"{words} {division}" if words and division else "",
            metric=board["metric"], preference=metric.preference,
            row=first["system"] if first else None,
            anchor=row_anchor(first["system"]) if first else "",
            score=decimal(first["value"] if first else None, metric.decimals),
            interval="–" if first is None or low is None else
            f"{decimal(low, metric.decimals)} to {decimal(first['high'], metric.decimals)}",
            runner_up=second["system"] if second else "–",
            runner_up_score=decimal(second["value"] if second else None, metric.decimals),
            ceiling=decimal(board["ceiling"], metric.decimals))


def _studies(suite: Suite) -> Iterator[tuple[Study, Mapping[str, Any]]]:
    for path in sorted(suite.places.studies.glob("*/*.json")):
        study = read_study(path)
        points = study["points"]
        scores = {answer: [point["scores"][answer] for point in points]
                  for answer in points[0]["scores"]}
        yield study, charts.study([shown(point["value"]) for point in points], scores,
                                  study["setting"], study["measure"])
