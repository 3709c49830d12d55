"""Paths of a damped driven pendulum and of a falling two-link arm, integrated from random starts.

A CSV file a machine and split, `pendulum_train.csv` and so on, with the columns `path` (a number
from 1), `time` (seconds; of the pendulum, in units of 1 / its own frequency) and a state's
coordinates. Rows of a path stand together in the order of time, the first at time 0. The drive of
the pendulum begins at time 0 too, so the first row determines all others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.corpora.twins import mechanics
from pipeline.entries import CorpusSettings, Entry
from pipeline.errors import UserError
from pipeline.storage.files import write_text
from pipeline.storage.lines import read_lines

Machine = Literal["pendulum", "arm"]
Split = Literal["train", "valid", "test"]
Motion = Callable[[float, NDArray], NDArray]

COORDINATES: dict[Machine, tuple[str, ...]] = {
    "pendulum": ("angle", "velocity"),
    "arm": ("angle1", "angle2", "velocity1", "velocity2"),
}
SPLITS: tuple[Split, ...] = ("train", "valid", "test")
TOLERANCE = 1e-10
_DECIMALS = 7


class MachineSettings(Entry):
    """Where paths start and how they are sampled; starts are uniform in plus or minus a bound."""

    angle: float = Field(gt=0, description="largest angle from hanging at the start, radians")
    velocity: float = Field(ge=0, description="largest velocity at the start, of each angle")
    steps: int = Field(ge=1, description="states of a path behind its start")
    step: float = Field(gt=0, description="time between two states")


class Pendulum(MachineSettings):
    """See `mechanics.pendulum`."""

    damping: float = Field(ge=0)
    amplitude: float = Field(ge=0)
    frequency: float = Field(gt=0)

    def motion(self) -> Motion:
        return partial(mechanics.pendulum, damping=self.damping, amplitude=self.amplitude,
                       frequency=self.frequency)


class Arm(MachineSettings):
    """See `mechanics.arm`."""

    friction: float = Field(ge=0)

    def motion(self) -> Motion:
        return partial(mechanics.arm, friction=self.friction)


class Settings(CorpusSettings):
    """Paths of each machine in each split."""

    seed: int = Field(ge=0)
    train: int = Field(ge=1)
    valid: int = Field(ge=1)
    test: int = Field(ge=1)
    pendulum: Pendulum
    arm: Arm

    def smallest(self) -> Self:
        return self.model_copy(update={"train": 24, "valid": 8, "test": 8})


@dataclass(frozen=True)
class Trajectory:
    """States [times, coordinates] at `times` [times], the start first."""

    id: str
    times: NDArray[np.float64]
    states: NDArray[np.float64]


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the six files into `directory`."""
    for number, machine in enumerate(COORDINATES):
        options: Pendulum | Arm = getattr(settings, machine)
        times = options.step * np.arange(options.steps + 1, dtype=np.float64)
        for split_number, split in enumerate(SPLITS):
            random = np.random.Generator(np.random.PCG64([settings.seed, number, split_number]))
            states = mechanics.integrate(
                options.motion(), _starts(options, machine, getattr(settings, split), random),
                times, TOLERANCE)
            _write(_path(directory, machine, split), machine, times, states)


def trajectories(directory: Path, machine: Machine, split: Split) -> list[Trajectory]:
    """The paths of a split, all with the same times.

    Raises UserError naming file and line for another header, a line of another form, or a path
    whose times are not those of the first.
    """
    path = _path(directory, machine, split)
    header, *rows = (line.split(",") for line in read_lines(path))
    expected = ["path", "time", *COORDINATES[machine]]
    if header != expected:
        raise UserError(f"{path}, line 1: expected the columns {','.join(expected)}, got "
                        f"{','.join(header)[:60]!r}; generate the corpus again")
    values = np.array([_numbers(f"{path}, line {line}", row, len(expected))
                       for line, row in enumerate(rows, start=2)])
    found: list[Trajectory] = []
    line = 2
    for name, group in groupby(values, key=lambda row: row[0]):
        part = np.stack(list(group))
        if part[0, 1] != 0 or found and not np.array_equal(part[:, 1], found[0].times):
            raise UserError(f"{path}, line {line}: path {name:.0f} does not begin at time 0, or "
                            "has other times than the first path; mend the file")
        found.append(Trajectory(f"{machine}-{split}-{name:.0f}", part[:, 1], part[:, 2:]))
        line += len(part)
    if not found:
        raise UserError(f"{path} has no path; generate the corpus again")
    return found


def ceiling(directory: Path, machine: Machine, split: Split) -> float:
    """Error of who solves the equations: the paths are their solution."""
    return 0.0


def _starts(options: MachineSettings, machine: Machine, paths: int,
            random: np.random.Generator) -> NDArray[np.float64]:
    """Start states [paths, coordinates], each coordinate within its bound."""
    angles = len(COORDINATES[machine]) // 2
    bounds = np.array([options.angle] * angles + [options.velocity] * angles)
    return random.uniform(-bounds, bounds, size=(paths, len(bounds)))


def _path(directory: Path, machine: str, split: str) -> Path:
    return directory / f"{machine}_{split}.csv"


def _write(path: Path, machine: Machine, times: NDArray, states: NDArray) -> None:
    lines = [",".join(["path", "time", *COORDINATES[machine]])]
    for number, rows in enumerate(states, start=1):
        lines += [f"{number},{time:.6f}," + ",".join(f"{value:.{_DECIMALS}f}" for value in row)
                  for time, row in zip(times.tolist(), rows.tolist(), strict=True)]
    write_text(path, "".join(f"{line}\n" for line in lines))


def _numbers(where: str, row: Sequence[str], columns: int) -> list[float]:
    try:
        numbers = [float(cell) for cell in row]
    except ValueError:
        numbers = []
    if len(numbers) != columns or not np.isfinite(numbers).all():
        raise UserError(f"{where}: expected {columns} numbers, got {','.join(row)[:60]!r}; mend "
                        "the file")
    return numbers
