"""Output layers for large vocabularies against sums that are written out."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pipeline.nn.output_layers import (
    AdaptiveSoftmax,
    estimated_log_sum,
    sampled_cross_entropy,
    zipf_log_probabilities,
    zipf_noise,
)

TYPES = 7


@pytest.fixture
def layer() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Inputs [3, 4], weight [7, 4], bias [7], targets [3]."""
    torch.manual_seed(0)
    return (torch.randn(3, 4), torch.randn(TYPES, 4), torch.randn(TYPES),
            torch.tensor([0, 5, 2]))


def test_the_proposal_is_a_distribution_that_falls_by_rank() -> None:
    shares = zipf_log_probabilities(3).double().exp()
    # log 2, log 3/2 and log 4/3, of which log 4 is the sum.
    expected = torch.tensor([0.5, math.log(1.5) / math.log(4), math.log(4 / 3) / math.log(4)])
    torch.testing.assert_close(shares, expected.double(), rtol=1e-6, atol=0)
    assert float(zipf_log_probabilities(100_000).double().exp().sum()) == pytest.approx(1, abs=1e-5)


def test_noise_is_drawn_as_the_proposal_says() -> None:
    torch.manual_seed(1)
    drawn = zipf_noise(TYPES, 200_000)
    assert drawn.dtype == torch.int64 and drawn.min() == 0 and drawn.max() == TYPES - 1
    shares = torch.bincount(drawn, minlength=TYPES) / len(drawn)
    torch.testing.assert_close(shares, zipf_log_probabilities(TYPES).exp(), rtol=0, atol=0.004)
    far = zipf_noise(100_000, 200_000)
    # One in log(100,001) / log(10) is each power of ten.
    assert float((far >= 9_999).double().mean()) == pytest.approx(0.2, abs=0.005)


def test_noise_depends_on_the_seed_alone() -> None:
    def drawn(seed: int) -> list[int]:
        torch.manual_seed(seed)
        return zipf_noise(1000, 20).tolist()

    assert drawn(3) == drawn(3) != drawn(4)


@pytest.mark.parametrize("count", [1, 5])
def test_the_estimates_mean_is_the_full_sum(layer: tuple[Tensor, ...], count: int) -> None:
    """Over many draws, and for one noise word exactly: the mean over all that can be drawn."""
    inputs, weight, bias, targets = layer
    log_proposal = zipf_log_probabilities(TYPES)
    full = (inputs @ weight.T + bias).exp().sum(1)
    torch.manual_seed(2)
    sums = [estimated_log_sum(inputs, weight, bias, targets, zipf_noise(TYPES, count),
                              log_proposal)[0].exp() for _ in range(8000)]
    found = torch.stack(sums)
    error = found.std(0) / len(sums) ** 0.5
    assert ((found.mean(0) - full).abs() < 4 * error).all() and (error < 0.05 * full).all()
    if count == 1:
        exact = sum(log_proposal[word].exp() * estimated_log_sum(
            inputs, weight, bias, targets, torch.tensor([word]), log_proposal)[0].exp()
            for word in range(TYPES))
        torch.testing.assert_close(exact, full)


def test_more_noise_comes_closer_to_the_loss_and_its_gradient(layer: tuple[Tensor, ...]) -> None:
    inputs, weight, bias, targets = layer

    def gradients(loss: Callable[[Tensor, Tensor, Tensor], Tensor]) -> tuple[Tensor, ...]:
        leaves = [leaf.clone().requires_grad_() for leaf in (inputs, weight, bias)]
        value = loss(*leaves)
        return value.detach(), *torch.autograd.grad(value, leaves)

    full = gradients(lambda *of: functional.cross_entropy(functional.linear(*of), targets,
                                                          reduction="sum"))
    torch.manual_seed(3)
    noise = zipf_noise(TYPES, 400_000)
    found = gradients(lambda *of: sampled_cross_entropy(
        *of, targets, noise, zipf_log_probabilities(TYPES)))
    for one, other in zip(found, full, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0.02)


def test_noise_that_is_the_target_alone_gives_finite_gradients(layer: tuple[Tensor, ...]) -> None:
    inputs, weight, bias, _ = layer
    weight.requires_grad_()
    target = torch.tensor([4, 4, 4])
    loss = sampled_cross_entropy(inputs, weight, bias, target, torch.tensor([4, 4]),
                                 zipf_log_probabilities(TYPES))
    loss.backward()
    assert loss.item() == 0 and (weight.grad == 0).all()


def small() -> AdaptiveSoftmax:
    torch.manual_seed(4)
    return AdaptiveSoftmax(4, TYPES, [2, 5], 2.0)


def by_hand(found: AdaptiveSoftmax, inputs: Tensor) -> Tensor:
    """Words 0 and 1 in the head, 2 to 4 and 5 to 6 in groups that see 2 and 1 numbers."""
    head = found.layer.head
    scores = inputs @ head.weight.T + head.bias
    first = scores.exp() / scores.exp().sum(1, keepdim=True)
    columns = [first[:, :2]]
    for place, width in ((0, 2), (1, 1)):
        down, words = (part.weight for part in found.layer.tail[place])
        assert down.shape == (width, 4)
        within = (inputs @ down.T @ words.T).exp()
        columns.append(first[:, 2 + place, None] * within / within.sum(1, keepdim=True))
    return torch.cat(columns, 1)


def test_adaptive_probabilities_are_those_of_group_times_word(layer: tuple[Tensor, ...]) -> None:
    found, inputs, targets = small(), layer[0], layer[3]
    probabilities = found.log_probabilities(inputs).exp()
    torch.testing.assert_close(probabilities, by_hand(found, inputs))
    torch.testing.assert_close(probabilities.sum(1), torch.ones(3))
    expected = -by_hand(found, inputs)[torch.arange(3), targets].log().sum()
    torch.testing.assert_close(found(inputs, targets), expected)


def test_adaptive_gradients_are_finite_and_reach_all_that_was_opened(
        layer: tuple[Tensor, ...]) -> None:
    found = small()
    found(layer[0] * 30, layer[3]).backward()
    assert all(parameter.grad is not None and torch.isfinite(parameter.grad).all()
               and parameter.grad.abs().sum() > 0 for parameter in found.parameters())


def test_groups_that_would_see_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="the last of 3 groups would see none of 4 features"):
        AdaptiveSoftmax(4, TYPES, [2, 4, 5], 2.0)
