"""Spikes and states of an utterance can be laid above each other, and are where they are heard."""

import numpy as np

from pipeline.hmm.phones import Monophones, Topology
from pipeline.tasks.asr.shared.state_pictures import followed, states
from pipeline.tasks.asr.shared.timed_pictures import SHOWN, peaks, spikes

FRAMES = np.zeros((12, 5), np.float32)
# Blank, A and B in six steps of two frames each: A in the second step, B in the last two.
POSTERIORS = np.array([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.8, 0.2, 0.0], [0.9, 0.0, 0.1],
                       [0.3, 0.0, 0.7], [0.2, 0.0, 0.8]])


def named(symbol: int) -> str:
    return "_A "[symbol]


def test_spikes_have_their_symbols_names_in_the_middle_of_their_steps() -> None:
    _, below, _ = spikes(FRAMES, 0.01, POSTERIORS, named, "title").axes
    assert {text.get_text(): text.xy for text in below.texts} == {
        "A": (0.03, 0.9), "␣": (0.11, 0.8)}
    blank, *_ = below.lines
    np.testing.assert_allclose(blank.get_xdata(), [0.01, 0.03, 0.05, 0.07, 0.09, 0.11])
    np.testing.assert_array_equal(blank.get_ydata(), POSTERIORS[:, 0])


def test_frames_behind_the_last_whole_step_keep_the_others_in_their_places() -> None:
    """CTC leaves frames out that fill no step; those before them are where they were."""
    _, below, _ = spikes(np.zeros((13, 5), np.float32), 0.01, POSTERIORS, named, "title").axes
    np.testing.assert_allclose(below.lines[0].get_xdata(), [0.01, 0.03, 0.05, 0.07, 0.09, 0.11])
    np.testing.assert_allclose(below.get_xlim(), (0, 0.13))


def test_a_peak_is_above_one_half_and_its_first_highest_step() -> None:
    curve = np.array([0.6, 0.4, 0.7, 0.7, 0.2, 0.5, 0.1, 0.8])
    assert np.flatnonzero(peaks(curve)).tolist() == [0, 2, 7]


def test_both_pictures_have_one_size_and_their_times_in_one_place() -> None:
    tied = Monophones.of(Topology.of(["AA", "N"], states=2, silence_states=1))
    for count in (12, SHOWN + 100):
        frames = np.random.default_rng(0).normal(size=(count, 5)).astype(np.float32)
        found = followed(np.zeros((count, 5)), "a", {"a": [["AA"]]}, tied)
        assert found is not None
        hidden = states(found, frames, 0.01, "title")
        heard = spikes(frames, 0.01, np.resize(POSTERIORS, (count // 2, 3)), named, "title")
        assert tuple(hidden.get_size_inches()) == tuple(heard.get_size_inches())
        above, other = hidden.axes[0], heard.axes[0]
        np.testing.assert_allclose(above.get_position().bounds, other.get_position().bounds)
        # The colour bar comes last.
        np.testing.assert_allclose(hidden.axes[-2].get_position().y0,
                                   heard.axes[-2].get_position().y0)
        for axes in (*hidden.axes[:-1], *heard.axes[:-1]):
            np.testing.assert_allclose(axes.get_xlim(), (0, min(count, SHOWN) * 0.01))
        assert hidden.get_suptitle().endswith("(first 3 s)") == (count > SHOWN)
