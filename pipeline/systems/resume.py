"""What a training leaves in its folder in `work/` for those that resume it: sealed checkpoints.

    checkpoint-00000400/
        last.ckpt        Lightning's: weights, optimizer, schedule, loops, what a system carries
        best.pt          the weights of the best epoch so far
        progress.json    seconds, the learning curve, whether training is over
        seal.json        the SHA-256 of each of these

A checkpoint is a folder, so its parts cannot belong to two moments of a training: it is filled
under another name, sealed, and renamed when all of it is on the disk. A process can be killed at
any instant and leaves whole checkpoints. The last two are kept: where the newest was damaged
afterwards, training goes on from the one before and ends with the same weights.

The trainer writes, and whoever states the cost of a training reads; both name the files here.
"""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import TypedDict

from pipeline.errors import UserError
from pipeline.storage.files import put_in_place, write_json
from pipeline.storage.seal import check_seal, seal
from pipeline.storage.shapes import read_shaped

_PREFIX, _PART = "checkpoint-", ".part"
_KEPT = 2


class Progress(TypedDict):
    """Seconds spent by all attempts at this training, how far they have come, and with what."""

    seconds: float
    finished: bool
    curve: list[dict[str, float]]
    libraries: dict[str, str]


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint, and what is wrong with those that were newer."""

    folder: Path
    progress: Progress
    damages: tuple[str, ...] = ()

    @property
    def state(self) -> Path:
        return self.folder / "last.ckpt"

    @property
    def best(self) -> Path:
        return self.folder / "best.pt"


def latest(work: Path) -> Checkpoint | None:
    """The newest whole checkpoint in `work`, None where there is none at all.

    Raises UserError naming the damaged file when there are checkpoints and none is whole.
    """
    remedy = f"remove the folder {work} to train from the start"
    damages: list[str] = []
    for folder in reversed(_checkpoints(work)):
        try:
            check_seal(folder, remedy)
            progress = read_shaped(folder / "progress.json", Progress, remedy)
            return Checkpoint(folder, progress, tuple(damages))
        except UserError as error:
            damages.append(str(error).removesuffix(f"; {remedy}"))
    if damages:
        raise UserError(f"{damages[0]}; {remedy}")
    return None


@contextlib.contextmanager
def new_checkpoint(work: Path, step: int, progress: Progress) -> Iterator[Path]:
    """A folder to write `last.ckpt` and `best.pt` into, which is a checkpoint when the block ends.

    Both must have been written through to the disk.
    """
    for left in work.glob(f".{_PREFIX}*{_PART}"):
        shutil.rmtree(left)
    place = work / f"{_PREFIX}{step:08d}"
    part = _hidden(place)
    part.mkdir(parents=True)
    yield part
    write_json(part / "progress.json", progress)
    seal(part)
    if place.exists():
        _remove(place)
    put_in_place(part, place)
    for older in _checkpoints(work)[:-_KEPT]:
        _remove(older)


def elapsed_seconds(work: Path) -> float:
    """Seconds that killed attempts at the same version have spent up to their last checkpoint."""
    checkpoint = latest(work)
    return checkpoint.progress["seconds"] if checkpoint else 0.0


def _checkpoints(work: Path) -> list[Path]:
    """The folders of checkpoints, by step."""
    return sorted(path for path in work.glob(f"{_PREFIX}*") if path.is_dir())


def _remove(folder: Path) -> None:
    """Under another name first: a checkpoint that is half removed is none."""
    old = _hidden(folder).with_suffix(f".old{_PART}")
    put_in_place(folder, old)
    shutil.rmtree(old)


def _hidden(place: Path) -> Path:
    return place.with_name(f".{place.name}{_PART}")
