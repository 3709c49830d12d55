"""Triggered recall: keep a pattern through noise until a second trigger asks for it.

Each step has one of a few symbols and a trigger that is 1 at two steps and 0 elsewhere. The symbol
of the first trigger is the pattern; all others are noise from the same symbols, the one beside the
second trigger, which is the last step, included. The answer is the first trigger's symbol, so a net
has to latch it against everything that comes in (the latching problem of Bengio et al. 1994). Every
symbol is equally likely; who remembers the first is always right.

A line of `<split>.jsonl` is {"symbols": "cabd...", "triggers": [i, j]}, a letter a step, with
positions counted from 0; `alphabet.txt` has the letters that there are. The lag is the number of
steps between the triggers.
"""

from functools import partial
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
from pydantic import Field

from pipeline.corpora.twins.lagged import (
    LaggedItem,
    LaggedSettings,
    Layout,
    Parsed,
    read,
    write,
)
from pipeline.storage.files import write_text
from pipeline.storage.lines import read_lines

_ALPHABET = "alphabet.txt"


class Settings(LaggedSettings):
    """Triggered recall of one of `symbols` patterns."""

    symbols: int = Field(ge=2, le=len(ascii_lowercase))


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the alphabet and the three splits into `directory`."""
    alphabet = ascii_lowercase[: settings.symbols]
    write_text(directory / _ALPHABET, f"{alphabet}\n")
    write(settings, directory, partial(_drawn, alphabet))


def lagged(directory: Path, split: str) -> list[LaggedItem]:
    """Sequences of a split: inputs [time, symbols + 1] (one-hot symbol, trigger) and the symbol.

    Raises UserError naming file and line for a line that breaks the format.
    """
    return read(directory / f"{split}.jsonl", partial(_parsed, layout(directory)))


def layout(directory: Path) -> Layout:
    """How a line holds a sequence, with the letters that there are."""
    return Layout("symbols", "triggers", read_lines(directory / _ALPHABET)[0], ends=True)


def ceiling() -> dict[str, float]:
    """Who remembers the first symbol is always right."""
    return {"accuracy": 100.0}


def _drawn(alphabet: str, random: np.random.Generator, lead: int, lag: int) -> dict[str, Any]:
    symbols = random.integers(0, len(alphabet), lead + lag + 1)
    return {"symbols": "".join(alphabet[symbol] for symbol in symbols),
            "triggers": [lead, lead + lag]}


def _parsed(form: Layout, line: Any) -> Parsed:
    inputs, (first, second) = form.read(line)
    return inputs, line["symbols"][first], second - first
