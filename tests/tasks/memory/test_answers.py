"""Numbers go to a millionth, and what is next to zero has twenty bits."""

import torch

from pipeline.tasks.memory.shared.answers import Number


def test_small_and_large_answers_are_seen() -> None:
    outputs = torch.tensor([[1.23456789e-9], [12345.67890123], [0.0]], dtype=torch.float64)
    # 2^-30 < 1.2e-9 < 2^-29, and 2^-20 < 1e-6.
    assert Number().values(outputs) == [
        round(1.23456789e-9 * 2**49) / 2**49, round(12345.67890123 * 2**20) / 2**20, 0.0]
