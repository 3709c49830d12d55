"""Cache and dynamic evaluation against loops over single units; what neither may change."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.storage.files import read_json
from pipeline.tasks.language_model.shared.cache import Cache
from pipeline.tasks.language_model.shared.dynamic import Dynamic
from pipeline.tasks.language_model.shared.stream import Stream
from pipeline.tasks.language_model.systems.recurrent import RecurrentLanguageModel
from tests.tasks.language_model.test_recurrent import settings


@pytest.fixture
def system(extracted: Path) -> RecurrentLanguageModel:
    torch.manual_seed(4)
    return RecurrentLanguageModel(settings(dropout_output=0.3, dropout_weights=0.3),
                                  read_json(extracted / "fit" / "spec.json")).eval()


@pytest.fixture
def tokens(extracted: Path) -> np.ndarray:
    return Stream.read(extracted / "fit", "train").tokens[:60]


def test_cache_probabilities_are_those_of_the_paper(system: RecurrentLanguageModel,
                                                    tokens: np.ndarray) -> None:
    """p(w) = (1 - lambda) p_vocab(w) + lambda sum_i 1{w = x_i+1} exp(theta h h_i) / Z."""
    size, theta, share = 9, 0.7, 0.3
    found = system.token_losses(tokens, Cache(reading="cache", size=size, flatness=theta,
                                              weight=share))
    plain = system.token_losses(tokens)
    with torch.no_grad():
        inputs = torch.tensor([system.end, *tokens[:-1].tolist()])
        states = system(inputs[:, None], system.begin(1))[0][:, 0].double().numpy()
    assert found[0] == plain[0]
    for step in range(1, len(tokens)):
        memories = range(max(0, step - size), step)
        weights = {i: math.exp(theta * float(states[step] @ states[i])) for i in memories}
        hits = sum(weights[i] for i in memories if tokens[i] == tokens[step])
        p = (1 - share) * math.exp(-plain[step]) + share * hits / sum(weights.values())
        assert found[step] == pytest.approx(-math.log(p), abs=1e-5)


def test_a_cache_does_not_depend_on_how_much_is_read_at_once(system: RecurrentLanguageModel,
                                                             tokens: np.ndarray) -> None:
    variant = Cache(reading="cache", size=20, flatness=0.4, weight=0.2)
    whole = system.token_losses(tokens, variant, steps=len(tokens))
    for steps in (1, 7):
        assert system.token_losses(tokens, variant, steps) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("variant", [
    None, Cache(reading="cache", size=20, flatness=0.4, weight=0.2),
    Dynamic(reading="dynamic", segment=8, learning_rate=0.1, decay=0.1)])
def test_what_follows_a_unit_changes_no_bit_of_it(
        system: RecurrentLanguageModel, tokens: np.ndarray, variant: Any) -> None:
    whole = system.token_losses(tokens, variant)
    for length in (1, 7, 31, 59):
        assert np.array_equal(system.token_losses(tokens[:length], variant), whole[:length])


def test_dynamic_evaluation_is_a_gradient_step_after_each_segment(
        system: RecurrentLanguageModel, tokens: np.ndarray) -> None:
    segment, rate, decay = 8, 0.5, 0.1
    found = system.token_losses(tokens, Dynamic(reading="dynamic", segment=segment,
                                                learning_rate=rate, decay=decay))
    trained = {name: value.clone() for name, value in system.state_dict().items()}
    learner = RecurrentLanguageModel(system.settings, system.spec).eval()
    learner.load_state_dict(trained)
    inputs = torch.tensor([system.end, *tokens[:-1].tolist()])
    targets = torch.tensor(tokens.tolist())
    state = learner.begin(1)
    expected = []
    for start in range(0, len(tokens), segment):
        learner.zero_grad()
        hidden, after = learner(inputs[start : start + segment, None], state)
        scores = functional.linear(hidden[:, 0], learner.embedding, learner.output_bias)
        losses = functional.cross_entropy(scores, targets[start : start + segment],
                                          reduction="none")
        losses.mean().backward()
        expected += losses.tolist()
        state = [tuple(tensor.detach() for tensor in layer) for layer in after]
        with torch.no_grad():
            for name, parameter in learner.named_parameters():
                moved = parameter - rate * parameter.grad
                parameter.copy_(moved + decay * (trained[name] - moved))
    assert found == pytest.approx(expected, abs=1e-4)
    assert found[:segment] == pytest.approx(system.token_losses(tokens)[:segment], abs=1e-6)


def test_dynamic_evaluation_leaves_the_trained_weights(system: RecurrentLanguageModel,
                                                       tokens: np.ndarray) -> None:
    before = {name: value.clone() for name, value in system.state_dict().items()}
    plain = system.token_losses(tokens)
    variant = Dynamic(reading="dynamic", segment=5, learning_rate=1.0, decay=0.0)
    system.token_losses(tokens, variant)
    for name, value in system.state_dict().items():
        assert torch.equal(value, before[name])
    assert np.array_equal(system.token_losses(tokens), plain)
    assert all(parameter.grad is None for parameter in system.parameters())


def test_both_profit_from_a_text_that_repeats_itself(system: RecurrentLanguageModel) -> None:
    tokens = np.array([2, 3, 4, 5, 1] * 30)
    plain = system.token_losses(tokens).mean()
    cache = Cache(reading="cache", size=100, flatness=1.0, weight=0.3)
    dynamic = Dynamic(reading="dynamic", segment=5, learning_rate=0.5, decay=0.0)
    assert system.token_losses(tokens, cache).mean() < plain - 0.05
    assert system.token_losses(tokens, dynamic).mean() < plain - 0.2
