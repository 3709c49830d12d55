"""Start states of one's own: a row each, with the machine's coordinates as columns.

A path goes on from its start over the times that the system has learnt. The drive of the pendulum
begins at time 0, so a row with a column `time` has to be one of time 0; a column `id` names it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.storage.tables import Row, read_rows
from pipeline.tasks.contract import OwnFile, Record, Trained
from pipeline.tasks.trajectory.shared.starts import write_starts

TAKES = "a CSV file with a start state a row and the machine's coordinates as columns"
SUFFIXES = (".csv",)
SHOWN: tuple[str, ...] = ()


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the starts of all files. Raises UserError naming a row that is no start."""
    coordinates: list[str] = trained.spec["coordinates"]
    records, starts = [], []
    for file in files:
        rows = list(read_rows(file.path, file.name, coordinates, exact=("id",)))
        if not rows:
            raise UserError(f"{file.name}, line 1: no start state after the header")
        for row in rows:
            _check_time(row)
            starts.append([row.number(name) for name in coordinates])
            records.append({"file": file.name, "line": row.line,
                            "id": row.fields.get("id", str(row.line))})
    write_starts(folder, np.array(starts))
    write_json(folder / "items.json", {
        "ids": [f"{record['file']}, line {record['line']}" for record in records]})
    return records


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """A row for each state behind the start. Raises UserError where the path leaves all bounds."""
    if not np.isfinite(prediction["path"]).all():
        raise UserError(f"{prediction['id']}: the path from this start grows without bound; choose "
                        "one that is nearer to those that the system has learnt from")
    times = trained.spec["times"][1:]
    for step, (time, state) in enumerate(zip(times, prediction["path"], strict=True), start=1):
        yield {**item, "step": step, "time": time,
               **dict(zip(trained.spec["coordinates"], state, strict=True))}


def _check_time(row: Row) -> None:
    if "time" in row.fields and row.number("time") != 0:
        raise UserError(f"{row.place}: a start is at time 0, got time {row.fields['time']}; "
                        "remove the row, or the column 'time'")
