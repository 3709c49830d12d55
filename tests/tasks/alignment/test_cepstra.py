"""Cepstra of one utterance: normalised, with the slopes that torchaudio computes."""

import numpy as np
import pytest
import torch
from torchaudio.functional import compute_deltas

from pipeline.errors import UserError
from pipeline.tasks.alignment.shared.cepstra import cepstra

FRAMES = np.random.default_rng(0).normal(3.0, 2.0, (30, 8))


def test_slopes_are_torchaudios() -> None:
    found = cepstra(FRAMES, 5)
    static = torch.from_numpy(found[:, :5].T.copy())
    first = compute_deltas(static)
    assert found[:, 5:10] == pytest.approx(first.T.numpy())
    assert found[:, 10:] == pytest.approx(compute_deltas(first).T.numpy())


def test_a_louder_recording_by_another_microphone_is_the_same() -> None:
    gains = np.linspace(-1, 2, 8)
    assert cepstra(2 * FRAMES + gains, 5) == pytest.approx(cepstra(FRAMES, 5))


def test_the_cosine_transform_loses_nothing() -> None:
    whole = cepstra(FRAMES, 8)[:, :8]
    spread = FRAMES @ np.linalg.lstsq(FRAMES - FRAMES.mean(0), whole, rcond=None)[0]
    assert spread - spread.mean(0) == pytest.approx(whole)


def test_silence_has_cepstra() -> None:
    assert np.isfinite(cepstra(np.zeros((4, 8)), 5)).all()


def test_there_are_no_more_coefficients_than_filters() -> None:
    with pytest.raises(UserError, match="8 mel filters have no 9 .*set front_end.mels"):
        cepstra(FRAMES, 9)
