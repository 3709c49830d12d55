"""The JSON of leaderboards and of claims, as those who read it back know it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NotRequired, TypeVar

# On Python 3.11 pydantic reads these alone.
from typing_extensions import TypedDict

from pipeline.scoring.records import Count, Number, Score
from pipeline.storage.shapes import read_shaped

AnyRow = TypeVar("AnyRow", bound=Mapping[str, Any])
# The ends of a score's interval.
BOUNDS: tuple[Literal["low", "high"], ...] = ("low", "high")
_AGAIN = "run 'dvc repro', which writes it again"


class Evidence(TypedDict):
    """What stands behind a row: CI, one run with what is known of it, or a publication.

    A row is `stale` when code or settings have changed since; `wall_time` is in seconds, training
    and test together.
    """

    kind: Literal["ci", "run", "published"]
    source: NotRequired[str]
    stale: NotRequired[bool]
    commit: NotRequired[str | None]
    uncommitted_changes: NotRequired[bool]
    processor: NotRequired[str | None]
    precision: NotRequired[str | None]
    wall_time: NotRequired[Number | None]


class PublishedFigure(TypedDict):
    """A score from the literature."""

    value: Number
    source: str


class StatedScore(TypedDict):
    """A row's score; one that was published comes without an interval."""

    value: Number
    low: Number | None
    high: Number | None


class Seeds(TypedDict):
    """The primary scores of a row's trainings, the committed one first.

    `mean` is None for a single training, `deviation` (standard, of the sample) too.
    """

    scores: list[Number]
    mean: Number | None
    deviation: Number | None


class KnownScore(TypedDict):
    """What a row scored on its test set, and the version of it that first did."""

    metric: str
    value: Number
    version: str


class Row(StatedScore):
    """A row and its primary score; of a published figure little else is known.

    `rank` is one more than the number of rows that are significantly better, so rows share it;
    None of a published figure and where nothing is ranked. `seeds` is None of a row that comes out
    the same from every seed, `converged` and `precision` of one that no gradient has trained.
    `tests` has every score that is known of it, in order.
    `replaced` counts the test items that another method than the row's own has answered, by method.
    `division` is the part of the track in which the row is ranked, None of a published figure; rows
    of a track without divisions do not have it.
    """

    system: str
    rank: Count | None
    seeds: Seeds | None
    converged: bool | None
    precision: str | None
    tests: list[KnownScore]
    metrics: Mapping[str, Score | StatedScore]
    n_items: Count | None
    clusters: Count | None
    parameters: Count | None
    signature: str | None
    settings_tried: Count | None
    evidence: Evidence
    published: PublishedFigure | None
    replaced: NotRequired[dict[str, int]]
    division: NotRequired[str | None]


class Board(TypedDict):
    """A track's leaderboard, best row first.

    `not_ranked` says why no row has a rank, `pictures` names those that stand beside the page.
    """

    track: str
    task: str
    corpus: str
    suite: str
    metric: str
    better: Literal["lower", "higher", "nearer"]
    ceiling: Number | None
    floor: Number | None
    rows: list[Row]
    not_ranked: str | None
    pictures: list[str]
    not_run: list[str]


class Preference(TypedDict):
    """What those read of a leaderboard who order rows by its metric."""

    better: Literal["lower", "higher", "nearer"]


class Support(TypedDict):
    """What kind of evidence a row has."""

    kind: Literal["ci", "run", "published"]


class RankedRow(TypedDict):
    """A row's name and score, and its division where its track has any."""

    system: str
    value: Number
    evidence: Support
    division: NotRequired[str | None]


class Ranking(TypedDict):
    """What those read of a leaderboard who name its best rows."""

    metric: str
    rows: list[RankedRow]


class Shown(TypedDict):
    """What those read of a leaderboard who look for its pictures."""

    pictures: list[str]


def shown_pictures(path: Path) -> list[str]:
    """The pictures that a leaderboard names. Raises UserError for a file of another shape."""
    return read_shaped(path, Shown, _AGAIN)["pictures"]


def own(rows: Iterable[AnyRow]) -> list[AnyRow]:
    """Those of a leaderboard's rows that stand behind a run of this project's code."""
    return [row for row in rows if row["evidence"]["kind"] != "published"]


def preference(path: Path) -> str:
    """Which scores a leaderboard says are better. Raises UserError for a file of another shape."""
    return read_shaped(path, Preference, _AGAIN)["better"]


def ranking(path: Path) -> Ranking:
    """A leaderboard's metric and rows. Raises UserError for a file of another shape."""
    return read_shaped(path, Ranking, _AGAIN)


class Measured(TypedDict):
    """What was measured of a claim; see `pipeline.results.claims.measure`.

    `values` has the mean score over its trainings of every row that the claim names. `effect` is
    how much the better side is ahead of `worse`, the row that decides, in the metric's unit and
    positive as claimed, with its 95 % interval. `p` is two-sided and takes all named rows into
    account. `seeds` counts the trainings of the network that was trained least often, None where
    there is none; `wins` is the share of pairs of trainings in which the better side is better;
    `detectable` the smallest effect that would have been found in four of five cases. What cannot
    be had is None.
    """

    worse: str
    values: dict[str, Number]
    effect: Number
    low: Number | None
    high: Number | None
    p: Number | None
    seeds: Count | None
    clusters: Count
    wins: Number
    detectable: Number | None


class Contrasted(TypedDict):
    """The rows whose difference a claim's own difference is held against."""

    better: str
    worse: str


class Claim(Measured):
    """A claim with its verdict; see `pipeline.results.verdicts`.

    `p_adjusted` is by Holm's method over the suite's claims, None for one that was not tested.
    """

    id: str
    track: str
    text: str
    source: str
    lecture: str
    stated: Literal["before results", "after first results"]
    better: str
    metric: str
    contrast: Contrasted | None
    p_adjusted: Number | None
    verdict: Literal["holds", "undecided", "refuted", "one training"]
    reason: str
