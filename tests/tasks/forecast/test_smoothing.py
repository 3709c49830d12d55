"""Exponential smoothing in blocks against a plain loop over time."""

import pytest
import torch

from pipeline.tasks.forecast.shared.smoothing import smooth


def looped(values: torch.Tensor, alpha: float, gammas: list[float],
           initial: list[torch.Tensor]) -> tuple[list[float], list[list[float]]]:
    """The recursion of one series as it stands in the textbook."""
    seasons = [season.tolist() for season in initial]
    levels: list[float] = []
    for t, value in enumerate(values.tolist()):
        factor = 1.0
        for season in seasons:
            factor *= season[t]
        before = levels[-1] if levels else value / factor
        levels.append(alpha * value / factor + (1 - alpha) * before)
        for gamma, season in zip(gammas, seasons, strict=True):
            season.append(gamma * value / (levels[-1] * factor / season[t])
                          + (1 - gamma) * season[t])
    return levels, seasons


@pytest.mark.parametrize("periods", [[], [4], [3, 12], [12, 5]])
def test_blocks_equal_a_loop_over_time(periods: list[int]) -> None:
    torch.manual_seed(0)
    values = 10 + 5 * torch.rand(3, 71, dtype=torch.float64)
    alpha = torch.randn(3, dtype=torch.float64)
    gamma = torch.randn(3, len(periods), dtype=torch.float64)
    initial = [0.5 + torch.rand(3, period, dtype=torch.float64) for period in periods]
    found = smooth(values, alpha, gamma, initial)
    for row in range(3):
        levels, seasons = looped(values[row], float(alpha[row].sigmoid()),
                                 gamma[row].sigmoid().tolist(), [one[row] for one in initial])
        torch.testing.assert_close(found.levels[row], torch.tensor(levels, dtype=torch.float64))
        for one, expected in zip(found.seasons, seasons, strict=True):
            torch.testing.assert_close(one[row], torch.tensor(expected, dtype=torch.float64))


def test_gradients_are_exact() -> None:
    torch.manual_seed(0)
    arguments = (torch.randn(2, dtype=torch.float64, requires_grad=True),
                 torch.randn(2, 1, dtype=torch.float64, requires_grad=True),
                 (1 + torch.rand(2, 3, dtype=torch.float64)).requires_grad_())
    values = 1 + torch.rand(2, 8, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda alpha, gamma, season: (smooth(values, alpha, gamma, [season]).levels,
                                      smooth(values, alpha, gamma, [season]).seasons[0]),
        arguments)


def test_extreme_coefficients_stay_finite() -> None:
    alpha = torch.tensor([200.0, -200.0], requires_grad=True)
    values = torch.tensor([[1.0, 5, 2, 8], [1.0, 5, 2, 8]])
    levels = smooth(values, alpha, torch.zeros(2, 0), []).levels
    torch.testing.assert_close(levels, torch.tensor([[1.0, 5, 2, 8], [1.0, 1, 1, 1]]))
    levels.sum().backward()
    assert torch.isfinite(alpha.grad).all()
