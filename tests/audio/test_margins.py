"""Quiet around speech: as long as chance says, the same for the same utterance."""

import numpy as np

from pipeline.audio.margins import NOISE, with_margins

SPEECH = np.full(8000, 0.25, np.float32)


def test_speech_lies_between_two_stretches_of_noise() -> None:
    found, before = with_margins(SPEECH, 16_000, [0.05, 0.2], "a")
    first = round(before * 16_000)
    assert first / 16_000 == before and 0.05 <= before <= 0.2
    np.testing.assert_array_equal(found[first : first + 8000], SPEECH)
    after = found[first + 8000 :]
    assert 0.05 <= len(after) / 16_000 <= 0.2
    for part in (found[:first], after):
        assert 0.9 * NOISE < part.std() < 1.1 * NOISE and abs(part.mean()) < 0.1 * NOISE
    assert found.dtype == np.float32


def test_lengths_are_drawn_evenly_and_by_the_key_alone() -> None:
    found = [with_margins(SPEECH, 16_000, [0.05, 0.2], str(key)) for key in range(400)]
    before = np.array([one for _, one in found])
    after = np.array([len(samples) - 8000 for samples, _ in found]) / 16_000 - before
    for lengths in (before, after):
        assert abs(lengths.mean() - 0.125) < 0.01
        assert lengths.min() < 0.055 and lengths.max() > 0.195
    assert abs(np.corrcoef(before, after)[0, 1]) < 0.15
    again, seconds = with_margins(SPEECH, 16_000, [0.05, 0.2], "7")
    np.testing.assert_array_equal(again, found[7][0])
    assert seconds == found[7][1]
