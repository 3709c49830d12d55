"""The linear-chain CRF against every path, written out."""

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pipeline.nn import crf as module
from pipeline.nn.crf import LinearChainCRF


def random_crf(tags: int, seed: int, scale: float = 1.0) -> LinearChainCRF:
    torch.manual_seed(seed)
    crf = LinearChainCRF(tags).double()
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter, std=scale)
    return crf


def case(tags: int, lengths: list[int], seed: int, scale: float = 1.0) -> tuple:
    """A CRF, emissions [batch, time, tags] with garbage at padding, and the mask."""
    crf = random_crf(tags, seed, scale)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    emissions = scale * torch.randn(*mask.shape, tags, dtype=torch.double)
    return crf, emissions.masked_fill(~mask[:, :, None], 1e3), mask


def scores(crf: LinearChainCRF, emissions: Tensor, length: int) -> dict[tuple[int, ...], float]:
    """Score of every path of one sequence, by the definition."""
    start, transitions, end = (p.tolist() for p in (crf.start, crf.transitions, crf.end))
    emitted = emissions.tolist()
    return {path: start[path[0]] + end[path[-1]]
            + sum(emitted[step][tag] for step, tag in enumerate(path))
            + sum(transitions[a][b] for a, b in zip(path, path[1:], strict=False))
            for path in product(range(crf.start.numel()), repeat=length)}


def log_sum(values: list[float]) -> float:
    return float(torch.tensor(values, dtype=torch.double).logsumexp(0))


SHAPES = given(tags=st.integers(1, 4), lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3),
               seed=st.integers(0, 10_000))


@settings(max_examples=30)
@SHAPES
def test_partition_is_the_sum_over_all_paths(tags: int, lengths: list[int], seed: int) -> None:
    crf, emissions, mask = case(tags, lengths, seed)
    found = crf.log_partition(emissions, mask).tolist()
    for row, length in enumerate(lengths):
        expected = log_sum(list(scores(crf, emissions[row], length).values()))
        assert found[row] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=30)
@SHAPES
def test_decoding_finds_the_best_of_all_paths(tags: int, lengths: list[int], seed: int) -> None:
    crf, emissions, mask = case(tags, lengths, seed)
    paths, best = crf.decode(emissions, mask)
    for row, length in enumerate(lengths):
        every = scores(crf, emissions[row], length)
        assert tuple(paths[row, :length].tolist()) == max(every, key=every.__getitem__)
        assert float(best[row]) == pytest.approx(max(every.values()), rel=1e-9)
        assert not paths[row, length:].any()


@settings(max_examples=20)
@SHAPES
def test_marginals_are_sums_over_paths(tags: int, lengths: list[int], seed: int) -> None:
    crf, emissions, mask = case(tags, lengths, seed)
    found = crf.marginals(emissions, mask)
    for row, length in enumerate(lengths):
        every = scores(crf, emissions[row], length)
        total = log_sum(list(every.values()))
        for step, tag in product(range(length), range(tags)):
            through = [score for path, score in every.items() if path[step] == tag]
            assert float(found[row, step, tag]) == pytest.approx(
                math.exp(log_sum(through) - total), rel=1e-8, abs=1e-12)
        assert not found[row, length:].any()


def test_loss_is_the_negative_log_of_a_paths_probability() -> None:
    crf, emissions, mask = case(3, [4, 2], seed=5)
    tags = torch.tensor([[0, 2, 2, 1], [1, 0, 9, -1]])
    found = crf.loss(emissions, tags, mask).tolist()
    for row, path in enumerate([(0, 2, 2, 1), (1, 0)]):
        every = scores(crf, emissions[row], len(path))
        assert found[row] == pytest.approx(log_sum(list(every.values())) - every[path])


