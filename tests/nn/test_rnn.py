"""Stacks of layers: equations, states over windows, dropout, and reading from both sides."""

import pytest
import torch
from torch import Tensor, nn

from pipeline.nn.cells import _LAYERS, Cell
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.rnn import (
    BidirectionalStack,
    Stack,
    StackState,
    detached,
    ends,
    reverse,
    state_from_tensors,
    state_tensors,
)


@pytest.fixture
def lstm() -> Stack:
    torch.manual_seed(0)
    return Stack("lstm", 3, [5, 4], dropout=0.5).double().eval()


def cell(layer: nn.LSTM, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """i, f, g, o of the lecture, for one step of a batch."""
    gates = (x @ layer.weight_ih_l0.T + layer.bias_ih_l0
             + h @ layer.weight_hh_l0.T + layer.bias_hh_l0)
    i, f, g, o = gates.chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def test_outputs_and_state_are_those_of_the_equations(lstm: Stack) -> None:
    inputs = torch.randn(6, 2, 3, dtype=torch.double)
    outputs, state = lstm(inputs, lstm.start(2))
    expected = list(inputs)
    for layer, (last_h, last_c) in zip(lstm.layers, state, strict=True):
        h = c = torch.zeros(2, layer.hidden_size, dtype=torch.double)
        for time, x in enumerate(expected):
            h, c = cell(layer, x, h, c)
            expected[time] = h
        torch.testing.assert_close(last_h[0], h)
        torch.testing.assert_close(last_c[0], c)
    torch.testing.assert_close(outputs, torch.stack(expected))


@pytest.mark.parametrize("cell", _LAYERS)
def test_windows_with_a_carried_state_are_one_long_run(cell: Cell) -> None:
    torch.manual_seed(0)
    stack = Stack(cell, 3, [5, 4], dropout=0.5).double().eval()
    inputs = torch.randn(7, 2, 3, dtype=torch.double)
    whole, last = stack(inputs, stack.start(2))
    first, state = stack(inputs[:3], stack.start(2))
    second, carried = stack(inputs[3:], state_from_tensors(state_tensors(detached(state))))
    torch.testing.assert_close(torch.cat([first, second]), whole)
    for tensors, expected in zip(carried, last, strict=True):
        torch.testing.assert_close(tensors, expected)


def test_dropout_between_layers_is_locked_or_fresh_and_stands_between_them_only() -> None:
    torch.manual_seed(0)
    lstm = Stack("lstm", 2, [40, 3], dropout=0.5)
    seen: list[Tensor] = []
    lstm.layers[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    lstm(torch.randn(8, 1, 2), lstm.start(1))
    dropped = seen[0] == 0
    assert torch.equal(dropped, dropped[:1].expand_as(dropped))
    assert 0 < int(dropped[0].sum()) < 40
    fresh = Stack("lstm", 2, [40, 3], dropout=0.5, masks="fresh")
    fresh.layers[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    fresh(torch.randn(8, 1, 2), fresh.start(1))
    dropped = seen[1] == 0
    assert not torch.equal(dropped, dropped[:1].expand_as(dropped))
    assert 100 < int(dropped.sum()) < 220
    single = Stack("lstm", 2, [4], dropout=0.5)
    inputs = torch.randn(5, 1, 2)
    torch.testing.assert_close(single(inputs, single.start(1)), single(inputs, single.start(1)))


def test_a_detached_state_ends_the_gradient(lstm: Stack) -> None:
    _, state = lstm(torch.randn(2, 1, 3, dtype=torch.double), lstm.start(1))
    assert state[0][0].requires_grad

    def no_history(pairs: StackState) -> bool:
        return not any(tensor.requires_grad for pair in pairs for tensor in pair)

    assert no_history(detached(state))


def test_dropped_recurrent_weights_stay_dropped_over_time_and_the_rest_are_scaled() -> None:
    lstm = Stack("lstm", 2, [3], dropout=0.0, weight_dropout=0.4).double().train()
    layer = lstm.layers[0]
    torch.nn.init.zeros_(layer.weight_ih_l0)
    torch.nn.init.ones_(layer.weight_hh_l0)
    torch.nn.init.zeros_(layer.bias_ih_l0)
    torch.nn.init.zeros_(layer.bias_hh_l0)
    inputs = torch.zeros(6, 1, 2, dtype=torch.float64)
    start = [(torch.full((1, 1, 3), 0.2, dtype=torch.float64),
              torch.full((1, 1, 3), 0.1, dtype=torch.float64))]
    torch.manual_seed(5)
    outputs, _ = lstm(inputs, start)
    torch.manual_seed(5)
    mask = FreshDropout(0.4)(torch.ones(12, 3, dtype=torch.float64))
    assert 0 < (mask == 0).sum() < 36 and mask.max() == pytest.approx(1 / 0.6)
    h, c = start[0][0][0, 0], start[0][1][0, 0]
    for output in outputs[:, 0]:
        i, f, g, o = (mask @ h).chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        torch.testing.assert_close(output, h)


def test_recurrent_weights_learn_through_their_mask_and_are_whole_in_evaluation() -> None:
    lstm = Stack("lstm", 2, [30], dropout=0.0, weight_dropout=0.5)
    inputs = torch.randn(4, 2, 2)
    lstm(inputs, lstm.start(2))[0].sum().backward()
    untouched = (lstm.layers[0].weight_hh_l0.grad == 0).double().mean()
    assert 0.4 < untouched < 0.6
    lstm.eval()
    whole, _ = lstm.layers[0](inputs, *lstm.start(2))
    torch.testing.assert_close(lstm(inputs, lstm.start(2))[0], whole)


def test_both_sides_of_padded_sequences_are_those_of_torchs_packed_ones() -> None:
    torch.manual_seed(2)
    stack = BidirectionalStack("lstm", 3, [4, 4], dropout=0.0)
    theirs = nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    for side, layers in (("", stack.forwards), ("_reverse", stack.backwards)):
        for level, found in enumerate(layers):
            for name, parameter in found.named_parameters():
                getattr(theirs, f"{name[:-1]}{level}{side}").data.copy_(parameter)
    lengths = torch.tensor([6, 1, 4])
    inputs = torch.randn(6, 3, 3)
    packed, _ = theirs(nn.utils.rnn.pack_padded_sequence(inputs, lengths, enforce_sorted=False))
    expected, _ = nn.utils.rnn.pad_packed_sequence(packed)
    real = torch.arange(6)[:, None] < lengths
    torch.testing.assert_close(stack(inputs, lengths)[real], expected[real])


def test_both_sides_end_with_the_last_states_of_torchs() -> None:
    stack = BidirectionalStack("lstm", 3, [4], dropout=0.0)
    theirs = nn.LSTM(3, 4, bidirectional=True)
    for side, layers in (("", stack.forwards), ("_reverse", stack.backwards)):
        for name, parameter in layers[0].named_parameters():
            getattr(theirs, name + side).data.copy_(parameter)
    lengths = torch.tensor([6, 1, 4])
    inputs = torch.randn(6, 3, 3)
    _, (last, _) = theirs(nn.utils.rnn.pack_padded_sequence(inputs, lengths, enforce_sorted=False))
    torch.testing.assert_close(ends(stack(inputs, lengths), lengths),
                               torch.cat([last[0], last[1]], dim=-1))


def test_sequences_are_reversed_within_their_lengths() -> None:
    sequences = torch.tensor([[1, 5], [2, 6], [3, 0]])
    assert reverse(sequences, torch.tensor([3, 2])).T.tolist() == [[3, 2, 1], [6, 5, 0]]
    deep = sequences[..., None].expand(3, 2, 4)
    assert torch.equal(reverse(deep, torch.tensor([3, 2]))[..., 3],
                       reverse(sequences, torch.tensor([3, 2])))


@pytest.mark.parametrize(("cell", "module"), [("lstm-torch", nn.LSTM), ("gru-torch", nn.GRU)])
def test_both_sides_are_read_as_by_torchs_packed_stack(cell: Cell, module: type) -> None:
    """torch's own bidirectional stack over packed sequences, with the same weights."""
    torch.manual_seed(0)
    found = BidirectionalStack(cell, 3, [5, 5, 5], dropout=0.0)
    theirs = module(3, 5, num_layers=3, bidirectional=True)
    for way, layers in (("", found.forwards), ("_reverse", found.backwards)):
        for depth, through in enumerate(layers):
            for name, parameter in through.named_parameters():
                getattr(theirs, name.replace("_l0", f"_l{depth}{way}")).data = parameter.data
    inputs = torch.randn(9, 4, 3, requires_grad=True)
    lengths = torch.tensor([4, 9, 1, 7])
    within = (torch.arange(9)[:, None] < lengths)[..., None]
    packed = nn.utils.rnn.pack_padded_sequence(inputs, lengths, enforce_sorted=False)
    expected, _ = nn.utils.rnn.pad_packed_sequence(theirs(packed)[0])
    outputs = found(inputs, lengths)
    torch.testing.assert_close(outputs * within, expected, atol=1e-5, rtol=1e-5)
    weigh = torch.randn_like(expected)
    for ours, torchs in zip(*(torch.autograd.grad((states * within * weigh).sum(), inputs)
                              for states in (outputs, expected)), strict=True):
        torch.testing.assert_close(ours, torchs, atol=1e-5, rtol=1e-5)
