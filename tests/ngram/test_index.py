"""A hash table of arrays beside Python's."""

import numpy as np
import pytest

from pipeline.ngram.index import ABSENT, KeyIndex


@pytest.mark.parametrize("count", [0, 1, 2, 7, 1000, 50_000])
@pytest.mark.parametrize("largest", [60_000, 2**62])
def test_finds_each_key_and_no_other(count: int, largest: int) -> None:
    random = np.random.default_rng(count)
    keys = np.unique(random.integers(0, largest, count))
    random.shuffle(keys)
    places = {key: place for place, key in enumerate(keys.tolist())}
    asked = np.concatenate([keys, keys + 1, random.integers(0, largest, 3000), [0, largest]])
    found = KeyIndex(keys).find(asked)
    assert found.dtype == np.int64
    assert found.tolist() == [places.get(key, ABSENT) for key in asked.tolist()]


def test_keys_that_come_to_one_slot_are_told_apart() -> None:
    # The upper bits of key * 2^64 / golden ratio: for these all ones, the last slot of any table.
    inverse = pow(0x9E3779B97F4A7C15, -1, 2**64)
    top = [(2**64 - 1 - number) * inverse % 2**64 for number in range(400)]
    keys = np.array([key for key in top if key < 2**63])
    assert len(keys) > 100
    index = KeyIndex(keys[::2])
    assert index.find(keys[::2]).tolist() == list(range(len(keys[::2])))
    assert set(index.find(keys[1::2]).tolist()) == {ABSENT}


def test_no_keys_ask_for_nothing() -> None:
    assert KeyIndex(np.arange(5)).find(np.zeros(0, np.int64)).tolist() == []
