"""Which pictures a leaderboard's page has, what is said below each, and writing them.

matplotlib is imported when something is drawn, so that whoever reads a board does not wait for it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from typing_extensions import TypedDict

from pipeline.modules import task_module
from pipeline.results.boards import Board
from pipeline.results.divisions import division_in_words
from pipeline.results.trainings import Trainings
from pipeline.scoring.facets import Facet
from pipeline.scoring.records import Cost, Number
from pipeline.scoring.scores import ItemStatistics, Metric
from pipeline.storage.files import write_bytes
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pipeline.drawing.style import Look

_INTERVALS, _CURVES, _COST = "intervals", "curves", "cost"
_END = ".svg"
_AGAIN = "take the committed file back, or train its system again"


class _Point(TypedDict):
    """What is read of a learning curve."""

    step: Number
    validation_loss: Number


@dataclass(frozen=True)
class Material:
    """What pictures are made from: the board, and by row its trainings and what it has cost."""

    suite: Suite
    board: Board
    trained: Mapping[str, Trainings]
    costs: Mapping[str, Mapping[str, Cost]]

    @classmethod
    def of(cls, suite: Suite, board: Board, trained: Mapping[str, Trainings],
           costs: Mapping[str, Mapping[str, Cost]]) -> Self:
        """With a board that names the pictures for which there is something to show."""
        without = cls(suite, board, trained, costs)
        names = [name for name, draw in _drawn(without).items() if draw is not None]
        return replace(without, board={**board, "pictures": names})

    @property
    def metrics(self) -> dict[str, Metric]:
        return task_module(self.board["task"], "scoring").METRICS


def caption(suite: Suite, board: Board, name: str) -> str:
    """What is said of a picture on its page."""
    if name == _INTERVALS:
        division = division_in_words(board["task"])
        of_one = f" with the same {division}" if division else ""
        return (f"Each row's {board['metric']} with its 95 % interval over test items, of one "
                f"training. Where rows{of_one} overlap, they can differ all the same, since they "
                "met the same items, and where they do not, other seeds might have changed "
                "places: ranks and claims ask for the difference itself.")
    if name == _CURVES:
        return ("Validation loss while training. Different models may minimise different losses, "
                "so compare shapes, and heights where the loss is the same.")
    if name == _COST:
        return ("Score against seconds of training, on the machine that trained it."
                if suite.evidence == "run" else
                "Score against number of parameters, of the rows that have any.")
    facet = facets_of(board["task"])[name]
    return f"{facet.metric} by {facet.text}; mean over a row's trainings."


def facets_of(task: str) -> Mapping[str, Facet]:
    """By which numbers of the items a task's metrics are shown; most tasks name none."""
    facets = getattr(task_module(task, "scoring"), "FACETS", {})
    return {f"by-{name.replace('_', '-')}": facet for name, facet in facets.items()}


def pictures(material: Material) -> Iterator[tuple[str, bytes]]:
    """File name and content of each picture that the board names."""
    from pipeline.results.pictures.style import styled, svg

    drawn = _drawn(material)
    for name in material.board["pictures"]:
        draw = drawn.get(name)
        if draw is not None:
            with styled():
                yield f"{name}{_END}", svg(draw())


def write_pictures(material: Material, folder: Path) -> None:
    """Write the board's pictures into `folder`, and leave no other there."""
    folder.mkdir(parents=True, exist_ok=True)
    written = set()
    for name, content in pictures(material):
        write_bytes(folder / name, content)
        written.add(name)
    for path in folder.glob(f"*{_END}"):
        if path.name not in written:
            path.unlink()


def file_name(name: str) -> str:
    """The file of a picture."""
    return f"{name}{_END}"


def _drawn(material: Material) -> dict[str, "Callable[[], Figure] | None"]:
    """How each picture is drawn; None where there is too little to see."""
    board = material.board
    own = [row for row in board["rows"] if row["evidence"]["kind"] != "published"]
    losses, spent = learning_curves(material.suite, board["track"]), _spent(material)
    found: dict[str, Callable[[], Figure] | None] = {
        _INTERVALS: (lambda: _intervals(material)) if own else None,
        _CURVES: (lambda: _curves(material, losses)) if losses else None}
    for name, facet in facets_of(board["task"]).items():
        shown = _over_facet(material, facet)
        found[name] = partial(_facet, material, facet, shown) if shown else None
    found[_COST] = (lambda: _cost(material, spent)) if len(spent) > 1 else None
    return found


