"""Batches by length: every sequence once, neighbours in length together, order from the seed."""

import numpy as np

from pipeline.nn.batching import shuffled_batches, sorted_by_length


def generator(seed: int = 3) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def test_sequences_are_sorted_and_equals_change_places() -> None:
    lengths = np.array([5, 2, 9, 2, 2, 5, 2, 2, 2])
    orders = [sorted_by_length(lengths, generator(seed)).tolist() for seed in range(20)]
    for order in orders:
        assert sorted(order) == list(range(9))
        assert [lengths[item] for item in order] == sorted(lengths)
    assert len({tuple(order) for order in orders}) > 10


def test_batches_hold_each_number_once_in_the_order_given() -> None:
    order = np.array([4, 0, 3, 1, 2, 6, 5])
    batches = [batch.tolist() for batch in shuffled_batches(order, 3, generator())]
    assert sorted(batches) == [[1, 2, 6], [4, 0, 3], [5]]


def test_batches_come_in_another_order_for_another_seed() -> None:
    orders = {tuple(int(batch[0]) for batch in shuffled_batches(np.arange(40), 4, generator(seed)))
              for seed in range(10)}
    assert len(orders) > 5
