"""Values of a setting that a command compares: 'SETTING=A,B', each as params.yaml would have it.

So besides numbers and words there are `null`, for what is left out, lists and mappings: whether
noise in training helps is asked by 'noise=null,{probability: 0.5, least_snr: 5, most_snr: 20}'.
"""

import math
from typing import Any

from pipeline.errors import UserError
from pipeline.results.studies import same


def named_values(text: str) -> tuple[str, list[Any]]:
    """A setting's name and the values to compare. Raises UserError for anything else."""
    from ruamel.yaml import YAML, YAMLError

    setting, separator, listed = text.partition("=")
    if not separator or not listed:
        raise UserError(f"{text[:80]!r}: expected SETTING=A,B, a setting and the values to compare")
    values: Any = None
    try:
        values = YAML(typ="safe").load(f"[{listed}]")
        readable = isinstance(values, list) and all(map(_is_setting, values))
    except (YAMLError, ValueError, RecursionError):
        readable = False
    if not readable:
        raise UserError(f"{text[:80]!r}: its values cannot be read; write them as params.yaml has "
                        "them, with a comma between two")
    if any(isinstance(one, float) and not math.isfinite(one) for one in values):
        raise UserError(f"{text[:80]!r}: a value is no finite number")
    if any(same(one, other) for place, one in enumerate(values) for other in values[:place]):
        raise UserError(f"{text[:80]!r}: a value stands there twice")
    return setting, values


def _is_setting(value: Any) -> bool:
    """Whether YAML has read what JSON could say, too: no date, no set."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_setting(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(_is_setting, value))
    return value is None or isinstance(value, bool | int | float | str)
