"""Scores of alignments: how far boundaries are from where people, or a voice, put them.

A boundary is where one phone gives way to the next, pauses among them, and its error the distance
from the answer's. Which phone of an answer stands for which of the reference, an alignment with the
fewest errors says (`shared/pairing.py`); a boundary without its counterpart counts as more than 500
ms. Where phones run into each other (`D_B`) nobody knows the boundary and it does not count.

Of words those edges count at which one word gives way to the next, each twice, as an end and as a
beginning: an answer may see a pause there. How far a sentence's first and last edge are from those
of a person says more about their taste for breath.

A median is no function of sums, so errors are counted in bins, a millisecond wide where accuracy is
decided, and the median is that of the counts, a bin's errors lying evenly in it. Within 20 ms is
how alignments of TIMIT are commonly judged (Hosom 2009, "Speaker-independent phoneme alignment
using transition-dependent states", Speech Communication 51).
"""

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.audio.phones import SILENCE
from pipeline.decoding.oracle import fewest_errors
from pipeline.errors import UserError
from pipeline.scoring.facets import Facet
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics, Metric, percentage
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction, aligned, answer_of
from pipeline.tasks.alignment.shared.pairing import pairs

# In milliseconds: narrow where medians lie, wide where only the 95th percentile does, since each
# bin is a column of the statistics of every training.
EDGES = (*range(0, 30, 1), *range(30, 60, 2), *range(60, 200, 10), *range(200, 501, 50))
LOST = 1000.0  # the error of a boundary that an answer has not, in milliseconds
_CLOSE = 20.0
# Digits of a millisecond that are kept, so that 20 ms are 20 whichever times they lie between.
_DIGITS = 6
_SAME = 1e-6  # seconds
Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


def _bins(name: str) -> tuple[str, ...]:
    return tuple(f"{name}_from_{edge:03d}" for edge in EDGES)


