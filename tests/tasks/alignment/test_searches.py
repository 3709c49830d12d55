"""From scores to phones: each search by hand, and the constrained one against all cuts."""

import numpy as np
import pytest

from pipeline.tasks.alignment.shared.searches import Known, constrained, in_symbols, of_runs
from tests.tasks.alignment.test_word_loop import cuts

STAYS = np.log(np.full(4, 0.6))
KNOWN = Known(STAYS, [np.array([1, 2]), np.array([3])])
# Frame by frame 1, 3 and 2 are most probable; one 2 stands within the 1's.
SCORES = np.log(np.array([
    [0.1, 0.7, 0.1, 0.1], [0.1, 0.4, 0.45, 0.05], [0.1, 0.7, 0.1, 0.1], [0.02, 0.02, 0.06, 0.9],
    [0.1, 0.1, 0.7, 0.1]]))


@pytest.mark.parametrize("seed", range(20))
def test_no_cut_is_better_than_the_constrained_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores = np.log(random.dirichlet(np.ones(4), int(random.integers(4, 9))))
    symbols = random.permutation(4)[: random.integers(1, 5)]

    def worth(starts: list[int]) -> float:
        return sum(scores[start:end, symbol].sum() for symbol, start, end in zip(
            symbols, starts, [*starts[1:], len(scores)], strict=True))

    found = constrained(scores, symbols).tolist()
    assert worth(found) == pytest.approx(max(map(worth, cuts(len(symbols), len(scores)))))


def test_equal_neighbours_are_parted_where_a_silence_is_likeliest() -> None:
    scores = np.log(np.array([[0.1, 0.9], [0.1, 0.9], [0.8, 0.2], [0.1, 0.9]]))
    assert constrained(scores, np.array([1, 1])).tolist() == [0, 3]


def test_phones_that_do_not_fit_have_equal_shares() -> None:
    assert constrained(SCORES[:2], np.array([1, 2, 3])).tolist() == [0, 0, 1]
    assert constrained(SCORES, np.zeros(0, np.int64)).tolist() == []


@pytest.mark.parametrize(("search", "symbols", "starts"), [
    ("constrained", [1, 2], [0, 3]),
    ("blocked", [1, 2, 1, 2], [0, 1, 2, 3]),
    ("time-synchronous", [1, 2, 1, 3, 2], [0, 1, 2, 3, 4]),
    ("order-synchronous", [1, 3, 2], [0, 3, 4]),
    ("dictionary", [1, 2, 3], None),
])
def test_searches_know_different_things(search: str, symbols: list[int],
                                        starts: list[int] | None) -> None:
    scores = SCORES if starts else np.log(np.array(
        [[0.01, 0.97, 0.01, 0.01], [0.01, 0.01, 0.47, 0.51], [0.01, 0.01, 0.01, 0.97]]))
    found = KNOWN.found(search, scores, np.array([1, 2]))  # type: ignore[arg-type]
    assert found.symbols.tolist() == symbols
    assert starts is None or found.starts.tolist() == starts


def test_of_what_nobody_said_nothing_is_blocked() -> None:
    nothing = np.zeros(0, np.int64)
    blocked, free = (KNOWN.found(search, SCORES, nothing)  # type: ignore[arg-type]
                     for search in ("blocked", "time-synchronous"))
    assert blocked.symbols.tolist() == free.symbols.tolist()


def test_runs_of_nothing_are_no_phones() -> None:
    assert of_runs([]).starts.tolist() == []


def test_a_way_to_say_a_word_has_known_phones_and_counts_once() -> None:
    found = in_symbols({"A": [["X", "Y"], ["X"]], "B": [["X"], ["Q"]]}, ["SIL", "X", "Y"])
    assert [way.tolist() for way in found] == [[1, 2], [1]]