def _looks(material: Material) -> "dict[str, Look]":
    """One look for each row in all pictures, and for each system that of its first row."""
    from pipeline.drawing.style import look

    suite, track = material.suite, material.board["track"]
    rows = [(key, row) for key in suite.systems_of(track) for row in suite.rows_of(key).values()]
    looks = {row: look(number) for number, (_, row) in enumerate(rows)}
    for key, row in rows:
        looks.setdefault(key, looks[row])
    return looks


def _intervals(material: Material) -> "Figure":
    from pipeline.results.pictures import intervals

    board = material.board
    return intervals.draw(board, material.metrics[board["metric"]])


def learning_curves(suite: Suite, track: str) -> dict[str, tuple[list[float], list[float]]]:
    """Steps and validation losses of the systems of a track that a gradient has trained.

    Raises UserError naming a file of another shape.
    """
    found = {}
    for key in suite.systems_of(track):
        path = suite.places.curve(track, key)
        if "training" in suite.systems[key] and path.exists():
            points = read_shaped(path, list[_Point], _AGAIN)
            if points:
                found[key] = ([point["step"] for point in points],
                              [point["validation_loss"] for point in points])
    return found


def _curves(material: Material, losses: Any) -> "Figure":
    from pipeline.results.pictures import comparisons

    return comparisons.curves(losses, _looks(material), material.board["track"])


def _spent(material: Material) -> dict[str, tuple[float, float]]:
    """Cost and score of each row whose cost is known and is not nothing."""
    found = {}
    for row in material.board["rows"]:
        seconds = material.costs.get(row["system"], {}).get("train")
        spent = (seconds["seconds"] if seconds else None) \
            if material.suite.evidence == "run" else row["parameters"]
        if spent and row["evidence"]["kind"] != "published":
            found[row["system"]] = (float(spent), row["value"])
    return found


def _cost(material: Material, spent: Mapping[str, tuple[float, float]]) -> "Figure":
    from pipeline.results.pictures import comparisons

    board = material.board
    axis = "seconds of training" if material.suite.evidence == "run" else "parameters"
    return comparisons.cost(spent, _looks(material), axis, board["metric"],
                            material.metrics[board["metric"]], board["track"])


def _over_facet(material: Material, facet: Facet) -> dict[str, list[float]]:
    """The facet's metric in each pool of items, of each row, the mean over its trainings.

    Nothing where fewer than two pools have items: how a metric depends on a number that does not
    vary cannot be seen.
    """
    metrics = material.metrics
    found = {}
    for row, trained in material.trained.items():
        if all(facet.applies(items, metrics) for items in trained.statistics):
            values = [_by_pool(items, facet, metrics[facet.metric])
                      for items in trained.statistics]
            found[row] = np.mean(values, axis=0).tolist()
    filled = np.isfinite(np.array(list(found.values()), ndmin=2)).any(axis=0)
    return found if np.count_nonzero(filled) > 1 else {}


def _by_pool(items: ItemStatistics, facet: Facet, metric: Metric) -> list[float]:
    table, pools = items.table(metric.columns), facet.pools(items)
    return [float(metric.value(table[pools == pool].sum(axis=0)))
            for pool in range(len(facet.edges))]


def _facet(material: Material, facet: Facet, shown: Mapping[str, list[float]]) -> "Figure":
    from pipeline.results.pictures import comparisons

    values = np.array(list(shown.values()))
    filled = np.isfinite(values).any(axis=0)
    pools = [name for name, there in zip(_pool_names(facet), filled, strict=True) if there]
    return comparisons.over_facet(
        {row: np.array(own)[filled].tolist() for row, own in shown.items()}, _looks(material),
        pools, f"{facet.text}, {facet.unit}", facet.metric, material.metrics[facet.metric],
        material.board["track"])


def _pool_names(facet: Facet) -> list[str]:
    """From which number to which a pool reaches, both of them in it."""
    names = [f"{low:g}" if high - low == 1 else f"{low:g}–{high - 1:g}"
             for low, high in pairwise(facet.edges)]
    return [*names, f"{facet.edges[-1]:g}+"]
