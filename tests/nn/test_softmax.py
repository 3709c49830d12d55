"""Cross entropy without stored logits against torch's own, values and gradients."""

import pytest
import torch
from torch.nn import functional

from pipeline.nn import softmax


@pytest.mark.parametrize("rows", [1, 5, 12])
def test_values_and_gradients_are_torchs(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(softmax, "ROWS", 5)
    torch.manual_seed(0)
    leaves = [torch.randn(rows, 4, dtype=torch.double), torch.randn(7, 4, dtype=torch.double),
              torch.randn(7, dtype=torch.double)]
    ours, theirs = ([leaf.clone().requires_grad_() for leaf in leaves] for _ in range(2))
    targets = torch.randint(7, (rows,))
    expected = functional.cross_entropy(functional.linear(*theirs), targets, reduction="sum")
    found = softmax.linear_cross_entropy(*ours, targets)
    (3 * expected).backward()
    (3 * found).backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-5, atol=1e-6)


def test_autocast_computes_the_products_in_bf16_and_the_softmax_in_fp32() -> None:
    torch.manual_seed(0)
    inputs, weight, bias = torch.randn(64, 32), torch.randn(50, 32), torch.randn(50)
    targets = torch.randint(50, (64,))
    exact = softmax.linear_cross_entropy(inputs, weight, bias, targets)
    with torch.autocast("cpu", torch.bfloat16):
        low = softmax.linear_cross_entropy(inputs, weight, bias, targets)
    assert low.dtype == torch.float32
    assert low.item() == pytest.approx(exact.item(), rel=1e-2)
    assert low.item() != exact.item()
