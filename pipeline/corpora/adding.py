"""The adding problem: add two marked numbers of a long stream (Hochreiter and Schmidhuber 1997).

Each step has a number from 0 to 1 and a mark that is 1 at two steps and 0 elsewhere; after the last
step the sum of the two marked numbers is wanted. Values from 0 to 1 and their plain sum are the
later form of the problem (Le et al. 2015; Bai et al. 2018); who always answers 1, the mean, has a
squared error of 1/6 = 0.167, and reading both numbers gives 0.

A line of `<split>.jsonl` is {"values": [...], "marks": [i, j], "sum": s} with positions counted
from 0. The lag is the number of steps from the first mark to the end; the second mark stands
anywhere between. Numbers have four decimals, so that a sum is exact.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.twins.lagged import (
    LaggedItem,
    LaggedSettings,
    Layout,
    Parsed,
    read,
    write,
)

_DECIMALS = 4
LAYOUT = Layout("values", "marks")


class Settings(LaggedSettings):
    """An adding problem."""


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the three files into `directory`."""
    write(settings, directory, _drawn)


def lagged(directory: Path, split: str) -> list[LaggedItem]:
    """Sequences of a split: inputs [time, 2] (number, mark) and the sum.

    Raises UserError naming file and line for a line that breaks the format, or whose sum is wrong.
    """
    return read(directory / f"{split}.jsonl", _parsed)


def layout(directory: Path) -> Layout:
    """How a line holds a sequence."""
    return LAYOUT


def ceiling() -> dict[str, float]:
    """Who remembers both numbers makes no error."""
    return {"mse": 0.0}


def _drawn(random: np.random.Generator, lead: int, lag: int) -> dict[str, Any]:
    values = random.random(lead + lag + 1).round(_DECIMALS)
    marks = [lead, lead + int(random.integers(1, lag + 1))]
    return {"values": values.tolist(), "marks": marks, "sum": _sum(values, marks)}


def _sum(values: NDArray[np.float64], marks: list[int]) -> float:
    return round(float(values[marks].sum()), _DECIMALS)


def _parsed(line: Any) -> Parsed:
    inputs, (first, second) = LAYOUT.read(line)
    total = _sum(np.array(line["values"], np.float64), [first, second])
    if line["sum"] != total:
        raise ValueError(f"the marked numbers add up to {total}, not to {line['sum']}")
    return inputs, total, len(inputs) - 1 - first
