"""torch's containers of modules, whose elements keep their types.

`nn.ModuleList` and `nn.ModuleDict` say of an element only that it is a module, so what one calls
of it could not be checked.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar, cast

from torch import nn

M = TypeVar("M", bound=nn.Module)


def module_list(modules: Iterable[M]) -> Sequence[M]:
    """An `nn.ModuleList`."""
    return cast(Sequence[M], nn.ModuleList(modules))


def module_dict(modules: Mapping[str, M]) -> Mapping[str, M]:
    """An `nn.ModuleDict`."""
    return cast(Mapping[str, M], nn.ModuleDict(modules))
