"""JSON that no stage has written: a corpus's, or a user's.

It is read as any text is (`pipeline.storage.lines`), and half a surrogate pair (`"\\ud800"`), a
string that no file can hold, is an error like others.
"""

import json
import re
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.storage.files import json_value
from pipeline.storage.lines import read_lines

_HALF = re.compile("[\ud800-\udfff]")
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def json_of(text: str) -> Any:
    """The value of a JSON text. Raises JSONDecodeError, a ValueError, for whatever is none."""
    value = json_value(text)
    begun = _ESCAPED_HALF.search(text)
    if begun and _HALF.search(json.dumps(value, ensure_ascii=False)):
        raise json.JSONDecodeError("half a surrogate pair is no character", text, begun.start())
    return value


def read_foreign_json(path: Path, name: str | None = None,
                      remedy: str = "fetch or generate the corpus again") -> Any:
    """The value in a file. Raises UserError naming it, as `name`, and the line that is no JSON."""
    try:
        return json_of("\n".join(read_lines(path, name)))
    except json.JSONDecodeError as error:
        raise UserError(f"{name or path}, line {error.lineno}: not valid JSON ({error.msg}); "
                        f"{remedy}") from None
