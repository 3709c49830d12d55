"""Tiny Shakespeare: 40,000 lines of the plays, one file of 1,115,394 characters.

Karpathy's char-rnn (2015) made it the first text of character models. Its split is by position:
the first 90 % of the characters are training data, the next 5 % validation and the last 5 % test
data, so a split can begin or end within a line.
"""

from pathlib import Path
from typing import Literal

from pipeline.corpora.fetching.files import RemoteFile, fetch
from pipeline.corpora.kinds import Line, block
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.lines import ended_lines, read_running_text

Split = Literal["train", "valid", "test"]

FILES = [RemoteFile(
    "input.txt", "tinyshakespeare/input.txt",
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", size=1115394)]

_PERCENT: dict[Split, tuple[int, int]] = {"train": (0, 90), "valid": (90, 95), "test": (95, 100)}


class Settings(CorpusSettings):
    """No options."""


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Fetch the file into `directory`."""
    fetch(FILES, directory, mirror)


def lines(directory: Path, split: Split) -> list[Line]:
    """The lines of a split, newlines included. Raises UserError when the text is too short."""
    path = directory / "input.txt"
    text = read_running_text(path)
    begin, end = (len(text) * percent // 100 for percent in _PERCENT[split])
    found = ended_lines(text[begin:end])
    if not found:
        raise UserError(f"{path} holds {len(text)} characters, too few to be split; fetch the "
                        "corpus again")
    return [Line(f"{split}-{number:05d}", line, [], cluster=block(split, number))
            for number, line in enumerate(found, start=1)]
