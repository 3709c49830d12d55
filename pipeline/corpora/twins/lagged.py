"""What tests of memory have in common: sequences whose answer lies a known number of steps back.

A corpus of this kind is a file a split, `<split>.jsonl`, with one JSON object a line; what is in
it is the corpus module's matter, and so is its meaning.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.files import write_text
from pipeline.storage.json_text import json_of
from pipeline.storage.lines import read_lines

SPLITS = ("train", "valid", "test")
Parsed = tuple[NDArray[np.float32], float | str, int]
Result = TypeVar("Result")


@dataclass(frozen=True)
class LaggedItem:
    """`inputs` [time, features] and what a system has to say after the last of them.

    The first of what the answer depends on was read `lag` steps before the last step. `target` is
    a number, or the name of a class.
    """

    id: str
    inputs: NDArray[np.float32]
    target: float | str
    lag: int


_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Layout:
    """How a line of a corpus holds a sequence and the two places that are marked in it.

    `steps` names the field with what each step has: a number, or, with an `alphabet`, one of its
    letters, and `marks` that with the two places. `ends` says that the second is the last step.
    """

    steps: str
    marks: str
    alphabet: str | None = None
    ends: bool = False

    def read(self, line: Any) -> tuple[NDArray[np.float32], tuple[int, int]]:
        """Inputs [time, features + 1], the mark as the last feature, and the marked places.

        Raises ValueError, KeyError or TypeError for a line of another form.
        """
        if not isinstance(line, dict):
            raise ValueError(f"expected an object with {self.steps!r} and {self.marks!r}")
        values = self._values(line[self.steps])
        places = two_positions(line[self.marks], len(values))
        if self.ends and places[1] != len(values) - 1:
            raise ValueError(f"the second of {self.marks!r} is at {places[1]}, not at the last "
                             "step")
        return marked(values, places), places

    def _values(self, steps: Any) -> NDArray[np.float64]:
        if self.alphabet is None:
            if not isinstance(steps, list) or not all(map(_is_number, steps)):
                raise ValueError(f"{self.steps!r} is no list of finite numbers")
            return np.array(steps, np.float64)
        if not isinstance(steps, str):
            raise ValueError(f"{self.steps!r} is no text")
        letters = [self.alphabet.find(letter) for letter in steps]
        if -1 in letters:
            raise ValueError(f"{steps[letters.index(-1)]!r} is none of the symbols "
                             f"{self.alphabet!r}")
        return np.eye(len(self.alphabet))[letters]


class LaggedSettings(CorpusSettings):
    """How many sequences a split has, and of what lags: of each as many, as far as that goes."""

    seed: int = Field(ge=0)
    train: int = Field(ge=1)
    valid: int = Field(ge=1)
    test: int = Field(ge=1)
    lags: list[Annotated[int, Field(ge=1)]] = Field(min_length=1)
    lead: int = Field(ge=0, description="a sequence has 0 to so many steps before its first mark, "
                                        "so that the start tells nothing")

    def smallest(self) -> Self:
        return self.model_copy(update={"train": 64, "valid": 12, "test": 12, "lead": 2,
                                       "lags": [4, 8]})


def write(settings: LaggedSettings, directory: Path,
          draw: Callable[[np.random.Generator, int, int], dict[str, Any]]) -> None:
    """Write the three files; `draw` makes a line from a generator, its lead and its lag."""
    for number, split in enumerate(SPLITS):
        random = np.random.Generator(np.random.PCG64([settings.seed, number]))
        size: int = getattr(settings, split)
        leads = random.integers(0, settings.lead + 1, size)
        write_text(directory / f"{split}.jsonl", "".join(
            json.dumps(draw(random, int(lead), settings.lags[item % len(settings.lags)])) + "\n"
            for item, lead in enumerate(leads)))


def read(path: Path, parse: Callable[[dict[str, Any]], Parsed]) -> list[LaggedItem]:
    """Every line; `parse` gives inputs, target and lag of one.

    Raises UserError naming file and line where a line is not JSON or `parse` raises ValueError,
    KeyError or TypeError.
    """
    parsed = parse_lines(read_lines(path), str(path), parse,
                         "generate the corpus again")
    found = [LaggedItem(f"{path.stem}-{number:05d}", *parts) for number, parts in parsed]
    if not found:
        raise UserError(f"{path} has no sequence; generate the corpus again")
    return found


def parse_lines(lines: Iterable[str], name: str, parse: Callable[[Any], Result],
                remedy: str) -> Iterator[tuple[int, Result]]:
    """The number of each line and what `parse` gives of its JSON.

    Raises UserError naming `name`, line and remedy where a line is not JSON or `parse` raises
    ValueError, KeyError, TypeError or OverflowError.
    """
    for number, line in enumerate(lines, start=1):
        try:
            yield number, parse(json_of(line))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            problem = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise UserError(f"{name}, line {number}: {problem}; {remedy}") from None


def _is_number(value: Any) -> bool:
    """Whether a value of JSON is a number that float32 can hold."""
    return type(value) in (int, float) and abs(value) <= _LARGEST


def two_positions(positions: Sequence[int], length: int) -> tuple[int, int]:
    """The two places that a sequence marks. Raises ValueError when they are not two, rising."""
    rising = (len(positions) == 2 and all(type(place) is int for place in positions)
              and 0 <= positions[0] < positions[1] < length)
    if not rising:
        raise ValueError(f"expected two rising positions below {length}, got {positions}")
    return positions[0], positions[1]


def marked(values: NDArray, positions: Iterable[int]) -> NDArray[np.float32]:
    """`values` [time, features] with one feature more, 1 at the `positions` and 0 elsewhere."""
    marks = np.zeros(len(values))
    marks[list(positions)] = 1
    return np.column_stack([values, marks]).astype(np.float32)
