"""What is wrong with a params.yaml, in words that name the place and the remedy."""

import difflib
import inspect
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.errors import UserError


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
        location = [str(part) for part in detail["loc"]]
        place = ".".join(([path] if path else []) + location)
        if detail["type"] == "extra_forbidden":
            known = _fields_at(model, location[:-1])
            described.append(f"{place}: unknown key{nearest(location[-1], known)}")
        elif detail["type"] == "missing":
            described.append(f"{place}: this key is missing")
        else:
            given = "" if detail["type"] == "value_error" else f", got {detail['input']!r}"
            described.append(f"{place or 'params.yaml'}: {detail['msg']}{given}")
    return described


def _fields_at(model: type[BaseModel], location: list[str]) -> list[str]:
    """Field names of the model that lies at `location` inside `model`."""
    current: Any = model
    for part in location:
        if inspect.isclass(current) and issubclass(current, BaseModel):
            field = current.model_fields.get(part)
            current = field.annotation if field else None
        else:
            current = _model_within(current)
            if current and part in getattr(current, "model_fields", {}):
                current = current.model_fields[part].annotation
    current = _model_within(current)
    return list(current.model_fields) if current else []


def _model_within(annotation: Any) -> type[BaseModel] | None:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := _model_within(argument):
            return found
    return None
