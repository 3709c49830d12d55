"""A test text as a file of one's own."""

from pathlib import Path

from pipeline.storage.files import read_json, write_text
from pipeline.tasks.language_model.shared.items import read_unit
from pipeline.tasks.language_model.shared.stream import UNKNOWN, Stream

FOREIGN = "\N{REPLACEMENT CHARACTER}"  # a character that no vocabulary has


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """Write the test items of a features folder as a user would hold them."""
    unit = read_unit(test)
    vocabulary = read_json(test.parent / "fit" / "spec.json")["vocabulary"]
    stream, lines, start = Stream.read(test, "test"), [], 0
    for length in stream.lengths:
        units = [vocabulary[token] for token in stream.tokens[start : start + length]][:-1]
        lines.append(" ".join(units) if unit == "word" else
                     "".join(FOREIGN if part == UNKNOWN else part for part in units))
        start += length
    write_text(folder / "text.txt", "".join(f"{line}\n" for line in lines))
    return [folder / "text.txt"]
