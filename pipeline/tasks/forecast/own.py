"""Series of one's own: a CSV file with a point a line goes on by the track's horizon.

Choose a system whose track has the frequency of the series. Points are taken to be equally far
apart; `shared.own_series` has the format.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.errors import UserError
from pipeline.storage.predictions import Prediction
from pipeline.tasks.contract import OwnFile, Record, Trained
from pipeline.tasks.forecast.shared.own_series import read_series
from pipeline.tasks.forecast.shared.storage import save_pasts

TAKES = "a CSV file with the columns id, time and value, a point a line"
SUFFIXES = (".csv",)
SHOWN = ("id", "step", "forecast", "low", "high")


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the pasts of all files. Raises UserError naming a line that is no point."""
    # Seasonal differences, and their spread, take more than one season.
    least = trained.spec["period"] + 2
    records, pasts = [], []
    for file in files:
        for identity, past in read_series(file.path, file.name, least).items():
            records.append({"file": file.name, "id": identity})
            pasts.append(past)
    save_pasts(folder, [f"{record['id']} of {record['file']}" for record in records], pasts)
    return records


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """A row for each step: the forecast and, where the system knows them, the 95 % interval's ends.
    """
    names = [name for name in ("forecast", "low", "high") if name in prediction]
    steps = zip(*(prediction[name] for name in names), strict=True)
    for step, values in enumerate(steps, start=1):
        if not all(map(math.isfinite, values)):
            raise UserError(f"series {prediction['id']!r}: its forecast is no finite number; "
                            "divide its values by a constant, or ask another system")
        yield {**item, "step": step, **dict(zip(names, values, strict=True))}
