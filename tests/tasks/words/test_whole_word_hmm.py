"""Whole-word models name words, are sure as far as they should be, and answer whom they must."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.fft import idct

from pipeline.audio.frames import Frames, write_frames
from pipeline.errors import UserError
from pipeline.storage.files import read_json, write_json
from pipeline.systems.base import Run
from pipeline.tasks.words.systems.whole_word_hmm import Settings, WholeWordHmm
from tests.tasks.words.toy import LABELS, SPEAKERS, write_features

SETTINGS = {"track": "t", "model": "whole_word_hmm", "states": 4, "gaussians": 2, "passes": 6,
            "expectation": "baum-welch", "coefficients": 0, "slopes": 0}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_features(tmp_path_factory.mktemp("words"), held_out=False)


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_features(tmp_path_factory.mktemp("folds"), held_out=True)


def fitted(features: Path, work: Path, **changes: Any) -> WholeWordHmm:
    system = WholeWordHmm(Settings.model_validate({**SETTINGS, **changes}),
                          read_json(features / "fit" / "spec.json"))
    system.curve = system.fit(features / "fit", Run(seed=1, work=work))
    return system


def right(system: WholeWordHmm, features: Path) -> np.ndarray:
    items = read_json(features / "test" / "test.items.json")
    return np.array([answer["label"] == item["label"] for answer, item
                     in zip(system.predict(features / "test", None), items, strict=True)])


@pytest.mark.parametrize("kind", ["baum-welch", "viterbi"])
def test_words_that_only_order_tells_apart_are_named(kind: str, plain: Path,
                                                     tmp_path: Path) -> None:
    system = fitted(plain, tmp_path, expectation=kind)
    assert right(system, plain).mean() > 0.95
    # With one state there is no order.
    assert right(fitted(plain, tmp_path, expectation=kind, states=1), plain).mean() < 0.8
    losses = [point["loss"] for point in system.curve]
    assert len(losses) == 6 and losses[-1] < losses[0]
    assert system.curve[-1]["validation_loss"] == pytest.approx(losses[-1], abs=0.5)


def test_two_kinds_of_training_are_two_systems(plain: Path, tmp_path: Path) -> None:
    sums, best = (fitted(plain, tmp_path, expectation=kind).tensors()["0.means"]
                  for kind in ("baum-welch", "viterbi"))
    assert sums.shape == best.shape and not torch.equal(sums, best)


def test_nobody_is_answered_by_models_that_heard_him(held_out: Path, tmp_path: Path) -> None:
    system = fitted(held_out, tmp_path)
    assert len(system.models) == len(SPEAKERS)
    # The second feature is the speaker's, at 0, 3 and 6.
    for number, models in enumerate(system.models):
        heights = models.words.mixtures.means[:, 1]
        others = [3.0 * other for other in range(3) if other != number]
        assert heights.min() > min(others) - 1 and heights.max() < max(others) + 1
    items = read_json(held_out / "test" / "test.items.json")
    frames = Frames(held_out / "test", "test")
    for place, answer in enumerate(system.predict(held_out / "test", None)):
        own = system.models[SPEAKERS.index(items[place]["speaker"])]
        found = own.probabilities(frames[place].astype(np.float64))
        assert list(answer["probabilities"].values()) == pytest.approx(found, abs=1e-6)


def test_a_stranger_is_answered_by_all(held_out: Path, tmp_path: Path) -> None:
    system = fitted(held_out, tmp_path)
    word = Frames(held_out / "test", "test")[0]
    write_frames(tmp_path, "test", [word])
    write_json(tmp_path / "test.items.json", [{"id": "0", "speaker": "a stranger"}])
    [answer] = system.predict(tmp_path, None)
    mean = np.mean([models.probabilities(word.astype(np.float64)) for models in system.models],
                   axis=0)
    assert list(answer["probabilities"].values()) == pytest.approx(mean, abs=1e-6)
    assert answer["label"] == LABELS[int(mean.argmax())]


def test_a_recording_too_short_for_any_word_is_answered_by_how_often_words_are_said(
        plain: Path, tmp_path: Path) -> None:
    system = fitted(plain, tmp_path)
    write_frames(tmp_path, "test", [np.zeros((2, 2), np.float32)])
    write_json(tmp_path / "test.items.json", [{"id": "0", "speaker": "ada"}])
    [answer] = system.predict(tmp_path, None)
    counts = np.bincount([LABELS.index(item["label"]) for item in
                          read_json(plain / "fit" / "train.items.json")])
    shares = (counts / counts.sum()) ** system.models[0].power
    assert list(answer["probabilities"].values()) == pytest.approx(shares / shares.sum())


def test_power_is_the_one_with_the_least_log_loss(plain: Path, tmp_path: Path) -> None:
    models = fitted(plain, tmp_path).models[0]
    heard = [frames.astype(np.float64) for frames in Frames(plain / "fit", "valid")][:20]
    answers = np.array([models.scores(frames).argmax() for frames in heard])
    assert models.calibrated(heard, answers).power == 1.0
    # Whoever is wrong in every other word should not be sure of any.
    half = np.where(np.arange(20) % 2, answers, 1 - answers)
    assert models.calibrated(heard, half).power == 0.01


def test_cepstra_are_what_gaussians_hear_of_log_mel(plain: Path, tmp_path: Path) -> None:
    cepstra = np.random.default_rng(0).normal(0, 1, (9, 2))
    mel = idct(cepstra, norm="ortho", axis=1).astype(np.float32)
    system = WholeWordHmm(Settings.model_validate({**SETTINGS, "coefficients": 1, "slopes": 1}),
                          read_json(plain / "fit" / "spec.json"))
    write_frames(tmp_path, "test", [mel])
    [heard] = system._hear(tmp_path, "test")
    np.testing.assert_allclose(heard[:, 0], cepstra[:, 0], atol=1e-5)
    middle = (cepstra[5] - cepstra[3] + 2 * (cepstra[6] - cepstra[2])) / 10
    assert heard.shape == (9, 2) and heard[4, 1] == pytest.approx(middle[0], abs=1e-5)


def test_a_saved_system_answers_the_same(held_out: Path, tmp_path: Path) -> None:
    system = fitted(held_out, tmp_path / "work")
    system.save(tmp_path / "model")
    loaded = WholeWordHmm.load(tmp_path / "model")
    assert list(loaded.predict(held_out / "test", None)) == list(
        system.predict(held_out / "test", None))
    # 2 words of 4 states of 2 Gaussians in 2 dimensions: weights, means, variances; stays, priors.
    assert loaded.parameters_count == 16 + 32 + 32 + 8 + 2 + 1


@pytest.mark.parametrize(("changes", "message"), [
    ({"states": 40}, "no recording has 40 frames.*set the system's states to fewer"),
    ({"coefficients": 3}, "3 coefficients of 2 features a frame are too many; set coefficients")])
def test_settings_that_do_not_fit_the_features_are_named(
        changes: dict, message: str, plain: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        fitted(plain, tmp_path, **changes)
