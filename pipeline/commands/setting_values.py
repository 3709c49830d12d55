"""Values of a setting that a command compares: 'SETTING=A,B', each as params.yaml would have it.

So besides numbers and words there are `null`, for what is left out, lists and mappings: whether
noise in training helps is asked by 'noise=null,{probability: 0.5, least_snr: 5, most_snr: 20}'.
"""

from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.results.studies import same
from pipeline.suite.yaml_file import _check_events, _problems


def named_values(text: str) -> tuple[str, list[Any]]:
    """A setting's name and the values to compare.

    Raises UserError for anything else, and for a value that no params.yaml may hold: one that
    readers of YAML read differently, a number that is too large or none.
    """
    setting, separator, listed = text.partition("=")
    if not separator or not listed:
        raise UserError(f"{text[:80]!r}: expected SETTING=A,B, a setting and the values to compare")
    values = _parsed(text[:80], f"[{listed}\n]")  # a comment cannot hide the bracket
    if not isinstance(values, list) or not all(map(_is_setting, values)):
        raise _unreadable(text[:80])
    if any(same(one, other) for place, one in enumerate(values) for other in values[:place]):
        raise UserError(f"{text[:80]!r}: a value stands there twice")
    numbered = {f"value {number}": value for number, value in enumerate(values, start=1)}
    if problems := list(_problems(numbered, "")):
        raise UserError(f"{text[:80]!r}, {problems[0]}")
    return setting, values


def _parsed(place: str, listed: str) -> Any:
    """What YAML reads, once nothing in it is ambiguous. Raises UserError that names `place`."""
    from ruamel.yaml import YAML, YAMLError

    try:
        _check_events(Path(repr(place)), YAML(typ="safe").parse(listed))
        return YAML(typ="safe").load(listed)
    except (YAMLError, ValueError, RecursionError):
        raise _unreadable(place) from None


def _unreadable(place: str) -> UserError:
    return UserError(f"{place!r}: its values cannot be read; write them as params.yaml has them, "
                     "with a comma between two")


def _is_setting(value: Any) -> bool:
    """Whether YAML has read what JSON could say, too: no date, no set."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_setting(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(_is_setting, value))
    return value is None or isinstance(value, bool | int | float | str)
