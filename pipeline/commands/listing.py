"""`unrolled ls`: what a suite holds, read from files alone, without any task's code."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import TypedDict

from pipeline.errors import UserError
from pipeline.results.boards import StatedScore, preference
from pipeline.running.trained import suite_option
from pipeline.scoring.records import Measures
from pipeline.storage.shapes import read_shaped
from pipeline.suite.messages import nearest
from pipeline.suite.schema import Suite

_HEADINGS = ("row", "score", "95 % interval", "model")
_COST_HEADINGS = ("training", "evaluation", "memory")
_MEBIBYTE = 2**20


class _Answers(TypedDict):
    metrics: dict[str, StatedScore]


class _Scored(TypedDict):
    """What a listing reads of a metrics file."""

    variants: dict[str, _Answers]


@dataclass(frozen=True)
class _Row:
    name: str
    value: float | None
    cells: tuple[str, ...]


def listing(suite: Suite, track: str | None, costs: bool) -> Iterator[str]:
    """Lines for people. Raises UserError for a track that the suite does not have."""
    if track is not None and track not in suite.tracks:
        raise UserError(f"no track {track!r}{nearest(track, list(suite.tracks))}")
    tracks = [track] if track else list(suite.tracks)
    for name in tracks:
        yield from _track(suite, name, costs)
        yield ""
    yield from _remedy(suite, tracks)


def picture(suite: Suite, track: str) -> str:
    """Where a picture of a track's best system lies, in a sentence."""
    better = _better(suite, track)
    rows = [(row, key) for key in suite.systems_of(track) for row in _rows(suite, key, track, False)
            if row.value is not None]
    for _, key in sorted(rows, key=lambda pair: _rank(pair[0], better)):
        for path in sorted(suite.places.figures(track, key).rglob("*.png")):
            return f"A picture of {key}: {path}"
    return f"No picture of {track} is here: 'unrolled repro --track {track}' draws them"


def _track(suite: Suite, track: str, costs: bool) -> Iterator[str]:
    entry = suite.tracks[track]
    better = _better(suite, track)
    yield f"{track}  {entry.title} ({entry.metric}{f', {better} is better' if better else ''})"
    rows = [row for key in suite.systems_of(track) for row in _rows(suite, key, track, costs)]
    headings = (*_HEADINGS, *(_COST_HEADINGS if costs else ()))
    yield from _table([headings, *((row.name, *row.cells)
                                   for row in sorted(rows, key=lambda one: _rank(one, better)))])


def _rank(row: _Row, better: str | None) -> tuple[bool, float]:
    """Best first where the direction is known, and rows without a score last."""
    sign = {"higher": -1.0, "lower": 1.0}.get(better or "", 0.0)
    return row.value is None, sign * (row.value or 0.0)


def _rows(suite: Suite, key: str, track: str, costs: bool) -> Iterator[_Row]:
    places, metric = suite.places, suite.tracks[track].metric
    scores = _variants(places.metrics(track, key))
    model = "here" if places.model(key).is_dir() else "-"
    spent = tuple(_costs(suite, key, track)) if costs else ()
    for variant, name in suite.rows_of(key).items():
        score = scores[variant]["metrics"].get(metric) if variant in scores else None
        if score is None:
            yield _Row(name, None, ("-", "-", model, *spent))
            continue
        low, high = score["low"], score["high"]
        interval = "-" if low is None or high is None else f"{low:.5g} to {high:.5g}"
        yield _Row(name, score["value"], (f"{score['value']:.5g}", interval, model, *spent))


def _variants(metrics: Path) -> dict[str, _Answers]:
    return read_shaped(metrics, _Scored)["variants"] if metrics.exists() else {}


def _costs(suite: Suite, key: str, track: str) -> Iterator[str]:
    spent = [read_shaped(file, Measures) if file.exists() else None
             for file in (suite.places.cost(track, key, stage) for stage in ("train", "evaluate"))]
    yield from (f"{cost['seconds']:.1f} s" if cost else "-" for cost in spent)
    most = max((cost["peak_memory_bytes"] for cost in spent if cost), default=None)
    yield f"{most / _MEBIBYTE:.0f} MiB" if most else "-"


def _better(suite: Suite, track: str) -> str | None:
    """'higher' or 'lower', as the track's leaderboard says; None before there is one."""
    board = suite.places.board(track)
    return preference(board) if board.exists() else None


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _remedy(suite: Suite, tracks: Sequence[str]) -> Iterator[str]:
    """What makes or brings models that are not here."""
    keys = [key for track in tracks for key in suite.systems_of(track)]
    absent = [key for key in keys if not suite.places.model(key).is_dir()]
    if absent:
        track = suite.track_of(absent[0])
        yield (f"{len(absent)} of {len(keys)} systems are not trained here: "
               f"'unrolled repro{suite_option(suite)}"
               f" --track {track}' trains a track, 'dvc pull' brings them from a DVC remote")
