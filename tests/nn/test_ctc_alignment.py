"""The best alignment and all strings against every path, written out."""

import math
from itertools import product

import numpy as np
import pytest
import torch

from pipeline.nn.ctc import best_path, collapse, prefix_beam_search, string_log_probability
from pipeline.nn.ctc_alignment import best_alignment, strings_and_paths
from tests.nn.test_ctc import Silent


def drawn(frames: int, symbols: int, seed: int) -> np.ndarray:
    """Log-probabilities [frames, symbols]."""
    scores = np.random.default_rng(seed).normal(0, 2, (frames, symbols))
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


@pytest.mark.parametrize("string", [[], [1], [1, 2], [2, 2], [1, 1, 2], [1, 2, 1]])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_alignment_is_the_best_of_all(string: list[int], seed: int) -> None:
    emissions = drawn(6, 3, seed)
    every = [path for path in product(range(3), repeat=6) if collapse(path) == string]
    logs = [sum(emissions[frame, symbol] for frame, symbol in enumerate(path)) for path in every]
    found = best_alignment(emissions, string)
    assert found.path.tolist() == list(every[int(np.argmax(logs))])
    assert found.log_probability == pytest.approx(max(logs))


def test_places_are_where_symbols_begin_and_end() -> None:
    path = [0, 1, 1, 2, 0, 2, 2, 2, 1, 0]
    emissions = np.log(np.where(np.eye(3)[path] > 0, 0.9, 0.05))
    found = best_alignment(emissions, [1, 2, 2, 1])
    assert found.path.tolist() == path
    assert found.places == [(1, 3), (3, 4), (5, 8), (8, 9)]


def test_a_string_that_needs_more_frames_has_no_alignment() -> None:
    assert best_alignment(drawn(3, 2, 0), [1, 1]).path.tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match="2 frames have no alignment of 2 symbols"):
        best_alignment(drawn(2, 2, 0), [1, 1])
    assert best_alignment(drawn(0, 2, 0), []).log_probability == 0


def test_the_most_probable_path_and_the_most_probable_string_differ() -> None:
    """Two frames: the blank has 0.6 in each, and the only symbol 0.4."""
    found = strings_and_paths(np.array([[0.6, 0.4], [0.6, 0.4]]))
    assert list(found) == [(1,), ()]
    assert found[1,] == pytest.approx({(1, 0): 0.24, (0, 1): 0.24, (1, 1): 0.16})
    assert found[()] == pytest.approx({(0, 0): 0.36})
    emissions = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert best_path(emissions) == []
    assert prefix_beam_search(emissions, Silent(), beam=8, least_posterior=0.0) == [1]


def test_paths_of_a_string_sum_to_its_probability() -> None:
    emissions = drawn(4, 3, 7)
    found = strings_and_paths(np.exp(emissions))
    assert math.fsum(one for paths in found.values() for one in paths.values()) == pytest.approx(1)
    assert sum(map(len, found.values())) == 3**4
    totals = [sum(paths.values()) for paths in found.values()]
    assert totals == sorted(totals, reverse=True)
    for string, total in zip(found, totals, strict=True):
        assert total == pytest.approx(math.exp(string_log_probability(emissions, list(string))))
        loss = torch.nn.functional.ctc_loss(
            torch.from_numpy(emissions)[:, None], torch.tensor([string], dtype=torch.int64),
            torch.tensor([4]), torch.tensor([len(string)]), reduction="sum")
        assert total == pytest.approx(math.exp(-float(loss)))
