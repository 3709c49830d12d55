"""Time-delay layers against a loop over frames, and what of a sequence each of them sees."""

import pytest
import torch
from torch.nn.functional import layer_norm

from pipeline.nn.tdnn import TimeDelayStack

LENGTHS = torch.tensor([9, 9])


def stack(dilations: list[int], dropout: float = 0.0) -> TimeDelayStack:
    torch.manual_seed(0)
    found = TimeDelayStack(3, 4, dilations, dropout)
    for norm in found.norms:  # away from what they begin with
        torch.nn.init.normal_(norm.weight, 1.0, 0.3)
        torch.nn.init.normal_(norm.bias, 0.0, 0.3)
    return found


def by_hand(network: TimeDelayStack, number: int, dilation: int,
            frames: torch.Tensor) -> torch.Tensor:
    """A layer's output [T, 4] of `frames` [T, D]: nothing stands before or behind them."""
    layer, norm = network.layers[number], network.norms[number]
    found = []
    for time in range(len(frames)):
        total = layer.bias.clone()
        for tap, place in enumerate((time - dilation, time, time + dilation)):
            if 0 <= place < len(frames):
                total = total + layer.weight[:, :, tap] @ frames[place]
        found.append(layer_norm(total, (4,), norm.weight, norm.bias).relu())
    return torch.stack(found)


@pytest.mark.parametrize("dilation", [1, 3])
def test_a_layer_weighs_a_frame_and_its_neighbours_so_far_away(dilation: int) -> None:
    network, inputs = stack([dilation]), torch.randn(2, 9, 3)
    found = network(inputs, LENGTHS)
    for row in range(2):
        torch.testing.assert_close(found[row], by_hand(network, 0, dilation, inputs[row]))


def test_layers_above_the_first_add_to_what_is_below() -> None:
    network, inputs = stack([1, 2], dropout=0.5).eval(), torch.randn(1, 9, 3)
    first = by_hand(network, 0, 1, inputs[0])
    expected = first + by_hand(network, 1, 2, first)
    torch.testing.assert_close(network(inputs, LENGTHS[:1])[0], expected)


def test_a_frame_sees_as_far_as_all_dilations_together_and_no_further() -> None:
    network = stack([1, 3, 2])
    inputs = torch.randn(1, 21, 3, requires_grad=True)
    network(inputs, torch.tensor([21]))[0, 10].sum().backward()
    assert inputs.grad is not None
    seen = inputs.grad[0].abs().sum(dim=1).nonzero().flatten().tolist()
    # Every place that steps of -1, 0, 1 and -3, 0, 3 and -2, 0, 2 lead to.
    assert seen == sorted({10 + one + other * 3 + last * 2 for one in (-1, 0, 1)
                           for other in (-1, 0, 1) for last in (-1, 0, 1)})


def test_padding_changes_nothing_and_stays_zero() -> None:
    network = stack([1, 2, 4])
    inputs = torch.randn(3, 12, 3)
    lengths = torch.tensor([12, 5, 1])
    together = network(inputs, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = network(inputs[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(together[row, :length], alone[0])
        assert not together[row, length:].any()


def test_dropout_is_for_training_and_spares_the_first_layer() -> None:
    inputs = torch.randn(2, 9, 3)
    one, two = stack([1], dropout=0.5), stack([1, 2], dropout=0.5)
    torch.testing.assert_close(one.train()(inputs, LENGTHS), one.eval()(inputs, LENGTHS))
    assert not torch.equal(two.train()(inputs, LENGTHS), two.eval()(inputs, LENGTHS))
