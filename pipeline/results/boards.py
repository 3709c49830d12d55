"""The JSON of leaderboards and of claims, as those who read it back know it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NotRequired

# On Python 3.11 pydantic reads these alone.
from typing_extensions import TypedDict

from pipeline.scoring.records import Count, Number, Score
from pipeline.storage.shapes import read_shaped

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
    """

    system: str
    rank: Count | None
    seeds: Seeds | None
    converged: bool | None
    precision: str | None
    tests: list[KnownScore]
    metrics: Mapping[str, Score | StatedScore]
    n_items: Count | None
    parameters: Count | None
    signature: str | None
    settings_tried: Count | None
    evidence: Evidence
    published: PublishedFigure | None
    replaced: NotRequired[dict[str, int]]


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
    tolerance: Number | None
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
    """A row's name and score."""

    system: str
    value: Number
    evidence: Support


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


def preference(path: Path) -> str:
    """Which scores a leaderboard says are better. Raises UserError for a file of another shape."""
    return read_shaped(path, Preference, _AGAIN)["better"]


def ranking(path: Path) -> Ranking:
    """A leaderboard's metric and rows. Raises UserError for a file of another shape."""
    return read_shaped(path, Ranking, _AGAIN)


class Claim(TypedDict):
    """A claim with its verdict; see `pipeline.results.claims.judge`."""

    id: str
    track: str
    text: str
    source: str
    better: str
    worse: str
    metric: str
    values: dict[str, Number]
    p: Number
    seed_spread: Number | None
    verdict: Literal["holds", "undecided", "refuted"]