def share_below(sums: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The error in ms that a `share` of the counted errors [..., bins] are below, [...].

    NaN without errors; what lies in the last bin is 500 ms.
    """
    edges = np.array([*EDGES, EDGES[-1]], np.float64)
    below = np.concatenate([np.zeros((*sums.shape[:-1], 1)), np.cumsum(sums, axis=-1)], axis=-1)
    total = below[..., -1:]
    wanted = share * total
    place = np.clip((below[..., 1:] < wanted).sum(axis=-1), 0, sums.shape[-1] - 1)[..., None]
    inside = np.take_along_axis(sums, place, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(inside > 0, (wanted - np.take_along_axis(below, place, -1)) / inside, 0.0)
    found = edges[place] + part * (edges[place + 1] - edges[place])
    return np.where(total > 0, found, np.nan)[..., 0]


def _quantile(name: str, share: float, text: str) -> Metric:
    return Metric("lower", _bins(name), partial(share_below, share=share), text, decimals=1)


METRICS: dict[str, Metric] = {
    "within_20": Metric("higher", ("close", "boundaries"), percentage,
                        "boundaries of phones that are right within 20 ms, in percent, condition "
                        "'clean'"),
    "median_ms": _quantile("error", 0.5, "median error of phones' boundaries in ms, 'clean'"),
    "p95_ms": _quantile("error", 0.95, "error in ms that 95 % of the boundaries stay below, "
                                       "'clean'"),
    "per": Metric("lower", ("phone_errors", "phones"), percentage,
                  "phone error rate in percent, pauses left out, 'clean'; of an alignment with "
                  "the reference's own phones it is 0"),
    "word_within_20": Metric("higher", ("close_words", "word_edges"), percentage,
                             "edges between words that are right within 20 ms, in percent, "
                             "'clean'"),
    "word_median_ms": _quantile("word_error", 0.5, "median error of edges between words in ms, "
                                                   "'clean'"),
    "within_20_other": Metric("higher", ("close_other", "boundaries_other"), percentage,
                              "boundaries of phones that are right within 20 ms, in percent, "
                              "condition 'other'"),
    "per_other": Metric("lower", ("phone_errors_other", "phones_other"), percentage,
                        "phone error rate in percent, pauses left out, condition 'other'"),
}
# To know the phones, the words or neither are different tasks.
DIVISION = "search"
FACETS = {"phones": Facet("phones of the reference", "phones", "reference_phones", "within_20",
                          (1, 6, 9, 12, 15, 20, 30, 40))}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Counts of each test item's errors; `test` is the features' folder."""
    items, gold = read_json(test / "test.items.json"), read_json(test / "gold.json")
    ids = [item["id"] for item in items]
    counts = []
    for item, prediction in zip(items, aligned(predictions, ids), strict=True):
        found = _counts(item, gold[item["id"]], *answer(prediction))
        clean = item["id"].startswith("clean/")
        empty = dict.fromkeys(found, 0.0)
        other = {f"{name}_other": value for name, value in (empty if clean else found).items()
                 if "_from_" not in name and "word" not in name}
        counts.append((found if clean else empty) | other
                      | {"reference_phones": found["phones"]})
    columns = {name: np.array([count[name] for count in counts], np.float64)
               for name in counts[0]}
    return ItemStatistics(ids, columns, clusters_of(test, ids))


def answer(prediction: Prediction) -> tuple[list[str], list[float]]:
    """Its phones and the seconds at which each begins. Raises UserError for what does not fit."""
    phones = answer_of(prediction, "phones", list[str])
    begins = answer_of(prediction, "begins", list[Seconds])
    if len(phones) != len(begins) or not phones or begins[0] > 0 or any(
            later < earlier for earlier, later in pairwise(begins)):
        raise UserError(f"prediction {prediction['id']!r}: expected a beginning for each phone, "
                        "the first 0 and none before the one before it; evaluate the system again")
    return phones, begins


def boundary_errors(gold: dict[str, Any], phones: list[str], begins: list[float]) -> list[float]:
    """The error in ms of each boundary of phones that is known, LOST where it has none."""
    labels, known = [label for label, _, _ in gold["phones"]], _begins(gold)
    found = pairs(labels, phones, known, begins)
    return [_milliseconds(begins[found[place]], begin) if place in found else LOST
            for place, begin in enumerate(known) if place and begin is not None]


def word_errors(item: dict[str, Any], gold: dict[str, Any], phones: list[str],
                begins: list[float]) -> list[float]:
    """The error in ms of each edge at which one word gives way to the next, LOST without one."""
    labels = [label for label, _, _ in gold["phones"]]
    told = labels == item["phones"]
    found = pairs(item["phones"], phones, *((_begins(gold), begins) if told else ((), ())))
    ends = [*begins[1:], item["seconds"]]
    errors: list[float] = []
    spans = list(zip(item["words"], gold["words"], strict=True))
    for ((_, first, count), (_, _, edge)), ((_, following, _), (_, begin, _)) in pairwise(spans):
        if abs(edge - begin) > _SAME:
            continue
        last = first + count - 1
        errors += [_milliseconds(ends[found[last]], edge) if last in found else LOST,
                   _milliseconds(begins[found[following]], edge) if following in found else LOST]
    return errors


def _milliseconds(one: float, other: float) -> float:
    return round(1000 * abs(one - other), _DIGITS)


def _begins(gold: dict[str, Any]) -> list[float | None]:
    return [begin for _, begin, _ in gold["phones"]]


def _counts(item: dict[str, Any], gold: dict[str, Any], phones: list[str],
            begins: list[float]) -> dict[str, float]:
    of_phones = boundary_errors(gold, phones, begins)
    of_words = word_errors(item, gold, phones, begins)
    spoken = [label for label, _, _ in gold["phones"] if label != SILENCE]
    wrong, = fewest_errors(spoken, [[phone for phone in phones if phone != SILENCE]])
    return {
        "boundaries": len(of_phones), "close": _close(of_phones),
        "word_edges": len(of_words), "close_words": _close(of_words),
        "phones": len(spoken), "phone_errors": wrong,
        **_histogram("error", of_phones), **_histogram("word_error", of_words)}


def _close(errors: list[float]) -> int:
    return sum(error <= _CLOSE for error in errors)


def _histogram(name: str, errors: list[float]) -> dict[str, float]:
    counts = np.histogram(errors, bins=[*EDGES, np.inf])[0]
    return dict(zip(_bins(name), counts.tolist(), strict=True))
