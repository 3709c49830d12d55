"""What a track's page shows: its board, charts, pictures, answers, and what stands behind its rows.
"""

from collections.abc import Mapping, Sequence
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
from pipeline.site.addresses import row_anchor
from pipeline.site.agreeing import OF_EVERY_BOARD
from pipeline.site.beside import figures_by_item
from pipeline.site.code import Library, Module
from pipeline.site.figures import Figure, Gallery, checked_picture, gallery
from pipeline.site.rows import Table, commands, settings
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
class Detail:
    """A row by itself: settings, how to make and use it, and the code it is."""

    row: str
    anchor: str
    summary: str
    evidence: str
    settings: Sequence[tuple[str, str]]
    commands: Sequence[tuple[str, str]]
    model: Module | None
    methods: Sequence[Module]


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
        key, suite.track(key), board, metric, table, list(_charts(suite, board, metric, table)),
        list(_pictures(suite, board)),
        samples_of(suite, key, rows, [metric, *(metrics[name] for name in table.others)], beside),
        figures, beside,
        [_detail(suite, board, row, library, metric) for row, _, _ in rows],
        passages(suite, board, costs), library.corpus(suite, key))


def _charts(suite: Suite, board: Board, metric: Metric, table: Table) -> list[Chart]:
    found = []
    axis = "seconds of training" if suite.evidence == "run" else "parameters"
    spent_decimals = 1 if suite.evidence == "run" else 0
    points = [{"row": row["system"], "cost": cost, "value": row["value"],
               "text": decimal(row["value"], metric.decimals),
               "spent": decimal(cost, spent_decimals)}
              for row in own(board["rows"]) if (cost := table.spent(row))]
    if len(points) > 1:
        found.append(Chart("Quality against cost", caption(suite, board, "cost"), charts.cost(
            points, axis, board["metric"], metric.preference)))
    losses = learning_curves(suite, board["track"])
    if losses:
        found.append(Chart("How they learnt", caption(suite, board, "curves"),
                           charts.curves(losses)))
    return found


def _pictures(suite: Suite, board: Board) -> list[Picture]:
    """Those of the leaderboard's page that are not drawn anew here, in the page's own colours."""
    folder = suite.places.pictures(board["track"])
    found = []
    for name in board["pictures"]:
        if name not in OF_EVERY_BOARD:
            path = folder / file_name(name)
            found.append(Picture(name, file_name(name), caption(suite, board, name),
                                 checked_picture(path) if path.is_file() else None))
    return found


def _detail(suite: Suite, board: Board, name: str, library: Library, metric: Metric) -> Detail:
    row = next(row for row in board["rows"] if row["system"] == name)
    key, _ = place_of(suite, board["track"], name)
    return Detail(
        name, row_anchor(name), f"{board['metric']} {decimal(row['value'], metric.decimals)}",
        _evidence(suite, key, row["evidence"]["kind"], bool(row["evidence"].get("stale"))),
        settings(suite, name, board["track"]), commands(suite, board["track"], name),
        library.model(suite, key), library.methods(suite, key))


def _evidence(suite: Suite, key: str, kind: str, stale: bool) -> str:
    """What stands behind a row, in a sentence."""
    if kind == "ci":
        return "Continuous integration trains it again from an empty clone."
    cost = costs_of(suite, key).get("train")
    words = ("Run by this project; what it cost is not recorded." if cost is None else
             f"Run by this project in {decimal(cost['seconds'], 1)} s of training"
             f" on {cost.get('processor') or 'a processor that is not recorded'}, at "
             f"{_commit(cost.get('commit'))}.")
    return words + (" The code or the settings have changed since; it is to be trained again."
                    if stale else "")


def _commit(commit: str | None) -> str:
    return f"commit {commit[:12]}" if commit else "a commit that is not recorded"
