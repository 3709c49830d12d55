"""Numbers as text: six decimals, and six digits of what is next to zero."""

import torch

from pipeline.tasks.memory.shared.answers import Number


def test_small_and_large_answers_are_seen() -> None:
    outputs = torch.tensor([[1.23456789e-9], [12345.67890123], [0.0]], dtype=torch.float64)
    assert Number().values(outputs) == [1.23457e-9, 12345.678901, 0.0]
