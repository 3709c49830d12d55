"""What a track's page shows: its board, charts, pictures, answers, and what stands behind its rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.results.boards import Board, own
from pipeline.results.leaderboard import costs_of, metrics_of
from pipeline.results.markdown import decimal
from pipeline.results.pages import passages
from pipeline.results.pictures.gallery import caption, file_name, learning_curves
from pipeline.results.trainings import place_of
from pipeline.scoring.scores import Metric
from pipeline.site import charts
from pipeline.site.agreeing import OF_EVERY_BOARD
from pipeline.site.beside import figures_by_item
from pipeline.site.code import Library, Module
from pipeline.site.details import Detail, detail_of
from pipeline.site.figures import Figure, Gallery, checked_picture, gallery
from pipeline.site.rows import Table
from pipeline.site.samples import Samples, samples_of
from pipeline.suite.schema import Suite, TrackSettings


@dataclass(frozen=True)
class Chart:
    """A chart with what is said of it."""

    title: str
    caption: str
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class Picture:
    """A picture of the leaderboard's page; `content` is None where its file is not here."""

    name: str
    file: str
    caption: str
    content: bytes | None

    @property
    def title(self) -> str:
        """'By length of the sentence', of a caption that begins with the metric."""
        return f"By {self.caption.partition(' by ')[2].rstrip('.') or self.name}"


@dataclass(frozen=True)
class Track:
    """A track that has been run. `told` are the passages of its leaderboard's page by name.

    `beside` are those figures of the gallery that show a single test item, by its id.
    """

    key: str
    entry: TrackSettings
    board: Board
    metric: Metric
    table: Table
    charts: Sequence[Chart]
    pictures: Sequence[Picture]
    samples: Samples
    gallery: Gallery
    beside: Mapping[str, Sequence[Figure]]
    details: Sequence[Detail]
    told: Mapping[str, str]
    corpus: Module | None


def track_of(suite: Suite, board: Board, library: Library) -> Track:
    """All that is known of a track. Raises UserError for a file that is damaged."""
    key = board["track"]
    metrics = metrics_of(suite, key)
    metric = metrics[board["metric"]]
    table = Table(suite, board, metrics)
    rows = [(row["system"], *place_of(suite, key, row["system"])) for row in own(board["rows"])]
    costs = {row: costs_of(suite, system) for row, system, _ in rows} \
        if suite.evidence == "run" else None
    figures = gallery(suite, key, list(dict.fromkeys(system for _, system, _ in rows)))
    beside = figures_by_item(suite, key, figures)
    return Track(
        key=key, entry=suite.track(key), board=board, metric=metric, table=table,
        charts=list(_charts(suite, board, metric, table)),
        pictures=list(_pictures(suite, board)),
        samples=samples_of(suite, key, rows, [metric, *(metrics[name] for name in table.others)],
                           beside),
        gallery=figures, beside=beside,
        details=[detail_of(suite, board, row, library, metric) for row in own(board["rows"])],
        told=passages(suite, board, costs), corpus=library.corpus(suite, key))


def _charts(suite: Suite, board: Board, metric: Metric, table: Table) -> Iterator[Chart]:
    axis, decimals = ("seconds of training", 1) if suite.evidence == "run" else ("parameters", 0)
    points = [{"row": row["system"], "cost": cost, "value": row["value"],
               "text": decimal(row["value"], metric.decimals), "spent": decimal(cost, decimals)}
              for row in own(board["rows"]) if (cost := table.spent(row))]
    if len(points) > 1:
        yield Chart("Quality against cost", caption(suite, board, "cost"), charts.cost(
            points, axis, board["metric"], metric.preference))
    losses = learning_curves(suite, board["track"])
    if losses:
        yield Chart("How they learnt", caption(suite, board, "curves"), charts.curves(losses))


def _pictures(suite: Suite, board: Board) -> Iterator[Picture]:
    """Those of the leaderboard's page that are not drawn anew here, in the page's own colours."""
    folder = suite.places.pictures(board["track"])
    for name in board["pictures"]:
        if name not in OF_EVERY_BOARD:
            path = folder / file_name(name)
            yield Picture(name, file_name(name), caption(suite, board, name),
                          checked_picture(path) if path.is_file() else None)
