"""The recogniser learns a tiny corpus; padding changes nothing; its figures are repeatable."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.audio.frames import Frames
from pipeline.drawing.items import read_items
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.asr.scoring import METRICS, score
from pipeline.tasks.asr.shared.batching import Utterances
from pipeline.tasks.asr.systems.bilstm_ctc import BilstmCtc, Settings
from tests.tasks.asr.drawing import drawn_twice

BEAM = {"search": "beam", "beam": 8, "least_posterior": 0.001, "language_model": "words",
        "order": 2, "alphas": [0.2, 0.5, 0.8], "betas": [0.0, 0.5], "alternatives": 3}
SETTINGS = {
    "track": "asr", "model": "bilstm_ctc", "stack": 2, "hidden": 16, "layers": 2,
    "dropout": 0.1, "input_noise": 0.1, "tempo": 0.1, "time_masks": 1, "time_mask_frames": 2,
    "feature_masks": 1, "feature_mask_width": 1, "batch_utterances": 6,
    "training": {"epochs": 14, "optimizer": "adam", "learning_rate": 0.02, "schedule": "cosine",
                 "warmup_steps": 10, "weight_decay": 0.0, "gradient_clip": 1.0, "patience": 0},
    "variants": {"greedy": {"search": "greedy", "language_model": "none"}, "words": BEAM,
                 "characters": {**BEAM, "language_model": "characters", "order": 3}},
}


@pytest.fixture(scope="module")
def fitted(features: Path, tmp_path_factory: pytest.TempPathFactory) -> BilstmCtc:
    torch.manual_seed(0)
    system = BilstmCtc(Settings.model_validate(SETTINGS),
                       read_json(features / "fit" / "spec.json"))
    system.fit(features / "fit", Run(seed=1, work=tmp_path_factory.mktemp("work")))
    return system


@pytest.mark.parametrize("variant", ["greedy", "words", "characters"])
def test_a_tiny_corpus_is_learnt(fitted: BilstmCtc, features: Path, variant: str) -> None:
    answers = list(fitted.predict(features / "test", fitted.settings.variants[variant]))
    assert score(answers, features / "test").score(METRICS["wer"]) < 5


def test_a_loaded_system_predicts_the_same(fitted: BilstmCtc, features: Path,
                                           tmp_path: Path) -> None:
    fitted.save(tmp_path)
    loaded = BilstmCtc.load(tmp_path)
    transcripts = [item["text"] for item in read_json(features / "fit/train.items.json")]
    assert loaded.vocabulary == fitted.vocabulary
    assert loaded.vocabulary.transcripts == transcripts
    assert {name: len(pairs) for name, pairs in loaded.vocabulary.tried.items()} == {
        "words": 6, "characters": 6}
    assert set(loaded.tensors()) == set(loaded.state_dict())
    for variant in fitted.settings.variants.values():
        assert (list(loaded.predict(features / "test", variant))
                == list(fitted.predict(features / "test", variant)))


def test_padding_changes_no_emission(fitted: BilstmCtc, features: Path) -> None:
    frames = Frames(features / "test", "test")
    together = fitted.emissions([frames[index] for index in range(len(frames))])
    for index in range(len(frames)):
        alone = fitted.emissions([frames[index]])[0]
        assert alone.shape == (len(frames[index]) // 2, 5)
        np.testing.assert_allclose(together[index], alone, atol=1e-5)
        np.testing.assert_allclose(np.exp(alone).sum(axis=1), 1, atol=1e-5)


def test_loss_is_minus_the_log_likelihood_of_the_transcripts(fitted: BilstmCtc,
                                                            features: Path) -> None:
    found = Utterances(features / "fit", "valid", fitted.spec["symbols"], 8, seed=0)
    batch = found.load(found.plan(0)[0])
    total, terms = fitted.loss(batch)
    assert terms == sum(len(item["text"]) for item in found.items)
    each = 0.0
    for index, target in enumerate(found.targets):
        emissions = torch.from_numpy(fitted.emissions([found.frames[index]])[0])
        each += float(torch.nn.functional.ctc_loss(
            emissions, torch.tensor(target), torch.tensor(len(emissions)),
            torch.tensor(len(target)), reduction="sum"))
    assert float(total.detach()) == pytest.approx(each, rel=1e-4)


def test_every_parameter_gets_a_gradient(features: Path) -> None:
    system = BilstmCtc(Settings.model_validate(SETTINGS),
                       read_json(features / "fit" / "spec.json")).train()
    batches = system.batches(features / "fit", "train", seed=0)
    system.loss(batches.load(batches.plan(0)[0]))[0].backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0
               for parameter in system.parameters())


def test_augmentation_is_for_training_alone(fitted: BilstmCtc, features: Path) -> None:
    batches = fitted.batches(features / "fit", "valid", seed=0)
    batch = batches.load(batches.plan(0)[0])
    assert torch.equal(*(fitted.eval()(batch["frames"], batch["lengths"])[0] for _ in range(2)))
    assert not torch.equal(*(fitted.train()(batch["frames"], batch["lengths"])[0]
                             for _ in range(2)))
    fitted.eval()


def test_figures_are_drawn_and_repeatable(fitted: BilstmCtc, features: Path,
                                          tmp_path: Path) -> None:
    written = drawn_twice(fitted, features / "test", tmp_path / "a")
    assert written == ["alignments_characters.txt", "alignments_greedy.txt",
                       "alignments_words.txt", "features.png", "items.json", "oracle.png",
                       "paths.png", "speakers.png", "spikes.png", "training.png", "weights.png",
                       "windows.png"]
    assert read_items(tmp_path / "a").keys() == {"spikes"}
    text = (tmp_path / "a" / "alignments_greedy.txt").read_text()
    first = read_json(features / "test" / "test.items.json")[0]
    assert text.startswith(first["id"] + "\nREF:") and "\nHYP:" in text and "\nEval:" in text
