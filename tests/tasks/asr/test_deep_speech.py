"""Deep Speech against its equations, written out; its windows; and what it learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.audio.frames import Frames
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.asr.scoring import METRICS, score
from pipeline.tasks.asr.systems.deep_speech import DeepSpeech, Settings, windows

SETTINGS = {
    "track": "asr", "model": "deep_speech", "stack": 2, "context": 2, "hidden": 24,
    "dropout": 0.1, "input_noise": 0.1, "tempo": 0.1, "time_masks": 1, "time_mask_frames": 2,
    "feature_masks": 1, "feature_mask_width": 1, "batch_utterances": 6,
    "training": {"epochs": 20, "optimizer": "adam", "learning_rate": 0.005, "schedule": "cosine",
                 "warmup_steps": 10, "weight_decay": 0.0, "gradient_clip": 1.0, "patience": 0},
    "variants": {"greedy": {"search": "greedy", "language_model": "none"}},
}


def new(spec: dict, **changes: int) -> DeepSpeech:
    torch.manual_seed(0)
    return DeepSpeech(Settings.model_validate({**SETTINGS, **changes}), spec)


@pytest.fixture(scope="module")
def fitted(features: Path, tmp_path_factory: pytest.TempPathFactory) -> DeepSpeech:
    system = new(read_json(features / "fit" / "spec.json"))
    system.fit(features / "fit", Run(seed=1, work=tmp_path_factory.mktemp("work")))
    return system


def test_a_tiny_corpus_is_learnt(fitted: DeepSpeech, features: Path, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    loaded = DeepSpeech.load(tmp_path)
    variant = fitted.settings.variants["greedy"]
    answers = list(fitted.predict(features / "test", variant))
    assert score(answers, features / "test").score(METRICS["wer"]) < 5
    assert list(loaded.predict(features / "test", variant)) == answers


def test_padding_changes_no_emission(fitted: DeepSpeech, features: Path) -> None:
    frames = Frames(features / "test", "test")
    utterances = [frames[index] for index in range(len(frames))]
    assert len({len(one) for one in utterances}) > 3
    for together, utterance in zip(fitted.emissions(utterances), utterances, strict=True):
        alone = fitted.emissions([utterance])[0]
        assert alone.shape == (len(utterance) // 2, 5)
        np.testing.assert_allclose(together, alone, atol=1e-5)


SPEC = {"dimension": 3, "symbols": [" ", "A"], "mean": [0.5, -1.0, 2.0],
        "deviation": [2.0, 0.5, 1.0]}


def by_the_equations(system: DeepSpeech, frames: NDArray[np.float64], context: int,
                     stride: int) -> NDArray[np.float64]:
    """Log-probabilities of one utterance, a step at a time."""
    weights = {name: value.detach().numpy() for name, value in system.named_parameters()}

    def dense(name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return weights[f"{name}.weight"] @ x + weights[f"{name}.bias"]

    def g(a: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.minimum(np.maximum(0, a), 20)

    heard = (frames - SPEC["mean"]) / SPEC["deviation"]
    third = []
    for step in range(len(frames) // stride):
        centre = step * stride + (stride - 1) // 2
        around = range(centre - context, centre + context + 1)
        h = np.concatenate([heard[t] if 0 <= t < len(frames) else np.zeros(3) for t in around])
        for layer in range(3):
            h = g(dense(f"below.{layer}", h))
        third.append(h)
    fourth = np.zeros((len(third), len(third[0])))
    for recurrent, steps in zip(weights["recurrent.recurrent"],
                                (range(len(third)), reversed(range(len(third)))), strict=True):
        before = np.zeros(len(third[0]))
        for t in steps:
            before = g(dense("recurrent.inputs", third[t]) + recurrent @ before)
            fourth[t] += before
    scores = np.array([dense("output", g(dense("above", h))) for h in fourth])
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


@pytest.mark.parametrize(("context", "stride"), [(0, 1), (3, 1), (2, 2), (1, 3), (5, 4)])
def test_the_network_computes_the_equations(context: int, stride: int) -> None:
    system = new(SPEC, context=context, stack=stride, hidden=4).double().eval()
    random = np.random.default_rng(0)
    utterances = [random.normal(0, 2, (length, 3)) for length in (11, 4, 8)]
    padded = np.full((3, 11, 3), 1e3)
    for row, utterance in zip(padded, utterances, strict=True):
        row[: len(utterance)] = utterance
    found, lengths = system(torch.from_numpy(padded), torch.tensor([11, 4, 8]))
    assert lengths.tolist() == [length // stride for length in (11, 4, 8)]
    for rows, utterance in zip(found.detach().numpy(), utterances, strict=True):
        wanted = by_the_equations(system, utterance, context, stride)
        # The softmax is in single precision.
        np.testing.assert_allclose(rows[: len(wanted)], wanted, atol=1e-5)


def test_windows_are_around_every_stride_th_frame_and_zero_outside() -> None:
    frames = torch.arange(1.0, 15.0).reshape(1, 7, 2).repeat(2, 1, 1)
    found = windows(frames, torch.tensor([7, 4]), context=1, stride=3)
    assert found.tolist() == [[[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]],
                              [[1, 2, 3, 4, 5, 6], [7, 8, 0, 0, 0, 0]]]
