"""Test sentences, or stories with questions, as a file of one's own."""

import re
from pathlib import Path

from pipeline.storage.files import read_json, write_text


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """Write the test items of a features folder as a user would hold them."""
    texts = [item["text"] for item in read_json(test / "items.json")]
    if read_json(test.parent / "fit" / "spec.json")["stories"]:
        texts = [_story(text) for text in texts]
    write_text(folder / "sentences.txt", "".join(f"{text}\n" for text in texts))
    return [folder / "sentences.txt"]


def _story(text: str) -> str:
    """A story in bAbI's format: numbered facts, which end in a full stop, and the question."""
    lines = re.findall(r".*?[.?](?: |$)", text)
    return "\n".join(f"{number} {line.strip()}" for number, line in enumerate(lines, start=1))
