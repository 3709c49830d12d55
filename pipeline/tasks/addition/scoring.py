"""Exact sums by the length of the numbers, and where a carry has far to go.

A prediction is `{"id", "sum"}`, bits with the most significant first. A sum is right when all its
bits are.
"""

from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.scoring.facets import Facet
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics, Metric, percentage
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction, aligned, answer_of

LENGTHS = (64, 32, 16, 8)
LONG_CARRY = 32

_TEXTS = {
    **{str(bits): f"share of the pairs of {bits}-bit numbers that are added without a wrong bit, "
                  "in percent" for bits in LENGTHS},
    "trained": "exact sums of numbers no longer than the longest of the training split",
    "carry": f"exact sums of pairs in which a carry is passed on {LONG_CARRY} times or more",
}

METRICS = {f"exact_{part}": Metric("higher", (f"exact_{part}", f"pairs_{part}"), percentage, text)
           for part, text in _TEXTS.items()}
METRICS["bits_64"] = Metric("higher", ("bits_right", "bits"), percentage,
                            "share of the bits of the sums of 64-bit numbers that are right")
METRICS["exact"] = Metric("higher", ("exact", "pairs"), percentage,
                          "share of all pairs that are added without a wrong bit, in percent")
FACETS = {"length": Facet("length of the numbers", "bits", "length", "exact",
                          (*range(1, 9), 16, 32, 64))}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Counts of each test pair. Raises UserError when predictions do not fit the test pairs."""
    items = read_json(test / "items.json")
    ids = [item["id"] for item in items]
    found = aligned(predictions, ids)
    names = [column for metric in METRICS.values() for column in metric.columns]
    columns = {name: np.zeros(len(items)) for name in names}
    columns["length"] = np.array([len(item["first"]) for item in items], np.float64)
    for row, (prediction, item) in enumerate(zip(found, items, strict=True)):
        right = right_bits(prediction, item["sum"])
        columns["exact"][row], columns["pairs"][row] = right.all(), 1
        for part in _parts(item["first"], item["second"], item["trained"]):
            columns[f"exact_{part}"][row], columns[f"pairs_{part}"][row] = right.all(), 1
        if len(item["first"]) == 64:
            columns["bits_right"][row], columns["bits"][row] = right.sum(), len(right)
    return ItemStatistics(ids, columns, clusters_of(test, ids))


def right_bits(prediction: Prediction, expected: str) -> np.ndarray:
    """Which bits of the answer are those of the `expected` sum. Raises UserError."""
    found = answer_of(prediction, "sum", str)
    if len(found) != len(expected) or not set(found) <= {"0", "1"}:
        raise UserError(f"prediction {prediction['id']!r} has no 'sum' of {len(expected)} bits; "
                        "evaluate the system again")
    return np.array(list(found)) == np.array(list(expected))


def longest_carry(first: str, second: str) -> int:
    """How many places pass the same carry on: 0 where none is made or the next place takes it in.

    A place makes a carry of two ones, and passes one on if one of its bits is 1.
    """
    longest, run = 0, None
    for pair in zip(reversed(first), reversed(second), strict=True):
        ones = pair.count("1")
        if ones == 1 and run is not None:
            run += 1
            longest = max(longest, run)
        else:
            run = 0 if ones == 2 else None
    return longest


def _parts(first: str, second: str, trained: bool) -> list[str]:
    """The parts of the test set that a pair belongs to."""
    parts = [str(len(first))] if len(first) in LENGTHS else []
    if trained:
        parts.append("trained")
    if longest_carry(first, second) >= LONG_CARRY:
        parts.append("carry")
    return parts
