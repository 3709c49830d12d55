"""What a training leaves in its folder in `work/`, beside the checkpoint, for those that resume it.

The trainer writes, and whoever states the cost of a training reads; both name the files here.
"""

from pathlib import Path
from typing import Literal

from pipeline.storage.files import read_json, write_json

_ELAPSED = "elapsed.json"
_PRECISION = "precision.json"
Precision = Literal["32-true", "bf16-mixed"]
FULL_PRECISION: Precision = "32-true"


def elapsed_seconds(work: Path) -> float:
    """Seconds that killed attempts at the same version have spent up to their last checkpoint."""
    record = work / _ELAPSED
    return read_json(record)["seconds"] if record.exists() else 0.0


def record_elapsed(work: Path, seconds: float) -> None:
    write_json(work / _ELAPSED, {"seconds": round(seconds, 2)})


def chosen_precision(work: Path) -> Precision | None:
    """Lightning's name of the precision that this training began with, if one was chosen."""
    record = work / _PRECISION
    return read_json(record)["precision"] if record.exists() else None


def record_precision(work: Path, precision: Precision) -> None:
    write_json(work / _PRECISION, {"precision": precision})