@pytest.mark.parametrize("spread", [module.SPREAD, 0.0], ids=["products", "by definition"])
def test_gradients_of_both_ways_to_sum(spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPREAD", spread)
    crf, emissions, mask = case(3, [4, 1, 3], seed=7)
    emissions = emissions.masked_fill(~mask[:, :, None], 0.0).requires_grad_()
    tags = torch.tensor([[0, 2, 2, 1], [1, 0, 0, 0], [2, 1, 0, 0]])

    def loss(emissions: Tensor, *parameters: Tensor) -> Tensor:
        for name, value in zip(("start", "transitions", "end"), parameters, strict=True):
            delattr(crf, name)
            setattr(crf, name, value)
        return crf.loss(emissions, tags, mask)

    parameters = [p.detach().clone().requires_grad_() for p in
                  (crf.start, crf.transitions, crf.end)]
    assert torch.autograd.gradcheck(loss, (emissions, *parameters))


def test_what_stands_at_padding_has_no_influence() -> None:
    gradients = []
    for garbage in (0.0, 1e30):
        crf, emissions, mask = case(3, [2, 5], seed=4)
        emissions = emissions.masked_fill(~mask[:, :, None], garbage).requires_grad_()
        crf.loss(emissions, torch.zeros(2, 5).long(), mask).sum().backward()
        assert not emissions.grad[~mask].any()
        gradients.append([emissions.grad, *(p.grad for p in crf.parameters())])
    for first, second in zip(*gradients, strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("scale", [30.0, 300.0])
def test_extreme_scores_stay_exact_in_single_precision(scale: float) -> None:
    # Wide apart: most products underflow, and the paths that survive them must not.
    crf, emissions, mask = case(4, [5, 3], seed=3, scale=scale)
    expected = [log_sum(list(scores(crf, emissions[row], length).values()))
                for row, length in enumerate([5, 3])]
    found = crf.float().log_partition(emissions.float().requires_grad_(), mask)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32), rtol=1e-5,
                               atol=1e-4)
    found.sum().backward()
    assert torch.isfinite(crf.transitions.grad).all()


def test_forbidden_transitions_are_never_taken() -> None:
    # 0 after 0 costs 10,000; with emissions that want nothing but 0 it is avoided all the same.
    crf = LinearChainCRF(2)
    with torch.no_grad():
        for parameter in crf.parameters():
            parameter.zero_()
        crf.transitions[0, 0] = -10_000.0
    emissions = torch.zeros(1, 5, 2)
    emissions[:, :, 0] = 50.0
    mask = torch.ones(1, 5, dtype=torch.bool)
    assert crf.decode(emissions, mask)[0].tolist() == [[0, 1, 0, 1, 0]]
    assert crf.log_partition(emissions, mask).item() == pytest.approx(150.0, abs=1e-3)
    assert crf.marginals(emissions, mask)[0, 2, 0].item() == pytest.approx(1.0)


def test_half_precision_emissions_are_summed_in_single_precision() -> None:
    crf, emissions, mask = case(5, [6], seed=1)
    crf = crf.float()
    low = emissions.bfloat16()
    assert crf.log_partition(low, mask).dtype == torch.float32
    expected = crf.log_partition(low.float(), mask)
    torch.testing.assert_close(crf.log_partition(low, mask), expected)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(crf.log_partition(low, mask), expected)


def test_the_table_has_beginning_and_end() -> None:
    crf = random_crf(3, seed=2)
    table = torch.from_numpy(crf.table())
    torch.testing.assert_close(table[:3, :3], crf.transitions.data)
    torch.testing.assert_close(table[3, :3], crf.start.data)
    torch.testing.assert_close(table[:3, 3], crf.end.data)


GOOD = torch.ones(2, 4, dtype=torch.bool)


@pytest.mark.parametrize("emissions, tags, mask, message", [
    (torch.zeros(2, 4, 6), torch.zeros(2, 4).long(), GOOD,
     "expected last dimension of emissions is 5, got 6"),
    (torch.zeros(2, 5), torch.zeros(2, 4).long(), GOOD, r"\[batch, time, tags\], got \[2, 5\]"),
    (torch.zeros(2, 4, 5), torch.zeros(2, 4).long(), GOOD[:, :3],
     r"expected a mask of shape \[2, 4\], got \[2, 3\]"),
    (torch.zeros(2, 4, 5), torch.zeros(2, 3).long(), GOOD,
     r"expected tags of shape \[2, 4\], got \[2, 3\]"),
    (torch.zeros(2, 4, 5), torch.full((2, 4), 5), GOOD, "expected tags from 0 to 4, got 5 to 5"),
    (torch.zeros(2, 4, 5), torch.full((2, 4), -1), GOOD, "expected tags from 0 to 4, got -1"),
    (torch.zeros(2, 4, 5), torch.zeros(2, 4).long(), ~GOOD, "leave empty ones out"),
    (torch.zeros(1, 3, 5), torch.zeros(1, 3).long(), torch.tensor([[True, False, True]]),
     "true up to a sequence's end"),
])
def test_wrong_shapes_are_named(emissions: Tensor, tags: Tensor, mask: Tensor,
                                message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LinearChainCRF(5).loss(emissions, tags, mask)


def test_a_crf_has_tags() -> None:
    with pytest.raises(ValueError, match="at least 1 tag, got 0"):
        LinearChainCRF(0)
