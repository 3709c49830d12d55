"""Answers side by side: some test items of a track, and what every row said about each, and when.

Half of the items stand evenly over the test set, and half are those whose scores differ most from
row to row, which is where systems can be told apart. Scores of single items come from the
statistics that a row's own score is computed of.
"""

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.results.markdown import decimal
from pipeline.scoring.scores import ItemStatistics, Metric
from pipeline.site import charts
from pipeline.site.answers import ShownAnswer, shown
from pipeline.site.items import Item, Timed, coordinates, known_items
from pipeline.site.speech import Sound, read_out, recording
from pipeline.storage.json_rows import rows_of
from pipeline.storage.parquet import read_table
from pipeline.storage.predictions import Prediction
from pipeline.suite.schema import Suite

# Items of a track: charts are large, and so is a line of times for each row.
_TEXTS, _FEWER = 40, {"forecast": 8, "trajectory": 8, "alignment": 16}
_PERFECT = {"lower": 0.0, "higher": 100.0}  # an answer with this score has nothing wrong in it
_ROUNDING = 1e-6  # of BLEU, a product of roots
_AGAIN = "evaluate the system again"


@dataclass(frozen=True)
class Answer:
    """What rows said, all the same; `score` is that of this item alone, as boards print it.

    `right` is None where no answer to an item can have nothing wrong, as a forecast has not.
    """

    rows: list[str]
    shown: ShownAnswer
    score: str
    right: bool | None = None


@dataclass(frozen=True)
class Sample:
    """A test item with the answers of all rows, that of the best row first, or a chart of them."""

    id: str
    item: Item | None
    answers: Sequence[Answer]
    disagree: bool
    chart: Mapping[str, Any] | None = None
    sound: Sound | None = None

    @property
    def spoken(self) -> Sequence[Timed]:
        """What is heard when, as far as that is known beside what systems answered."""
        if self.sound is not None and self.sound.words:
            return self.sound.words
        return self.item.times if self.item is not None else ()

    @property
    def seconds(self) -> float:
        """How long the axis of times is."""
        ends = [end for answer in self.answers for _, _, end in answer.shown.times]
        return max([*ends, *(end for _, _, end in self.spoken),
                    self.sound.seconds if self.sound else 0.0, 0.01])

    @property
    def comparable(self) -> bool:
        """Whether answers' times are those of the sound, and not of a recording that is not here.
        """
        return self.sound is None or self.sound.of_recording

    @property
    def scores(self) -> str:
        """Every row's score of this item, in a sentence."""
        told = ", ".join(f"{row} {answer.score}" for answer in self.answers for row in answer.rows)
        return f"Scores of this item alone: {told}."


@dataclass(frozen=True)
class Samples:
    """`missing` names rows whose answers are not here."""

    samples: Sequence[Sample] = ()
    rows: Sequence[str] = ()
    items: int = 0
    missing: Sequence[str] = ()
    known: bool = False

    @property
    def judged(self) -> bool:
        """Whether right answers are known, so that what differs from them is marked."""
        return any(sample.item is not None and sample.item.right for sample in self.samples)

    @property
    def graded(self) -> bool:
        """Whether some answer is right, so that right and wrong ones can be looked for."""
        return any(answer.right for sample in self.samples for answer in sample.answers)


def samples_of(suite: Suite, track: str, rows: Sequence[tuple[str, str, str]],
               metrics: Sequence[Metric], also: Collection[str] = ()) -> Samples:
    """`rows` are (row, system, variant), best first; the first of `metrics` is the primary one.

    Items whose ids are in `also` are shown in any case.
    """
    here = [row for row in rows if suite.places.answers(track, *row[1:]).is_file()
            and suite.places.items(track, *row[1:]).is_file()]
    missing = [row[0] for row in rows if row not in here]
    if not here:
        return Samples(missing=missing)
    statistics = {row[0]: ItemStatistics.read(suite.places.items(track, *row[1:])) for row in here}
    ids = statistics[here[0][0]].ids
    scores = {name: _by_item(found, metrics) for name, found in statistics.items()
              if found.ids == ids}
    count = _FEWER.get(suite.track(track).task, _TEXTS)
    places = sorted({*chosen(np.stack(list(scores.values())), count),
                     *(place for place, identity in enumerate(ids) if identity in also)})
    wanted = [ids[place] for place in places]
    answers = {row[0]: _answers(suite.places.answers(track, *row[1:]), wanted) for row in here
               if row[0] in scores}
    items = known_items(suite, track, wanted)
    material = _Material(suite, track, metrics[0], scores, answers, items)
    return Samples([material.sample(ids[place], place) for place in places], list(answers),
                   len(ids), missing, bool(items))


