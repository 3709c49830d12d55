"""A committed file held, to its last byte, against what it must be; the first wrong line is named.

A file that lacks is no difference here: `pipeline.verification.result_files` names it, once.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.storage.files import json_text, read_json, read_text
from pipeline.verification.comparison import json_differences

NOT_WRITTEN_SO = "is not as this project writes it"
_NOT_FOLLOWING = "is not what follows from the committed results"


def json_file_differences(path: Path, value: Mapping[str, Any]) -> list[str]:
    """Differences of a JSON file from what it must hold, down to its bytes."""
    if not path.exists():
        return []
    found = list(json_differences(read_json(path), json.loads(json_text(value)), path.name))
    return found or text_differences(path, json_text(value))


def text_differences(path: Path, wanted: str, how: str = _NOT_FOLLOWING) -> list[str]:
    """The first line of a file that differs from a text, and how it does, in words."""
    if not path.exists():
        return []
    committed = read_text(path)
    if committed == wanted:
        return []
    lines = zip(f"{committed}\0".split("\n"), f"{wanted}\0".split("\n"), strict=False)
    line = next(number for number, (old, new) in enumerate(lines, start=1) if old != new)
    return [f"{path.name}, line {line}: {how}"]
