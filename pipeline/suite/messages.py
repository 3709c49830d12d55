"""What is wrong with a params.yaml, in words that name the place and the remedy."""

import difflib
import inspect
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from pipeline.errors import UserError

_WIDTH = 100
_BITS = 1000


class ConfigError(UserError):
    """Everything that is wrong with one params.yaml."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = problems
        listing = "\n".join(f"  {problem}" for problem in problems)
        plural = "problem" if len(problems) == 1 else "problems"
        super().__init__(f"{path}: {len(problems)} {plural}\n{listing}")


def nearest(name: str, known: list[str]) -> str:
    """'; did you mean X?' when a known name is close, else the list of known names."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(sorted(known))}" if known else ""


def describe(error: ValidationError, model: type[BaseModel], path: str) -> list[str]:
    """Pydantic's errors as 'path: what is wrong', an unknown key with the nearest known one."""
    described = []
    for detail in error.errors():
        # What is said of a key itself has this word of pydantic's after the key.
        location = [str(part) for part in detail["loc"] if part != "[key]"]
        place = ".".join(([path] if path else []) + [_shown(part) for part in location])
        if detail["type"] == "extra_forbidden":
            known = _fields_at(model, location[:-1])
            described.append(f"{place}: unknown key{nearest(location[-1], known)}")
        elif detail["type"] == "missing":
            described.append(f"{place}: this key is missing")
        else:
            given = "" if detail["type"] == "value_error" else f", got {_given(detail['input'])}"
            described.append(f"{place or 'params.yaml'}: {detail['msg']}{given}")
    return described


def _shown(part: str) -> str:
    """A key as it stands, or so that it keeps to its line."""
    return _short(part if part.isprintable() else repr(part))


def _given(value: Any) -> str:
    """What stands there, in short: it may be a whole list of systems."""
    if isinstance(value, int) and value.bit_length() > _BITS:
        return "a larger number"
    return _short(repr(value))


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]} ..."


def _fields_at(model: type[BaseModel], location: list[str]) -> list[str]:
    """Field names of the models that may lie at `location` inside `model`."""
    candidates = [model]
    for part in location:
        within = [found for candidate in candidates if part in candidate.model_fields
                  for found in _models_within(candidate.model_fields[part].annotation)]
        # A part that is no field is a key, an index, or the tag of one model of a union.
        tagged = [candidate for candidate in candidates if part in _tags(candidate)]
        candidates = within or tagged or candidates
    return sorted({name for candidate in candidates for name in candidate.model_fields})


def _models_within(annotation: Any) -> list[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in getattr(annotation, "__args__", ())
            for found in _models_within(argument)]


def _tags(model: type[BaseModel]) -> set[Any]:
    """Values of the model's `Literal` fields, one of which tells it apart in a union."""
    return {value for field in model.model_fields.values()
            if get_origin(field.annotation) is Literal for value in get_args(field.annotation)}
