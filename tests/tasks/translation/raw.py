"""Test sources as a file of one's own."""

from pathlib import Path

from pipeline.storage.files import read_json, write_text


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """Write the test items of a features folder as a user would hold them."""
    sources = [item["source"] for item in read_json(test / "items.json")]
    write_text(folder / "sentences.txt", "".join(f"{text}\n" for text in sources))
    return [folder / "sentences.txt"]
