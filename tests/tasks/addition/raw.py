"""The test pairs as somebody would write them."""

from pathlib import Path

from pipeline.storage.files import read_json, write_text


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """One file with a sum a line."""
    path = folder / "sums.txt"
    write_text(path, "".join(f"0b{item['first']} + 0b{item['second']}\n"
                             for item in read_json(test / "items.json")))
    return [path]
