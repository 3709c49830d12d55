"""CTC's best alignment against all alignments; rules between spikes."""

from itertools import product

import numpy as np
import pytest

from pipeline.nn.ctc import collapse
from pipeline.tasks.alignment.shared.spikes import Spikes, best_alignment, blocked_path


def emissions(seed: int, frames: int) -> np.ndarray:
    return np.log(np.random.default_rng(seed).dirichlet(np.ones(4), frames))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("said", [[1], [1, 2], [2, 2], [1, 3, 3], [3, 1, 3], []])
def test_no_alignment_of_what_was_said_is_better(seed: int, said: list[int]) -> None:
    scores = emissions(seed, 6)
    every = [path for path in product(range(4), repeat=6) if collapse(list(path)) == said]
    best = max(every, key=lambda path: sum(scores[range(6), path]))
    found = best_alignment(scores, said)
    assert found is not None and found.tolist() == list(best)


def test_equal_neighbours_need_a_blank_between_them() -> None:
    assert best_alignment(emissions(1, 2), [1, 1]) is None
    found = best_alignment(emissions(1, 3), [1, 1])
    assert found is not None and found.tolist() == [1, 0, 1]


FRAMES = np.array([0, 0, 2, 0, 0, 0, 3, 3, 0, 3, 0])


def test_a_spike_has_a_first_and_a_last_frame() -> None:
    found = Spikes.of(FRAMES)
    assert found.symbols.tolist() == [2, 3, 3]
    assert found.firsts.tolist() == [2, 6, 9] and found.lasts.tolist() == [2, 7, 9]


def test_phones_meet_halfway_or_at_the_spike() -> None:
    # Between frames 2 and 6 lie three, two of them of the first; between 7 and 9 one.
    assert Spikes.of(FRAMES).starts("midpoint").tolist() == [0, 5, 9]
    assert Spikes.of(FRAMES).starts("spike").tolist() == [0, 6, 9]


def test_spikes_side_by_side_meet_there() -> None:
    found = Spikes.of(np.array([1, 2, 2]))
    assert found.starts("midpoint").tolist() == found.starts("spike").tolist() == [0, 1]


def test_nothing_said_has_no_starts() -> None:
    assert Spikes.of(np.zeros(3, np.int64)).starts("midpoint").tolist() == []


def test_absent_symbols_are_blocked_and_the_blank_is_not() -> None:
    scores = np.log(np.array([[0.1, 0.2, 0.7], [0.6, 0.1, 0.3], [0.2, 0.3, 0.5]]))
    assert blocked_path(scores, [1]).tolist() == [1, 0, 1]
