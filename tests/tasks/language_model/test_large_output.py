"""Sampled and adaptive output layers in the language model: trained so, and scored exactly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from pipeline.entries import TrainingSettings
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.language_model.shared.dynamic import Dynamic
from pipeline.tasks.language_model.shared.stream import Stream
from pipeline.tasks.language_model.systems.large_output import LargeOutputLanguageModel, Settings
from pipeline.tasks.language_model.systems.recurrent import RecurrentLanguageModel
from tests.tasks.language_model.test_recurrent import settings as recurrent_settings

SAMPLED = {"kind": "sampled", "noise": 4}
ADAPTIVE = {"kind": "adaptive", "cutoffs": [3, 5, 900], "shrink": 2.0}
LAYERS = pytest.mark.parametrize("layer", [SAMPLED, ADAPTIVE], ids=["sampled", "adaptive"])


def settings(layer: dict[str, Any], **changes: Any) -> Settings:
    given = recurrent_settings(tied=layer["kind"] == "sampled", **changes).model_dump()
    training = TrainingSettings(**{**given.pop("training"), "epochs": 2})
    return Settings(**{**given, "model": "large_output", "output_layer": layer}, training=training)


def made(layer: dict[str, Any], extracted: Path, **changes: Any) -> LargeOutputLanguageModel:
    torch.manual_seed(4)
    return LargeOutputLanguageModel(settings(layer, **changes),
                                    read_json(extracted / "fit" / "spec.json"))


def batch_of(system: LargeOutputLanguageModel, extracted: Path) -> dict[str, Any]:
    batches = system.batches(extracted / "fit", "train", seed=1)
    return batches.load(batches.plan(0)[0])


@LAYERS
def test_scores_are_exact_and_probabilities_of_all_units(layer: dict[str, Any],
                                                         extracted: Path) -> None:
    system = made(layer, extracted).eval()
    tokens = np.array([3, 4, 1, 1, 2, 6])
    losses = system.token_losses(tokens)
    assert losses.tolist() == system.token_losses(tokens).tolist()
    state = system.begin(1)
    for token, before, nats in zip(tokens, [system.end, *tokens], losses, strict=False):
        scores, state = system.advance(torch.tensor([[before]]), state)
        shares = scores.detach().softmax(1)
        assert scores.shape == (1, system.types) and float(shares.sum()) == pytest.approx(1)
        assert nats == pytest.approx(-float(shares[0, token].log()), abs=1e-5)


def test_a_sampled_layer_scores_with_the_sum_over_all_words(extracted: Path) -> None:
    """It answers as the network with the full softmax that has the same weights."""
    system = made(SAMPLED, extracted)
    full = RecurrentLanguageModel(recurrent_settings(), system.spec)
    full.load_state_dict(system.state_dict())
    tokens = Stream.read(extracted / "test", "test").tokens
    assert system.token_losses(tokens).tolist() == full.token_losses(tokens).tolist()
    batch = batch_of(system, extracted)
    exact, sampled = system.eval().loss(batch)[0], system.train().loss(batch)[0]
    full.begin_epoch(training=False)
    system.begin_epoch(training=False)
    assert system.eval().loss(batch)[0].item() == full.loss(batch)[0].item()
    assert exact.item() != sampled.item()


def test_an_adaptive_layers_loss_is_that_of_its_probabilities(extracted: Path) -> None:
    system = made(ADAPTIVE, extracted)
    assert system.adaptive is not None and system.adaptive.layer.cutoffs == [3, 5, system.types]
    batch = batch_of(system, extracted)
    hidden, _ = system(batch["inputs"], system.stack.start(batch["inputs"].shape[1]))
    expected = functional.nll_loss(
        system.adaptive.log_probabilities(hidden.flatten(0, 1)), batch["targets"].flatten(),
        reduction="sum")
    assert system.loss(batch)[0].item() == pytest.approx(expected.item(), rel=1e-5)


@LAYERS
def test_training_is_the_same_with_the_same_seed_and_lowers_the_loss(
        layer: dict[str, Any], extracted: Path, tmp_path: Path) -> None:
    curves, weights = [], []
    for number, seed in enumerate((1, 1, 2)):
        system = made(layer, extracted, dropout_output=0.1)
        curves.append(system.fit(extracted / "fit", Run(seed=seed, work=tmp_path / str(number))))
        weights.append(torch.cat([tensor.flatten() for tensor in system.tensors().values()]))
    assert curves[0] == curves[1] != curves[2] and torch.equal(weights[0], weights[1])
    assert all(torch.isfinite(each).all() for each in weights)
    untrained = made(layer, extracted).validation_loss(extracted / "fit", None)
    assert curves[0][-1]["validation_loss"] < untrained - 0.05


@LAYERS
def test_it_is_saved_and_loaded_and_goes_on_learning_from_a_text(
        layer: dict[str, Any], extracted: Path, tmp_path: Path) -> None:
    system = made(layer, extracted).eval()
    system.save(tmp_path / "model")
    found = LargeOutputLanguageModel.load(tmp_path / "model")
    tokens = Stream.read(extracted / "test", "test").tokens
    learning = Dynamic(reading="dynamic", segment=5, learning_rate=0.5, decay=0.0)
    for variant in (None, learning):
        assert (found.token_losses(tokens, variant).tolist()
                == system.token_losses(tokens, variant).tolist())
    plain, learnt = system.token_losses(tokens), system.token_losses(tokens, learning)
    assert learnt[:5].tolist() == pytest.approx(plain[:5].tolist(), abs=1e-5)
    assert (np.abs(learnt[5:] - plain[5:]) > 1e-3).all()


@LAYERS
def test_what_follows_changes_no_answer(layer: dict[str, Any], extracted: Path) -> None:
    system = made(layer, extracted)
    tokens = Stream.read(extracted / "test", "test").tokens
    whole = system.token_losses(tokens)
    for length in (1, 4, 9):
        assert system.token_losses(tokens[:length]).tolist() == whole[:length].tolist()


def test_an_adaptive_layer_is_refused_where_it_fits_nothing(extracted: Path) -> None:
    with pytest.raises(UserError, match="begins at 500, and the vocabulary has 7 words; lower"):
        made({**ADAPTIVE, "cutoffs": [500]}, extracted)
    for changes, message in (({"tied": True}, "weights of its own"),
                             ({"output_layer": {**ADAPTIVE, "cutoffs": [5, 3]}}, "cutoffs rise"),
                             ({"output_layer": {**ADAPTIVE, "shrink": 4.0}}, "too narrow")):
        given = settings(ADAPTIVE).model_dump()
        training = TrainingSettings(**given.pop("training"))
        with pytest.raises(ValidationError, match=message):
            Settings(**{**given, **changes}, training=training)
