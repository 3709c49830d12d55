"""Pairs of phones against all alignments that there are."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from pipeline.tasks.alignment.shared.pairing import pairs

Pairs = tuple[tuple[int, int], ...]


def every(rows: int, columns: int) -> Iterator[Pairs]:
    """Every set of pairs in which later places have later counterparts."""
    if not rows or not columns:
        yield ()
        return
    for column in range(columns):
        for before in every(rows - 1, column):
            yield (*before, (rows - 1, column))
    yield from every(rows - 1, columns)


def errors(found: Pairs, one: Sequence[str], other: Sequence[str]) -> float:
    changed = sum(one[row] != other[column] for row, column in found)
    forbidden = any("SIL" in (one[row], other[column]) and one[row] != other[column]
                    for row, column in found)
    return float("inf") if forbidden else changed + len(one) + len(other) - 2 * len(found)


@pytest.mark.parametrize("seed", range(40))
def test_no_other_pairs_have_fewer_errors_or_are_nearer_in_time(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, other = (random.choice(["A", "B", "SIL"], random.integers(1, 6)).tolist()
                  for _ in range(2))
    times, answered = (np.sort(random.uniform(0, 1, len(side))).tolist() for side in (one, other))

    def apart(found: Pairs) -> float:
        return sum(abs(times[row] - answered[column]) for row, column in found)

    ranked = sorted((errors(found, one, other), apart(found), found)
                    for found in every(len(one), len(other)))
    found = tuple(sorted(pairs(one, other, times, answered).items()))
    assert errors(found, one, other) == ranked[0][0]
    nearest = min(distance for count, distance, _ in ranked if count == ranked[0][0])
    assert apart(found) == pytest.approx(nearest)


@pytest.mark.parametrize("seed", range(10))
def test_without_silences_the_errors_are_the_edit_distance(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, other = (random.choice(list("ABC"), 12).tolist() for _ in range(2))
    found = tuple(sorted(pairs(one, other).items()))
    assert errors(found, one, other) == Levenshtein.distance(one, other)


def test_the_same_phones_are_paired_one_to_one() -> None:
    phones = ["SIL", "T", "T", "UW", "T", "SIL"]
    assert pairs(phones, phones) == {place: place for place in range(6)}


def test_of_equal_neighbours_the_nearer_one_is_the_counterpart() -> None:
    assert pairs(["S", "T"], ["S", "T", "T"], [0.0, 0.5], [0.0, 0.2, 0.49]) == {0: 0, 1: 2}
    assert pairs(["S", "T"], ["S", "T", "T"], [0.0, 0.25], [0.0, 0.2, 0.49]) == {0: 0, 1: 1}
    # What begins at no known time is as near to one as to the other.
    assert pairs(["S", "T"], ["S", "T"], [0.0, None], [0.0, 0.2]) == {0: 0, 1: 1}
