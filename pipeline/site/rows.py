"""A leaderboard's rows as the page shows them: numbers printed as on the board, and dots."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.results.boards import Board, Row, own
from pipeline.results.divisions import division_in_words
from pipeline.results.leaderboard import costs_of
from pipeline.results.markdown import decimal
from pipeline.scoring.scores import Metric
from pipeline.site.addresses import row_anchor
from pipeline.suite.schema import Suite

_DASH = "–"
_WIDTH, _MARGIN = 160.0, 8.0  # of the picture of a row's dots


@dataclass(frozen=True)
class Cell:
    """A cell of a table; `value` is what it is sorted by."""

    text: str
    value: float | str | None = None
    number: bool = True


@dataclass(frozen=True)
class Dots:
    """A row's score on a scale that all rows share; places are in the picture's own units."""

    score: float
    span: tuple[float, float] | None
    seeds: Sequence[float]
    published: float | None
    ceiling: float | None
    floor: float | None
    text: str


@dataclass(frozen=True)
class ShownRow:
    """A row of the board; `anchor` is None of a published figure."""

    name: str
    anchor: str | None
    cells: Sequence[Cell]
    dots: Dots | None
    stale: bool


class Table:
    """A board as a table: `header` and the `rows`, best first."""

    def __init__(self, suite: Suite, board: Board, metrics: Mapping[str, Metric]) -> None:
        self._suite, self._board, self._metrics = suite, board, metrics
        self._metric = metrics[board["metric"]]
        self.others = [name for name in metrics if name != board["metric"]
                       and any(name in row["metrics"] for row in own(board["rows"]))]
        self.division = division_in_words(board["task"])
        self._costs = self._seconds() if suite.evidence == "run" else {}
        self._scale = _Scale(board)
        self.header = [
            ("rank", True), ("system", False),
            *([(self.division, False)] if self.division else []),
            (board["metric"], True), ("95 % interval", False), ("seeds", True),
            *((name, True) for name in self.others), ("parameters", True),
            *([("train s", True)] if self._costs else []), ("published", True),
            ("evidence", False)]
        self.rows = [*self._ceiling(), *(self._row(row) for row in board["rows"])]

    def _seconds(self) -> dict[str, float]:
        """Seconds of training by row, as far as they were recorded."""
        found: dict[str, float] = {}
        for key in self._suite.systems_of(self._board["track"]):
            cost = costs_of(self._suite, key).get("train")
            if cost is not None:
                found |= {row: cost["seconds"] for row in self._suite.rows_of(key).values()}
        return found

    def spent(self, row: Row) -> float | None:
        """What a row's training has cost: seconds of a suite that was run, otherwise parameters."""
        if self._suite.evidence == "run":
            return self._costs.get(row["system"])
        return None if row["parameters"] is None else float(row["parameters"])

    def _ceiling(self) -> Iterator[ShownRow]:
        """The score of the process that made the corpus, where that is known."""
        value = self._board["ceiling"]
        if value is not None:
            blank = [Cell(_DASH, number=number) for name, number in self.header
                     if name not in ("system", "95 % interval")]
            place = [name for name, _ in self.header].index(self._board["metric"]) - 1
            blank[place] = Cell(decimal(value, self._metric.decimals), value)
            blank[-1] = Cell("known process", number=False)
            yield ShownRow("ceiling of the corpus", anchor=None, cells=blank, dots=None,
                           stale=False)

    def _row(self, row: Row) -> ShownRow:
        published = row["evidence"]["kind"] == "published"
        return ShownRow(
            row["system"], anchor=None if published else row_anchor(row["system"]),
            cells=list(self._cells(row)), dots=None if published else self._dots(row),
            stale=bool(row["evidence"].get("stale")))

    def _cells(self, row: Row) -> Iterator[Cell]:
        """All cells but the name's and the interval's."""
        decimals = self._metric.decimals
        yield Cell(decimal(row["rank"], 0), row["rank"])
        if self.division:
            yield Cell(row.get("division") or _DASH, number=False)
        yield Cell(decimal(row["value"], decimals), row["value"])
        yield self._seeds(row)
        for name in self.others:
            value = row["metrics"][name]["value"] if name in row["metrics"] else None
            yield Cell(decimal(value, self._metrics[name].decimals), value)
        yield Cell(decimal(row["parameters"], 0), row["parameters"])
        if self._costs:
            seconds = self._costs.get(row["system"])
            yield Cell(decimal(seconds, 1), seconds)
        figure = row["published"]["value"] if row["published"] else None
        yield Cell(decimal(figure, decimals), figure)
        yield Cell("run, stale" if row["evidence"].get("stale") else row["evidence"]["kind"],
                   number=False)

    def _seeds(self, row: Row) -> Cell:
        seeds = row["seeds"]
        if seeds is None:
            return Cell(_DASH)
        count = len(seeds["scores"])
        if seeds["mean"] is None:
            return Cell(str(count), count)
        decimals = self._metric.decimals
        return Cell(f"{count}: {decimal(seeds['mean'], decimals)} ± "
                    f"{decimal(seeds['deviation'], decimals)}", count)

    def _dots(self, row: Row) -> Dots:
        decimals, place = self._metric.decimals, self._scale.place
        low, high = row["low"], row["high"]
        bounds = None if low is None or high is None else (place(low), place(high))
        figure = row["published"]["value"] if row["published"] else None
        return Dots(
            score=place(row["value"]), span=bounds,
            seeds=[place(score) for score in (row["seeds"]["scores"][1:] if row["seeds"] else [])],
            published=self._scale.within(figure),
            ceiling=self._scale.within(self._board["ceiling"]),
            floor=self._scale.within(self._board["floor"]),
            text=_DASH if low is None else f"{decimal(low, decimals)} to {decimal(high, decimals)}")


class _Scale:
    """From scores to places in the picture: all own rows and seeds have room."""

    def __init__(self, board: Board) -> None:
        values = [value for row in own(board["rows"]) for value in (
            row["value"], row["low"], row["high"],
            *(row["seeds"]["scores"] if row["seeds"] else [])) if value is not None]
        low, high = min(values, default=0.0), max(values, default=1.0)
        # Ceiling and floor have room unless the rows would have little left.
        near = [bound for bound in (board["ceiling"], board["floor"])
                if bound is not None and 2 * low - high <= bound <= 2 * high - low]
        self._low, self._high = min([low, *near]), max([high, *near])

    def place(self, value: float) -> float:
        span = (self._high - self._low) or 1.0
        return round(_MARGIN + (_WIDTH - 2 * _MARGIN) * (value - self._low) / span, 1)

    def within(self, value: float | None) -> float | None:
        """None for what is not there, or beyond the rows."""
        return None if value is None or not self._low <= value <= self._high else self.place(value)
