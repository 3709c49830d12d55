"""Test sentences as a file of one's own."""

from pathlib import Path

from pipeline.storage.files import write_text
from pipeline.tasks.tagging.shared.text import Text


def sentences(test: Path) -> list[list[str]]:
    text = Text.read(test, "test")
    return [[text.forms[word] for word in text.words[start:end]]
            for start, end in zip(text.offsets[:-1], text.offsets[1:], strict=True)]


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """Write the test items of a features folder as a user would hold them."""
    write_text(folder / "sentences.txt",
               "".join(f"{' '.join(words)}\n" for words in sentences(test)))
    return [folder / "sentences.txt"]
