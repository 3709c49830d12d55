"""Networks are trained in single precision and answer in double.

What a batch does to the last bits of a number, its size and the order of its rows, is then far
below the digits that are given: an answer is the same whatever stands beside it.
"""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


@contextlib.contextmanager
def in_double(module: nn.Module) -> Iterator[None]:
    """The same weights in double precision within the block, and as they were behind it."""
    module.double()
    try:
        yield
    finally:
        module.float()


def at_least_single(tensor: Tensor) -> Tensor:
    """What autocast has made of a layer's output in single precision; double stays as it is."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
