"""How a text is cut for training."""

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.tasks.language_model.shared.windows import Windows


def test_streams_are_consecutive_parts_of_the_text() -> None:
    windows = Windows(np.arange(22), streams=3, window=4, seed=0, rotate=False)
    batches = [windows.load(description) for description in windows.plan(0)]
    assert [tuple(batch["inputs"].shape) for batch in batches] == [(4, 3), (3, 3)]
    inputs = torch.cat([batch["inputs"] for batch in batches])
    assert inputs.T.tolist() == [list(range(7)), list(range(7, 14)), list(range(14, 21))]
    for batch in batches:
        assert torch.equal(batch["targets"], batch["inputs"] + 1)


def test_each_epoch_turns_the_text_and_has_as_many_windows() -> None:
    windows = Windows(np.arange(50), streams=4, window=5, seed=3, rotate=True)
    plans = [windows.plan(epoch) for epoch in range(5)]
    assert {len(plan) for plan in plans} == {3}
    assert len({plan[0][0] for plan in plans}) > 1
    assert plans[2] == Windows(np.arange(50), 4, 5, seed=3, rotate=True).plan(2)
    for description in plans[1]:
        batch = windows.load(description)
        assert torch.equal(batch["targets"], (batch["inputs"] + 1) % 50)


def test_a_text_too_short_for_its_streams_is_refused() -> None:
    with pytest.raises(UserError, match="5 tokens, too few for 5 streams"):
        Windows(np.arange(5), streams=5, window=2, seed=0, rotate=True)
