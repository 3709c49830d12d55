"""What is forgotten of long utterances while they are searched, and how large lattices may get."""

from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.decoding import log, nbest, search
from pipeline.decoding.composition import compose
from pipeline.decoding.lattice import Lattice, confidences
from pipeline.decoding.lattice_building import word_lattice
from pipeline.decoding.lattice_limits import Best, Most, best_places
from pipeline.decoding.nbest import n_best
from pipeline.decoding.network import Weights
from pipeline.decoding.search import Beam, Search
from pipeline.decoding.trace import Recognition
from tests.decoding.small import frames_of, recogniser

WEIGHTS = Weights(0.5, 2.0, -0.7)
NEVER = 10**6


def forgetting(monkeypatch: pytest.MonkeyPatch, period: int, looked_back: int = 0) -> None:
    monkeypatch.setattr(search, "PERIOD", period)
    monkeypatch.setattr(log, "PERIOD", period)
    monkeypatch.setattr(log, "LOOKED_BACK", looked_back or period)


def searching(seed: int, beam: Beam) -> Search:
    small = recogniser(seed)
    return Search(compose(small.lexicon, small.grammar, small.tied, small.pause), WEIGHTS, beam)


def same(one: Lattice, other: Lattice) -> bool:
    return all(np.array_equal(getattr(one, field.name), getattr(other, field.name))
               for field in fields(Lattice))


def utterances(seed: int) -> list[NDArray[np.float64]]:
    """The first is lost in its 60th frame, which no state can have."""
    found = [frames_of(seed + place, length) for place, length in enumerate((90, 70, 75, 20, 55))]
    found[0][59] = -np.inf
    return found


@pytest.mark.parametrize(("period", "looked_back"), [(1, 20), (7, 20), (10, 25)])
@pytest.mark.parametrize("seed", [2, 6])
def test_what_is_forgotten_changes_no_lattice(monkeypatch: pytest.MonkeyPatch, seed: int,
                                              period: int, looked_back: int) -> None:
    chosen, frames = searching(seed, Beam(9.0, 60, lattice=5.0)), utterances(seed)

    def heard() -> tuple[list[Recognition], list[Lattice]]:
        found = chosen.recognise(frames, lattices=True)
        return found, [word_lattice(chosen, one, answer.trace, 5.0)
                       for one, answer in zip(frames, found, strict=True)]

    forgetting(monkeypatch, NEVER)
    whole, whole_lattices = heard()
    forgetting(monkeypatch, period, looked_back)
    pruned, lattices = heard()
    assert all(map(same, lattices, whole_lattices))
    assert sum(len(one.sources) for one in lattices) > 300
    assert [one.words for one in pruned] == [one.words for one in whole]
    assert not whole[0].finished and all(one.finished for one in whole[1:])
    kept, every = (sum(len(one.trace.token_nodes) for one in found) for found in (pruned, whole))
    assert kept < every / 2
    assert sum(len(one.trace.end_frames) for one in pruned) < sum(
        len(one.trace.end_frames) for one in whole) * 0.8


def test_without_lattices_only_ways_to_what_is_left_are_remembered(
        monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, frames = searching(3, Beam(9.0, 60)), utterances(3)
    forgetting(monkeypatch, NEVER)
    whole = chosen.recognise(frames)
    forgetting(monkeypatch, 7, 11)
    pruned = chosen.recognise(frames)
    for one, other in zip(pruned, whole, strict=True):
        assert (one.words, one.starts, one.ends, one.score, one.finished) == (
            other.words, other.starts, other.ends, other.score, other.finished)
    assert sum(len(one.trace.entry_arcs) for one in pruned) < sum(
        len(one.trace.entry_arcs) for one in whole) / 3


def test_of_frames_in_which_all_is_as_good_the_best_ways_stay(
        monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, frames = searching(6, Beam(lattice=30.0)), frames_of(6, 80) / 30
    forgetting(monkeypatch, NEVER)
    [whole] = chosen.recognise([frames], lattices=True)
    forgetting(monkeypatch, 10, 15)
    monkeypatch.setattr(log, "MOST", 6)
    [found] = chosen.recognise([frames], lattices=True)
    assert found.trace.limited and not whole.trace.limited
    assert len(found.trace.token_nodes) < len(whole.trace.token_nodes) / 2
    lattice = word_lattice(chosen, frames, found.trace, 30.0)
    [best] = n_best(lattice, WEIGHTS, 1)
    assert best.words == found.words == whole.words
    assert best.score == pytest.approx(whole.score, rel=1e-9)


@pytest.mark.parametrize("most", [Most(1, 1), Most(4, 10), Most(1000, 10), Most(5, 1000)])
def test_a_limited_lattice_has_the_best_words_and_no_dead_ends(most: Most) -> None:
    chosen, frames = searching(6, Beam()), frames_of(6, 30)
    [found] = chosen.recognise([frames], lattices=True)
    whole = word_lattice(chosen, frames, found.trace, 12.0)
    lattice = word_lattice(chosen, frames, found.trace, 12.0, most)
    assert len(lattice.sources) < len(whole.sources) / 2
    assert len(lattice.sources) <= max(most.links, most.paths * 30) + len(found.words) * 2 + 2
    [best] = n_best(lattice, WEIGHTS, 1)
    assert best.words == found.words
    assert best.score == pytest.approx(found.score, rel=1e-9)
    assert (lattice.posteriors(WEIGHTS, 0.2) > 0).all()
    assert np.isin(np.arange(1, lattice.nodes), lattice.targets).all()
    assert np.isin(np.arange(lattice.nodes - 1), lattice.sources).all()
    # What it says of other sentences, it says with the scores that they have.
    scores = {one.words: one.score for one in n_best(whole, WEIGHTS, 10_000)}
    for one in n_best(lattice, WEIGHTS, 50):
        assert one.score <= scores[one.words] + 1e-9
    assert len(confidences(lattice, found, WEIGHTS, 0.5)) == len(found.words)


def test_limits_that_are_not_reached_change_nothing() -> None:
    chosen, frames = searching(6, Beam()), frames_of(6, 30)
    [found] = chosen.recognise([frames], lattices=True)
    whole = word_lattice(chosen, frames, found.trace, 12.0)
    most = Most(10**6, len(whole.sources))
    assert same(word_lattice(chosen, frames, found.trace, 12.0, most), whole)


def test_the_best_of_each_span_are_kept_in_order() -> None:
    totals = np.array([3.0, 1.0, 3.0, 2.0, 3.0])
    assert best_places(totals, 2).tolist() == [0, 2]
    assert best_places(totals, 4).tolist() == [0, 2, 3, 4]
    collected = Best(3, np.int64)
    for time in range(150):
        collected.add(time, np.array([float(-(time % 40)), -50.0]), np.array([time, -1]))
    # Two spans of times, 0 to 99 and 100 to 149: the totals 0, 0, 0 at 0, 40, 80; then 0 at 120,
    # -1 at 121 and -2 at 122.
    [times] = collected.columns()
    assert times.tolist() == [0, 40, 80, 120, 121, 122] and collected.cut


def test_hypotheses_that_cannot_win_need_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, frames = searching(2, Beam()), frames_of(2, 12)
    [found] = chosen.recognise([frames], lattices=True)
    lattice = word_lattice(chosen, frames, found.trace, 30.0)
    every = n_best(lattice, WEIGHTS, 1000)
    assert len(every) > 100
    monkeypatch.setattr(nbest, "_WAITING", 0)
    for count in (1, 2, 5, 40):
        assert n_best(lattice, WEIGHTS, count) == every[:count]
