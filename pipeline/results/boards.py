"""The JSON of leaderboards and of claims, as those who read it back know it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NotRequired, TypeVar

# On Python 3.11 pydantic reads these alone.
from typing_extensions import TypedDict

from pipeline.scoring.records import Count, Number, Score
from pipeline.storage.shapes import read_shaped

AnyRow = TypeVar("AnyRow", bound=Mapping[str, Any])
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


class Row(StatedScore):
    """A row and its primary score; of a published figure little else is known.

    `replaced` counts the test items that another method than the row's own has answered, by method.
    """

    system: str
    metrics: Mapping[str, Score | StatedScore]
    n_items: Count | None
    parameters: Count | None
    signature: str | None
    settings_tried: Count | None
    evidence: Evidence
    published: PublishedFigure | None
    replaced: NotRequired[dict[str, int]]


class Board(TypedDict):
    """A track's leaderboard, best row first."""

    track: str
    task: str
    corpus: str
    suite: str
    metric: str
    better: Literal["lower", "higher", "nearer"]
    ceiling: Number | None
    floor: Number | None
    rows: list[Row]
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


def own(rows: Iterable[AnyRow]) -> list[AnyRow]:
    """Those of a leaderboard's rows that stand behind a run of this project's code."""
    return [row for row in rows if row["evidence"]["kind"] != "published"]


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
