"""The played device refuses what a GPU refuses, and computes what the processor computes."""

import pytest
import torch
from torch import Tensor, nn

from tests.elsewhere import ELSEWHERE, elsewhere


def forgetful(x: Tensor) -> Tensor:
    return x + torch.arange(len(x))


def mindful(x: Tensor) -> Tensor:
    return x + torch.arange(len(x), device=x.device)


def test_a_tensor_made_without_a_device_is_refused() -> None:
    net = nn.Linear(2, 3)
    with elsewhere(net):
        here = net(torch.ones(2, device=ELSEWHERE))
        with pytest.raises(RuntimeError, match="two devices"):
            forgetful(here)
        with pytest.raises(RuntimeError, match="two devices"):
            net(torch.ones(2))
        with pytest.raises(RuntimeError, match="two devices"):
            here[torch.tensor([0, 1])]
        with pytest.raises(TypeError, match="NumPy"):
            here.detach().numpy()
        assert here.device == ELSEWHERE == next(net.parameters()).device
        assert here.cpu().device == here.to("cpu").device == torch.device("cpu")


def test_values_are_the_processors_and_the_weights_come_back() -> None:
    net = nn.LSTM(2, 3)
    inputs = torch.randn(3, 3, 2)
    expected = mindful(net(inputs)[0])
    with elsewhere(net):
        found = mindful(net(inputs.to(next(net.parameters()).device))[0])
        assert sum(found.tolist()[1][0]) == sum(expected.tolist()[1][0])
        assert torch.equal(found.detach().cpu(), expected)
    assert type(next(net.parameters())) is nn.Parameter
