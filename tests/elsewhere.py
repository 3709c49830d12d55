"""A second device, played by the processor: it refuses what a GPU would refuse.

Tensors "elsewhere" say that they are on a GPU. Whatever computes with one of them and with one
that was made on the processor without a word, or hands one to NumPy, fails as it would on a
machine with a GPU; all else gives the processor's values. So a forgotten `device=` is found on any
machine.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

ELSEWHERE = torch.device("cuda", 0)
_HERE = torch.device("cpu")
_BETWEEN_DEVICES = {Tensor.to, Tensor.copy_, Tensor.type_as}
_TO_NUMPY = {Tensor.numpy, Tensor.__array__}


class _There(Tensor):
    """A tensor that is elsewhere."""


class _Devices(TorchFunctionMode):
    """Every call of torch passes here."""

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: tuple = (),
                           kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = [isinstance(tensor, _There) for tensor in tensors]
        if func == Tensor.device.__get__:
            return ELSEWHERE if there[0] else _HERE
        if func == Tensor.is_cuda.__get__:
            return there[0]
        if func in _TO_NUMPY and there[0]:
            raise TypeError("a tensor on a GPU was handed to NumPy")
        mixed = any(there) and any(
            not own and tensor.dim() for own, tensor in zip(there, tensors, strict=True))
        if mixed and func not in _BETWEEN_DEVICES:
            raise RuntimeError(f"{func.__name__}: tensors on two devices")
        result = _plainly(func, *tree_map(_as_here, (args, kwargs)))
        return tree_map(_place(_is_there(func, args, kwargs, there)), result)


def _plainly(func: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
    with torch._C.DisableTorchFunctionSubclass():
        result = func(*args, **kwargs)
    return list(result) if func is Tensor.__iter__ else result


def _as_here(value: Any) -> Any:
    return _HERE if isinstance(value, torch.device) else value


def _is_there(func: Callable[..., Any], args: tuple, kwargs: dict[str, Any],
              there: list[bool]) -> bool:
    """Whether a result is elsewhere: where it was sent, else where the tensors are."""
    if func is Tensor.cpu:
        return False
    if func is Tensor.to and isinstance(args[1], Tensor):
        return there[1]
    named = [value for value in (*args, *kwargs.values()) if isinstance(value, torch.device)]
    if func is Tensor.to and args[1] == "cpu":
        named = [_HERE]
    return named[0] == ELSEWHERE if named else any(there)


def _place(there: bool) -> Callable[[Any], Any]:
    kind = _There if there else Tensor
    return lambda value: value.as_subclass(kind) if isinstance(value, Tensor) else value


@contextmanager
def elsewhere(system: nn.Module) -> Iterator[None]:
    """Within, the weights of `system` are elsewhere, and so must be all that meets them."""
    with _moved(system), _Devices():
        yield


@contextmanager
def _moved(system: nn.Module) -> Iterator[None]:
    kept = [(holder, dict(holder)) for module in system.modules()
            for holder in (module._parameters, module._buffers)]
    for holder, tensors in kept:
        holder.update({name: tensor.detach().as_subclass(_There)
                       .requires_grad_(tensor.requires_grad)
                       for name, tensor in tensors.items() if tensor is not None})
    _renew_flat_weights(system)
    try:
        yield
    finally:
        for holder, tensors in kept:
            holder.update(tensors)
        _renew_flat_weights(system)


def _renew_flat_weights(system: nn.Module) -> None:
    """torch's recurrent modules keep a second list of their weights."""
    for module in system.modules():
        if isinstance(module, nn.RNNBase):
            module._flat_weights = [module._parameters[name]
                                    for name in module._flat_weights_names]
