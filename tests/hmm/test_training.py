"""Training on utterances drawn from a known model, and expectations against sums by hand."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.hmm import utterances as searching
from pipeline.hmm.gmm import Mixtures
from pipeline.hmm.gmm_training import variance_floor
from pipeline.hmm.graphs import NOWHERE
from pipeline.hmm.phones import Monophones, Topology
from pipeline.hmm.training import Schedule, equal_division, flat_start, train, updated
from pipeline.hmm.transcripts import spoken
from pipeline.hmm.utterances import (
    AcousticModel,
    Alignment,
    Utterances,
    align,
    expected,
    expected_aligned,
)

LEXICON = {"ONE": [["A", "B"]], "TWO": [["C"], ["C", "A"]], "SIX": [["B", "C"]]}
TIED = Monophones.of(Topology.of(["A", "B", "C"], states=2, silence_states=2))
CENTRES = np.random.default_rng(0).normal(0, 3, (8, 2))
EVERY_PASS = frozenset(range(1, 100))


def drawn(count: int, seed: int = 1) -> tuple[Utterances, np.ndarray]:
    """Utterances of three words from Gaussians at CENTRES, and the true state of each frame."""
    random = np.random.default_rng(seed)
    frames, states, offsets, graphs = [], [], [0], []
    for _ in range(count):
        words = random.choice(sorted(LEXICON), 3).tolist()
        phones = ["SIL"]
        for word in words:
            phones += LEXICON[word][random.integers(len(LEXICON[word]))]
        chain = [state for phone in [*phones, "SIL"] for state in TIED.states("", phone, "")]
        path = np.repeat(chain, random.integers(2, 7, len(chain)))
        frames.append(random.normal(CENTRES[path], 0.7))
        states.append(path)
        offsets.append(offsets[-1] + len(path))
        graphs.append(spoken(words, LEXICON, TIED).graph)
    return (Utterances(np.concatenate(frames), np.array(offsets), graphs),
            np.concatenate(states))


# From other draws Viterbi training ends in a worse optimum, where Baum-Welch does not.
@pytest.mark.parametrize(("kind", "seed"), [("viterbi", 3), ("baum-welch", 1)])
def test_training_from_a_flat_start_finds_the_true_states(kind: str, seed: int) -> None:
    utterances, truth = drawn(60, seed)
    model = flat_start(utterances, TIED, 0.01)
    assert (align(model, utterances).states == truth).mean() < 0.9
    for after, report in train(model, utterances, Schedule(12, 8, 0, EVERY_PASS, kind)):
        model = after
        assert report.left_out == 0
    assert (align(model, utterances).states == truth).mean() > 0.97
    np.testing.assert_allclose(model.mixtures.means, CENTRES, atol=0.2)
    # States last 2 to 6 frames, 4 on average.
    np.testing.assert_allclose(np.exp(model.tied.stay), 0.75, atol=0.06)


@pytest.mark.parametrize("kind", ["viterbi", "baum-welch"])
def test_no_pass_lowers_the_likelihood(kind: str) -> None:
    utterances, _ = drawn(12)
    schedule = Schedule(8, 8, 0, frozenset({1, 2, 4, 5}), kind, 1e-6, 0.0)
    model = flat_start(utterances, TIED, 0.01)
    found = [report.log_likelihood for _, report in train(model, utterances, schedule)]
    assert found == sorted(found) and found[-1] > found[0] + 0.1


def test_both_kinds_agree_where_one_path_has_all_the_probability() -> None:
    utterances, _ = drawn(5)
    far = replace(utterances, frames=utterances.frames * 30)
    flat = flat_start(utterances, TIED, 0.01)
    model = AcousticModel(TIED, replace(flat.mixtures, means=CENTRES * 30,
                                        variances=np.full((8, 2), 0.01)))
    alignment = align(model, far)
    path, all_paths = expected_aligned(model, far, alignment), expected(model, far)
    np.testing.assert_allclose(path.stays, all_paths.stays, atol=1e-6)
    np.testing.assert_allclose(path.statistics.first, all_paths.statistics.first, rtol=1e-6)
    assert path.log_likelihood == pytest.approx(all_paths.log_likelihood, rel=1e-9)
    assert path.log_likelihood == pytest.approx(alignment.scores.sum(), rel=1e-9)
    assert path.frames == all_paths.frames == len(far.frames)


def test_mixtures_grow_to_what_the_schedule_wants() -> None:
    utterances, _ = drawn(40)
    schedule = Schedule(6, 24, 4, EVERY_PASS, least_frames=2.0)
    sizes = [report.gaussians for _, report in
             train(flat_start(utterances, TIED, 0.01), utterances, schedule)]
    assert sizes == [8, 12, 16, 20, 24, 24]


def test_a_transcript_longer_than_its_frames_is_left_out() -> None:
    utterances, _ = drawn(3)
    cut = utterances.offsets[2] + 4
    short = replace(utterances, frames=utterances.frames[:cut],
                    offsets=np.array([*utterances.offsets[:3], cut]))
    states = equal_division(short)
    assert (states[-4:] == NOWHERE).all() and (states[:-4] != NOWHERE).all()
    model = flat_start(short, TIED, 0.01)
    alignment = align(model, short)
    assert alignment.scores[2] == -np.inf and (alignment.nodes[-4:] == NOWHERE).all()
    for found in (expected(model, short), expected_aligned(model, short, alignment)):
        assert found.left_out == 1 and found.frames == cut - 4
        assert found.statistics.occupancy.sum() == pytest.approx(cut - 4)
    nothing = Utterances(short.frames[-4:], np.array([0, 4]), short.graphs[2:])
    with pytest.raises(ValueError, match="no frame is in a state"):
        flat_start(nothing, TIED, 0.01)
    with pytest.raises(ValueError, match="no transcript has a path"):
        next(train(model, nothing, Schedule(1, 8, 0, EVERY_PASS)))


def test_stays_are_counted_within_utterances() -> None:
    # Two utterances of silence, in states 0 0 1 and 1 1: the second 1 goes on from no other.
    graph = spoken([], LEXICON, TIED).graph
    utterances = Utterances(np.zeros((5, 2)), np.array([0, 3, 5]), [graph, graph])
    nodes = np.array([0, 0, 1, 1, 1])
    ones = Mixtures(np.ones(8), np.zeros((8, 2)), np.ones((8, 2)), np.arange(9))
    model = AcousticModel(TIED, ones)
    found = expected_aligned(model, utterances, Alignment(nodes, nodes, np.zeros(2), np.zeros(2)))
    assert found.stays.tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    after = updated(model, found, np.ones(2), 0.0, 8)
    assert np.exp(after.tied.stay[:3]) == pytest.approx([1 / 2, 1 / 3, 0.75])
    # log N(0; 0, 1) of ten numbers, and the five transitions.
    assert found.log_likelihood == pytest.approx(
        -5 * np.log(2 * np.pi) + 2 * np.log(0.75) + 3 * np.log(0.25))


def test_batches_change_no_alignment(monkeypatch: pytest.MonkeyPatch) -> None:
    utterances, _ = drawn(10)
    model = flat_start(utterances, TIED, 0.01)
    together = align(model, utterances)
    monkeypatch.setattr(searching, "CELLS", 1)
    assert len(list(utterances.batches())) == 10
    alone = align(model, utterances)
    np.testing.assert_array_equal(together.nodes, alone.nodes)
    np.testing.assert_array_equal(together.scores, alone.scores)


def test_recordings_of_one_graph_are_taken_together_and_count_like_others() -> None:
    random = np.random.default_rng(7)
    alike = [spoken(words, LEXICON, TIED).graph for words in (["ONE"], ["SIX", "TWO"])]
    which, lengths = random.integers(0, 2, 12), random.integers(6, 30, 12)
    lengths[3] = 1  # too short for any path
    frames = random.normal(0, 2, (lengths.sum(), 2))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    shared = Utterances(frames, offsets, [alike[number] for number in which])
    apart = Utterances(frames, offsets, [replace(alike[number]) for number in which])
    model = flat_start(shared, TIED, 0.01)
    one, other = expected(model, shared), expected(model, apart)
    assert one.left_out == other.left_out == 1 and one.frames == other.frames == len(frames) - 1
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(one.stays, other.stays, rtol=1e-9, atol=1e-12)
    for name in ("occupancy", "first", "second"):
        np.testing.assert_allclose(getattr(one.statistics, name), getattr(other.statistics, name),
                                   rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(align(model, shared).nodes, align(model, apart).nodes)


def test_the_variance_of_no_state_falls_below_its_share() -> None:
    utterances, _ = drawn(8)
    schedule = Schedule(3, 16, 2, EVERY_PASS, variance_share=0.2)
    for model, _ in train(flat_start(utterances, TIED, 0.01), utterances, schedule):
        floor = variance_floor(utterances.frames, 0.2)
        assert (model.mixtures.variances >= floor).all()
        assert (model.mixtures.variances == floor).any()
