"""A params.yaml as plain values, each of which every reader of YAML reads alike.

YAML lets a value mean something that its writer did not see: `012` is 12 or 10 and `12:30` a text
or 750 by the version of YAML, `1_000` a number to some, a date is no text, an alias gives one value
two owners and unfolds a page into gigabytes, a tag names a class. Such values are refused with
their line, before anything is made of them. What is left, DVC and this project read alike.
"""

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.suite.messages import ConfigError

# Whole numbers up to here are the same in JSON, in a float and in a tensor.
LARGEST = 2**53
_MOST_BYTES = 1 << 22
_DEEPEST = 20
_NUMBER = r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?"
_AMBIGUOUS = (
    (re.compile(r"(?=.*_)" + _NUMBER), "write the number without '_', or a text in quotes"),
    (re.compile(r"(?=[-+]?0[0-9])" + _NUMBER),
     "write the number without the 0 before it, or a text in quotes"),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"), "put it in quotes"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\s].*)?"), "put it in quotes"),
)


def read_yaml(path: Path) -> Any:
    """Parse YAML. Raises UserError naming the file and the place that is not plain YAML."""
    from ruamel.yaml import YAML, YAMLError

    text = _text(path)
    try:
        _check_events(path, YAML(typ="safe").parse(text))
        # A constructor of the library meets a value that looks like one of its kind and is none.
        values = YAML(typ="safe").load(text)
    except (YAMLError, ValueError) as error:
        # The library shows the place on lines of their own.
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if problems := list(_problems(values, "")):
        raise ConfigError(path, problems)
    return values


def _text(path: Path) -> str:
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise UserError(f"{path} is no file; a suite's params.yaml is a plain file")
        if found.st_size > _MOST_BYTES:
            raise UserError(f"{path} has {found.st_size} bytes, and a params.yaml {_MOST_BYTES} at "
                            "most; is it another program's?")
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; run from the project's root") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(f"{path}, line {line}: byte {error.start} of the file is not UTF-8; save "
                        "the file as UTF-8") from None


def _check_events(path: Path, events: Iterator[Any]) -> None:
    """Raises UserError for the first thing that is not plain."""
    # Of each list and mapping that has begun: whether it is a mapping that a key comes in next.
    begun: list[bool] = []
    mappings: list[bool] = []
    for event in events:
        kind = type(event).__name__
        if reason := _unplain(event, bool(begun) and begun[-1]):
            raise UserError(f"{path}, line {event.start_mark.line + 1}: {reason}")
        if kind in ("MappingEndEvent", "SequenceEndEvent"):
            begun.pop()
            mappings.pop()
        elif kind in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent"):
            if begun:
                begun[-1] = mappings[-1] and not begun[-1]
            if kind != "ScalarEvent":
                begun.append(kind == "MappingStartEvent")
                mappings.append(kind == "MappingStartEvent")
        if len(begun) > _DEEPEST:
            raise UserError(f"{path}, line {event.start_mark.line + 1}: more than {_DEEPEST} lists "
                            "or mappings in one another; no setting is so deep")


def _unplain(event: Any, is_key: bool) -> str | None:
    kind = type(event).__name__
    if is_key and kind in ("MappingStartEvent", "SequenceStartEvent"):
        return "a key is a name, and here a list or a mapping stands for one"
    if kind == "AliasEvent":
        return "an alias gives a value two owners; write the value out"
    if kind == "DocumentStartEvent" and (event.version or event.tags):
        return "a directive changes what values mean; remove it"
    if getattr(event, "anchor", None):
        return f"the anchor &{event.anchor} gives a value two owners; write the value out"
    if getattr(event, "tag", None):
        return f"the tag {event.tag} has no place in a params.yaml; remove it"
    if kind == "ScalarEvent" and event.implicit[0]:
        if event.value == "<<":
            return "a merge gives a value two owners; write the values out"
        for pattern, remedy in _AMBIGUOUS:
            if pattern.fullmatch(event.value):
                return f"{event.value!r} means different things to readers of YAML; {remedy}"
    return None


def _problems(value: Any, place: str) -> Iterator[str]:
    """What no setting may be, whatever its module says: too large, or a text listed twice."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _problems(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        texts = Counter(inner for inner in value if isinstance(inner, str))
        for text in (text for text, count in texts.items() if count > 1):
            yield f"{place}: {text!r} is listed twice; leave one"
        for number, inner in enumerate(value):
            yield from _problems(inner, f"{place}.{number}")
    elif isinstance(value, int | float) and not abs(value) <= LARGEST:
        shown = str(value) if isinstance(value, float) else f"a number of {value.bit_length()} bits"
        yield f"{place}: {shown}; a number is finite and {LARGEST} at most"