def chosen(scores: NDArray[np.float64], count: int) -> list[int]:
    """Places of `count` items of `scores` [rows, items], in their order."""
    items = scores.shape[1]
    if items <= count:
        return list(range(items))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an item without any score has no spread
        spread = np.nan_to_num(np.nanstd(scores, axis=0))
    even = np.linspace(0, items - 1, count // 2).astype(int).tolist()
    apart = [int(place) for place in np.argsort(-spread, kind="stable") if place not in set(even)]
    return sorted([*even, *apart[: count - len(set(even))]])


@dataclass(frozen=True)
class _Material:
    suite: Suite
    track: str
    metric: Metric
    scores: Mapping[str, NDArray[np.float64]]
    answers: Mapping[str, Mapping[str, Prediction]]
    items: Mapping[str, Item]

    def sample(self, identity: str, place: int) -> Sample:
        item = self.items.get(identity)
        said = {row: found[identity] for row, found in self.answers.items() if identity in found}
        values = [float(self.scores[row][place]) for row in said]
        finite = [value for value in values if np.isfinite(value)]
        printed = [_printed(value, self.metric.decimals) for value in values]
        answers: dict[tuple[Any, ...], Answer] = {}
        for (row, prediction), value, score in zip(said.items(), values, printed, strict=True):
            perfect = _PERFECT.get(self.metric.better)
            right = None if perfect is None or not np.isfinite(value) else \
                abs(value - perfect) < _ROUNDING
            told = ShownAnswer() if _is_chart(prediction) else shown(prediction, item)
            # Times and notes may differ where what was said does not.
            key = (tuple(told.parts), tuple(told.bars), score,
                   *(() if told.parts else tuple(told.times) or (row,)))
            answers.setdefault(key, Answer([], told, score, right)).rows.append(row)
        disagree = bool(finite) and max(finite) > min(finite)
        return Sample(identity, item, list(answers.values()), disagree, self._chart(said, item),
                      self._sound(identity, item, said))

    def _chart(self, said: Mapping[str, Prediction], item: Item | None) -> charts.Spec | None:
        forecast = {row: one["forecast"] for row, one in said.items() if "forecast" in one}
        if forecast:
            return _forecast(said, forecast, item)
        path = {row: one["path"] for row, one in said.items() if "path" in one}
        if path:
            names = [*coordinates(self.suite, self.track), "first coordinate", "second coordinate"]
            truth = [] if item is None or item.numbers is None else item.numbers.tolist()
            return charts.paths(path, (names[0], names[1]), truth)
        return None

    def _sound(self, identity: str, item: Item | None,
               said: Mapping[str, Prediction]) -> Sound | None:
        """The recording, or of an answer in words a voice that reads it."""
        found = recording(self.suite, self.track, identity, item)
        row, answer = next(iter(said.items()), ("", {}))
        if found is not None or self.suite.track(self.track).task != "asr" \
                or not str(answer.get("hypothesis", "")).strip():
            return found
        return read_out(str(answer["hypothesis"]), "The recording is not part of this project. A "
                        f"synthetic voice (espeak-ng) reads what {row} has understood.")


def _forecast(said: Mapping[str, Prediction], lines: Mapping[str, Sequence[float]],
              item: Item | None) -> charts.Spec:
    bands = {row: (one["low"], one["high"]) for row, one in said.items()
             if "low" in one and "high" in one}
    if item is None or item.numbers is None or item.past is None:
        return charts.forecasts(lines, bands)
    return charts.forecasts(lines, bands, [*item.past.tolist(), *item.numbers.tolist()],
                            len(item.past))


def _answers(path: Path, wanted: Sequence[str]) -> dict[str, Prediction]:
    """The predictions of some items; the others of thousands are not made objects of."""
    table = read_table(path, _AGAIN)
    found = table.filter(pc.is_in(table.column("id"), pa.array(wanted, pa.string())))
    return {row["id"]: row for row in rows_of(found)}


def _by_item(statistics: ItemStatistics, metrics: Sequence[Metric]) -> NDArray[np.float64]:
    """Of each item alone the first metric that it has, NaN where it has none."""
    scores = np.full(len(statistics.ids), np.nan)
    for metric in metrics:
        if statistics.columns.keys() >= set(metric.columns):
            with np.errstate(all="ignore"):
                found = np.asarray(metric.value(statistics.table(metric.columns)), np.float64)
            scores = np.where(np.isnan(scores), found, scores)
    return scores


def _is_chart(prediction: Prediction) -> bool:
    return "forecast" in prediction or "path" in prediction


def _printed(value: float, decimals: int) -> str:
    return decimal(value, decimals) if np.isfinite(value) else "–"
