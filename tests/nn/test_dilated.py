"""Dilated layers against a cell stepped by hand."""

import torch

from pipeline.nn.dilated import Dilated, DilatedBlocks


def test_state_comes_from_dilation_steps_back() -> None:
    torch.manual_seed(0)
    dilated = Dilated("lstm", 3, 5, dilation=3)
    cell = torch.nn.LSTMCell(3, 5)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(cell, name).data = getattr(dilated.layer, f"{name}_l0").data
    inputs = torch.randn(8, 2, 3)
    states: list[tuple[torch.Tensor, torch.Tensor]] = []
    for step in range(8):
        before = states[step - 3] if step >= 3 else None
        states.append(cell(inputs[step], before))
    expected = torch.stack([hidden for hidden, _ in states])
    torch.testing.assert_close(dilated(inputs), expected)


def test_blocks_add_residuals_and_never_look_ahead() -> None:
    torch.manual_seed(0)
    network = DilatedBlocks("gru-torch", 2, 4, [[1, 2], [3]])
    inputs = torch.randn(9, 1, 2)
    states = network(inputs)
    first = network.blocks[0](inputs)
    torch.testing.assert_close(states, first + network.blocks[1](first))
    changed = inputs.clone()
    changed[5:] += 1
    torch.testing.assert_close(network(changed)[:5], states[:5])
    assert not torch.allclose(network(changed)[5:], states[5:])
