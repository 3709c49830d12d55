"""Whole words against every path written out, and against graphs of states on logarithms."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

from pipeline.hmm import utterances as general
from pipeline.hmm.chains import Steps, best_states
from pipeline.hmm.gmm import Mixtures
from pipeline.hmm.gmm_training import grown, variance_floor
from pipeline.hmm.phones import Monophones, Topology
from pipeline.hmm.training import STAY_RANGE
from pipeline.hmm.training import updated as updated_graphs
from pipeline.hmm.transcripts import Silence, spoken
from pipeline.hmm.utterances import AcousticModel, Utterances
from pipeline.hmm.whole_words import (
    Recordings,
    Schedule,
    WholeWords,
    expected,
    flat_start,
    log_likelihoods,
    train,
    updated,
)

WORDS, STATES, DIMENSIONS = 3, 3, 2
LENGTHS = (3, 5, 4, 6, 3, 8, 5)
SAID = np.array([2, 0, 1, 0, 2, 1, 0])
OFFSETS = np.cumsum([0, *LENGTHS])
KINDS = ("baum-welch", "viterbi")


def drawn(counts: list[int], spread: float = 1.0, seed: int = 1) -> tuple[WholeWords, np.ndarray]:
    """Models with `counts` Gaussians in their states, and frames of the recordings."""
    random = np.random.default_rng(seed)
    offsets = np.cumsum([0, *counts])
    weights = random.uniform(0.2, 1.0, offsets[-1])
    weights /= np.repeat(np.add.reduceat(weights, offsets[:-1]), counts)
    mixtures = Mixtures(weights, random.normal(0, spread, (offsets[-1], DIMENSIONS)),
                        random.uniform(0.5, 2.0, (offsets[-1], DIMENSIONS)), offsets)
    stay = np.log(random.uniform(0.2, 0.9, (WORDS, STATES)))
    return WholeWords(stay, mixtures), random.normal(0, spread, (OFFSETS[-1], DIMENSIONS))


def recorded(frames: np.ndarray) -> Recordings:
    return Recordings.of(frames, OFFSETS, SAID, WORDS, STATES)


def paths_of(model: WholeWords, frames: np.ndarray, word: int) -> dict[tuple[int, ...], float]:
    """log P(path, frames) of each path from the first state of a word through to its last."""
    found = {}
    stay = model.stay[word]
    leave = np.log(1 - np.exp(stay))
    for path in product(range(STATES), repeat=len(frames)):
        steps = [after - before for before, after in pairwise(path)]
        if path[0] == 0 and path[-1] == STATES - 1 and set(steps) <= {0, 1}:
            score = leave[-1]
            for x, state in zip(frames, path, strict=True):
                score += density(model.mixtures, x, word * STATES + state)
            for before, step in zip(path, steps, strict=False):
                score += leave[before] if step else stay[before]
            found[path] = float(score)
    return found


def density(mixtures: Mixtures, x: np.ndarray, state: int) -> float:
    """log p(x | state)."""
    total = 0.0
    for one in range(mixtures.offsets[state], mixtures.offsets[state + 1]):
        own = np.exp(-((x - mixtures.means[one]) ** 2) / (2 * mixtures.variances[one]))
        total += mixtures.weights[one] * np.prod(own / np.sqrt(2 * np.pi
                                                                * mixtures.variances[one]))
    return float(np.log(total))


def graphs(model: WholeWords, frames: np.ndarray) -> tuple[AcousticModel, Utterances]:
    """The same models and recordings as graphs of states."""
    names = [f"word {number}" for number in range(WORDS)]
    tied = Monophones.of(Topology.of(names, STATES, silence_states=1))
    places = np.concatenate([tied.states("", name, "") for name in names])
    stay = np.log(np.full(len(tied.stay), 0.5))
    stay[places] = model.stay.ravel()
    order = np.argsort(np.concatenate([places, np.setdiff1d(np.arange(len(stay)), places)]))
    mixtures = with_silence(model.mixtures, len(stay) - len(places))
    own = mixtures.gaussians_of(order)
    counts = mixtures.counts[order]
    lexicon = {name: [[name]] for name in names}
    made = [spoken([name], lexicon, tied, Silence(0.0, 0.0)).graph for name in names]
    return (AcousticModel(tied.with_stay(stay), Mixtures(
        mixtures.weights[own], mixtures.means[own], mixtures.variances[own],
        np.concatenate([[0], np.cumsum(counts)]))),
        Utterances(frames, OFFSETS, [made[word] for word in SAID]))


def with_silence(mixtures: Mixtures, states: int) -> Mixtures:
    """Single Gaussians for as many states that nobody hears, behind the others."""
    more = np.zeros((states, DIMENSIONS))
    return Mixtures(np.append(mixtures.weights, np.ones(states)),
                    np.concatenate([mixtures.means, more]),
                    np.concatenate([mixtures.variances, more + 1]),
                    np.append(mixtures.offsets, mixtures.offsets[-1] + 1 + np.arange(states)))


def of_words(model: AcousticModel) -> np.ndarray:
    """The Gaussians of words, in the order of words."""
    states = np.concatenate([model.tied.states("", f"word {number}", "")
                             for number in range(WORDS)])
    return model.mixtures.gaussians_of(states)


@pytest.mark.parametrize("counts", [[1] * 9, [2] * 9, [1, 3, 2, 1, 1, 2, 3, 1, 1]])
def test_sums_and_best_paths_are_those_of_every_path(counts: list[int]) -> None:
    model, frames = drawn(counts)
    recordings = recorded(frames)
    sums, best = expected(model, recordings), expected(model, recordings, "viterbi")
    occupancy, on_best = np.zeros((2, WORDS * STATES))
    first = np.zeros((WORDS * STATES, DIMENSIONS))
    for place, given in enumerate(recordings.given):
        x, word = frames[OFFSETS[given] : OFFSETS[given + 1]], SAID[given]
        every = paths_of(model, x, word)
        total = sum(map(np.exp, every.values()))
        assert sums.log_likelihoods[place] == pytest.approx(np.log(total))
        assert log_likelihoods(model, x)[word] == pytest.approx(np.log(total))
        path = max(every, key=lambda one: every[one])
        assert best.log_likelihoods[place] == pytest.approx(every[path])
        np.add.at(on_best, word * STATES + np.array(path), 1)
        for chosen, score in every.items():
            for state, frame in zip(chosen, x, strict=True):
                occupancy[word * STATES + state] += np.exp(score) / total
                first[word * STATES + state] += np.exp(score) / total * frame
    np.testing.assert_allclose(sums.statistics.of_states(model.mixtures), occupancy)
    np.testing.assert_allclose(best.statistics.of_states(model.mixtures), on_best, atol=1e-12)
    np.testing.assert_allclose(
        np.add.reduceat(sums.statistics.first, model.mixtures.offsets[:-1]), first, atol=1e-12)


# So far apart that a number holds the probability of no recording.
@pytest.mark.parametrize("spread", [1.0, 400.0])
@pytest.mark.parametrize("kind", KINDS)
def test_training_is_that_of_graphs_of_states(kind: str, spread: float) -> None:
    model, frames = drawn([1, 3, 2, 1, 1, 2, 3, 1, 1], spread)
    recordings, floor = recorded(frames), variance_floor(frames, 0.001)
    peer, utterances = graphs(model, frames)
    for _ in range(3):
        mine = expected(model, recordings, kind)
        theirs = (general.expected(peer, utterances) if kind == "baum-welch" else
                  general.expected_aligned(peer, utterances, general.align(peer, utterances)))
        assert mine.log_likelihoods.sum() == pytest.approx(theirs.log_likelihood, rel=1e-11)
        own = of_words(peer)
        for name in ("occupancy", "first", "second"):
            np.testing.assert_allclose(getattr(mine.statistics, name),
                                       getattr(theirs.statistics, name)[own],
                                       rtol=1e-7, atol=1e-7 * spread ** 2)
        model = updated(model, recordings, mine, floor, 0.0, 1)
        peer = updated_graphs(peer, theirs, floor, 0.0, 1)
        stay = np.asarray(peer.tied.stay)[np.concatenate(
            [peer.tied.states("", f"word {number}", "") for number in range(WORDS)])]
        np.testing.assert_allclose(np.exp(model.stay.ravel()), np.exp(stay), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gaussians", [1, 2])
def test_no_pass_lowers_the_likelihood(kind: str, gaussians: int) -> None:
    random = np.random.default_rng(4)
    lengths = random.integers(8, 25, 60)
    offsets = np.cumsum([0, *lengths])
    frames = random.normal(np.sin(np.arange(offsets[-1]))[:, None], 1.0, (offsets[-1], 3))
    recordings = Recordings.of(frames, offsets, random.integers(0, 2, 60), 2, 4)
    start = flat_start(recordings, 1e-6)
    start = replace(start, mixtures=grown(start.mixtures, np.full(8, gaussians)))
    found = [report.log_likelihood for _, report in
             train(start, recordings, Schedule(12, gaussians, 0, kind, 1e-6))]
    assert all(after >= before - 1e-12 for before, after in pairwise(found))
    assert found[-1] > found[0] + 0.02


def test_mixtures_grow_to_what_the_schedule_wants_and_rare_gaussians_go() -> None:
    _, frames = drawn([1] * 9)
    recordings = recorded(frames)
    sizes = [len(model.mixtures.weights) for model, _ in
             train(flat_start(recordings, 0.01), recordings, Schedule(4, 3, 2))]
    assert sizes == [18, 27, 27, 27]
    model = flat_start(recordings, 0.01)
    for after, _ in train(model, recordings, Schedule(4, 3, 2, least_frames=3.0)):
        occupancy = expected(model, recordings).statistics.of_states(model.mixtures)
        assert (after.mixtures.counts * 3 <= np.maximum(occupancy, 3)).all()
        model = after
    assert 9 < len(model.mixtures.weights) < 27


def test_a_flat_start_divides_each_recording_equally() -> None:
    frames = np.arange(OFFSETS[-1], dtype=float)[:, None].repeat(2, axis=1)
    model = flat_start(recorded(frames), 1e-9)
    # Word 2 was said twice, in 3 frames each time: 0 to 2, and 18 to 20.
    np.testing.assert_allclose(model.mixtures.means[6:, 0], [9, 10, 11])
    np.testing.assert_allclose(model.mixtures.variances[6:, 0], [81] * 3)
    np.testing.assert_allclose(np.exp(model.stay[2]), STAY_RANGE[0])
    # Word 1 in 4 and in 8: their first states have 2 and 3 frames.
    np.testing.assert_allclose(np.exp(model.stay[1, 0]), 1 - 2 / 5)
    np.testing.assert_allclose(model.mixtures.means[3, 0], (8 + 9 + 21 + 22 + 23) / 5)


def test_recordings_shorter_than_a_word_are_left_out_and_counted() -> None:
    model, frames = drawn([1] * 9)
    short = np.array([0, 2, *OFFSETS[1:]])
    said = np.array([2, 2, *SAID[1:]])  # the first is cut into 2 frames and 1
    recordings = Recordings.of(frames, short, said, WORDS, STATES)
    assert recordings.left_out == 2
    assert recordings.given.tolist() == [2, 4, 7, 3, 6, 5]
    assert len(recordings.powers) == len(frames) - 3
    assert expected(model, recordings).statistics.occupancy.sum() == pytest.approx(
        len(frames) - 3)
    assert (log_likelihoods(model, frames[:2]) == -np.inf).all()
    with pytest.raises(ValueError, match="no recording has 9 frames"):
        Recordings.of(frames, OFFSETS, SAID, WORDS, 9)


def test_a_word_that_nobody_said_stays_as_it_was() -> None:
    model, frames = drawn([1] * 9)
    recordings = Recordings.of(frames, OFFSETS, np.where(SAID == 1, 0, SAID), WORDS, STATES)
    after, _ = next(train(model, recordings, Schedule(1, 1, 0)))
    np.testing.assert_array_equal(after.stay[1], model.stay[1])
    np.testing.assert_array_equal(after.mixtures.means[3:6], model.mixtures.means[3:6])
    assert (after.stay[0] != model.stay[0]).all()


def test_an_improbable_recording_is_summed_beside_probable_ones() -> None:
    model, frames = drawn([2] * 9)
    far = frames.copy()
    far[OFFSETS[3] : OFFSETS[4]] += 300.0  # a density of about e^-45000 in each frame
    both = expected(model, recorded(far))
    near = expected(model, recorded(frames))
    place = int(np.flatnonzero(recorded(far).given == 3)[0])
    others = np.delete(np.arange(len(LENGTHS)), place)
    np.testing.assert_allclose(both.log_likelihoods[others], near.log_likelihoods[others])
    assert both.log_likelihoods[place] < -100_000
    peer, utterances = graphs(model, far)
    wanted = general.expected(peer, utterances)
    assert both.log_likelihoods.sum() == pytest.approx(wanted.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(both.statistics.occupancy,
                               wanted.statistics.occupancy[of_words(peer)], atol=1e-8)


def test_a_path_that_every_frame_but_the_last_makes_unlikely_is_not_lost() -> None:
    """The last state is improbable until the end: each step alone would hide it from a number."""
    random = np.random.default_rng(0)
    centres = np.array([[0.0], [60.0]])
    mixtures = Mixtures(np.ones(2), centres, np.ones((2, 1)), np.array([0, 1, 2]))
    model = WholeWords(np.log([[0.9, 0.9]]), mixtures)
    frames = random.normal(0, 1, (6, 1))
    frames[2] = 60.0  # the word has to be in its last state from here on, or here in its first
    found = expected(model, Recordings.of(frames, np.array([0, 6]), np.array([0]), 1, 2))
    scores = []
    for change in range(1, 6):  # the frame that is the first in the last state
        path = np.arange(6) >= change
        squares = (frames[:, 0] - centres[path.astype(int), 0]) ** 2
        scores.append(-0.5 * squares.sum() - 3 * np.log(2 * np.pi)
                      + 4 * np.log(0.9) + 2 * np.log(0.1))
    assert found.log_likelihoods[0] == pytest.approx(np.logaddexp.reduce(scores))
    assert found.statistics.occupancy.sum() == pytest.approx(6)


def test_of_equal_paths_the_one_that_stays_longest_in_later_states_is_taken() -> None:
    path, scores = best_states(Steps.of(np.array([0, 5, 8])), np.zeros((3, 8)))
    assert path.tolist() == [0, 0, 1, 1, 2, 2, 2, 2] and scores.tolist() == [0.0, 0.0]
