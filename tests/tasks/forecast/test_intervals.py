"""The head that learns limits: it finds quantiles, and takes nothing from the forecast."""

from statistics import NormalDist

import torch

from pipeline.tasks.forecast.shared.intervals import IntervalHead, pinball


def test_pinball_loss_by_hand() -> None:
    """An error of 2 above costs 2 tau, of 2 below 2 (1 - tau)."""
    losses = pinball(torch.tensor([2.0, -2.0, 0.0]), 0.9)
    torch.testing.assert_close(losses, torch.tensor([1.8, 0.2, 0.0]))


def test_limits_become_the_quantiles_of_the_errors() -> None:
    """Normal noise of twice the spread: limits at 1.96 times 2 spreads."""
    torch.manual_seed(0)
    head = IntervalHead(3, 2, logarithmic=False)
    states, spread = torch.zeros(4000, 3), torch.full((4000, 1), 0.5)
    centre = torch.full((4000, 2), 7.0)
    actual = centre + torch.randn(4000, 2)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(400):
        optimizer.zero_grad()
        head.loss(states, centre, spread, actual).mean().backward()
        optimizer.step()
    low, high = head(states[:1], centre[:1], spread[:1])
    reach = NormalDist().inv_cdf(0.975)
    torch.testing.assert_close(high[0], torch.full((2,), 7 + reach), atol=0.15, rtol=0)
    torch.testing.assert_close(low[0], torch.full((2,), 7 - reach), atol=0.15, rtol=0)


def test_the_forecast_gets_no_gradient() -> None:
    head = IntervalHead(3, 2, logarithmic=False)
    states, centre = torch.randn(5, 3, requires_grad=True), torch.randn(5, 2, requires_grad=True)
    head.loss(states, centre, torch.ones(5, 1), torch.randn(5, 2)).sum().backward()
    assert states.grad is None and centre.grad is None
    assert head.log_factors.weight.grad.abs().sum() > 0


def test_limits_begin_as_those_of_a_random_walk() -> None:
    generator = torch.Generator().manual_seed(1)
    walks = torch.randn(20_000, 5, generator=generator).cumsum(dim=1)
    expected = walks.quantile(0.975, dim=0)
    head = IntervalHead(3, 5, logarithmic=False)
    spread = torch.randn(20_000, generator=generator).abs().mean().view(1, 1)
    low, high = head(torch.zeros(1, 3), torch.zeros(1, 5), spread)
    torch.testing.assert_close(high[0], expected, rtol=0.05, atol=0)
    torch.testing.assert_close(-low[0], expected, rtol=0.05, atol=0)


def test_strange_states_neither_cross_the_limits_nor_send_them_away() -> None:
    """Between a tenth of a random walk's limits and ten times those, on either side."""
    head = IntervalHead(2, 3, logarithmic=False)
    with torch.no_grad():
        head.log_factors.weight.fill_(100.0)
    walk = torch.tensor([1.0, 2.0, 3.0]).sqrt() * 1.25 * 1.96
    states = torch.tensor([[5.0, 5.0], [-5.0, -5.0]])
    low, high = head(states, torch.zeros(2, 3), torch.full((2, 1), 0.5))
    torch.testing.assert_close(high, 0.5 * walk * torch.tensor([[10.0], [0.1]]))
    torch.testing.assert_close(low, -high)


def test_in_logarithms_wide_limits_grow_with_the_spread_and_not_with_its_exponential() -> None:
    """A random walk's widths for a spread of 0.01 and of 2, as parts of the forecast."""
    head = IntervalHead(1, 2, logarithmic=True)
    spreads = torch.tensor([[0.01], [2.0]])
    low, high = head(torch.zeros(2, 1), torch.full((2, 2), 3.0), spreads)
    widths = spreads * torch.tensor([1.0, 2.0]).sqrt() * 1.25 * 1.96
    torch.testing.assert_close((high - 3).exp(), 1 + widths)
    torch.testing.assert_close((3 - low).exp(), 1 + widths)
