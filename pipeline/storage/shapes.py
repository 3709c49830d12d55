"""JSON with a shape: what is read back has the keys and kinds of value that its reader counts on.

A file may be valid JSON and yet a list where an object belongs, or a word where a number does. Its
reader says once, as a type, what it reads; whatever differs is an error that names the place.
"""

import functools
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import UserError
from pipeline.storage.files import read_json

Shape = TypeVar("Shape")
_AGAIN = "remove it and run the stage that writes it again"


def read_shaped(path: Path, shape: type[Shape], remedy: str = _AGAIN) -> Shape:
    """Read JSON that must be a `shape`: a TypedDict, a dataclass' fields, list[str] and the like.

    Raises UserError naming the file, the key and what is wrong there, and ending with `remedy`.
    """
    return shaped(read_json(path, remedy), shape, str(path), remedy)


def shaped(value: Any, shape: type[Shape], place: str, remedy: str) -> Shape:
    """The same value, checked: kinds are not converted, and keys beyond those of `shape` stay."""
    try:
        _adapter(cast(Hashable, shape)).validate_python(value, strict=True)
    except ValidationError as errors:
        error = errors.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in error["loc"])
        raise UserError(f"{place}{f', {key}' if key else ''}: {_small(error['msg'])}; "
                        f"{remedy}") from None
    return value


@functools.cache
def _adapter(shape: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, shape))


def _small(message: str) -> str:
    return message[:1].lower() + message[1:]
