"""Series of one's own: a CSV file with a point a line goes on by the track's horizon.

Choose a system whose track has the frequency of the series; dates that have another one are
refused. `shared.own_series` has the format. Forecasts carry the times that come next.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.storage.numbers import decimals_of, shortened
from pipeline.storage.predictions import Prediction
from pipeline.storage.time_steps import Calendar
from pipeline.tasks.contract import OwnFile, Record, Trained
from pipeline.tasks.forecast.shared.forecasts import unit_of
from pipeline.tasks.forecast.shared.own_series import read_series
from pipeline.tasks.forecast.shared.storage import save_pasts, save_places

TAKES = "a CSV file with the columns id, time and value, a point a line"
SUFFIXES = (".csv",)
_DIGITS = 6  # at least
SHOWN = ("id", "step", "time", "forecast", "low", "high", "method")


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the pasts of all files. Raises UserError naming a line that is no point."""
    # Seasonal differences, and their spread, take more than one season.
    least = trained.spec["period"] + 2
    records, pasts, places = [], [], []
    for file in files:
        found = read_series(file.path, file.name, least, trained.spec["step"])
        for identity, series in found.items():
            records.append({"file": file.name, "id": identity, "calendar": series.calendar,
                            "unit": unit_of(series.past)})
            pasts.append(series.past)
            places.append([f"{file.name}, line {line}" for line in series.lines])
    save_pasts(folder, [f"{record['id']} of {record['file']}" for record in records], pasts)
    save_places(folder, places)
    return records


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """A row for each step: its time, the forecast and, where known, the 95 % interval's ends.

    `method` says what made them where that is not the row's own method.
    """
    calendar: Calendar = item["calendar"]
    names = [name for name in ("forecast", "low", "high") if name in prediction]
    decimals = decimals_of(item["unit"])
    steps = zip(*([shortened(value, decimals, _DIGITS) for value in prediction[name]]
                  for name in names), strict=True)
    for step, values in enumerate(steps, start=1):
        yield {"file": item["file"], "id": item["id"], "step": step,
               "time": calendar.after(step), **dict(zip(names, values, strict=True)),
               "method": prediction.get("method")}
