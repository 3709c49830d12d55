"""Forecast your own series: `python -m pipeline.commands.forecast params.yaml SYSTEM[:VARIANT] FILE.csv`.

The file has the columns id, time and value, a point a line. A trained forecaster of the suite
continues each series by its own horizon, tomorrow first; choose one whose track has the frequency
of your series. Written are id, step, forecast and, where the system knows them, the limits of the
95 % interval.
"""

import argparse
import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.entries import VariantSettings
from pipeline.errors import UserError, run_command
from pipeline.storage.files import write_text
from pipeline.suite.messages import nearest
from pipeline.suite.schema import Suite, load

TASK = "forecast"


def forecast_file(suite: Suite, row: str, file: Path) -> str:
    """CSV text with the forecasts of a leaderboard row's system for the series in `file`.

    Raises UserError when the suite has no such forecaster, it is not trained, or a series cannot
    be forecast.
    """
    key, variant = _chosen(suite, row)
    settings = suite.system(key)
    from pipeline.systems.base import system_class
    from pipeline.tasks.forecast.shared.own_series import read_series

    model = suite.places.model(key)
    if not model.is_dir():
        raise UserError(f"{model} does not exist; train the system with "
                        f"'dvc repro {suite.address('train', key)}'")
    system: Any = system_class(settings.task, settings.model).load(model)
    # Seasonal differences, and their spread, take more than one season.
    series = read_series(file, least=system.spec["period"] + 2)
    found = system.forecast(list(series), list(series.values()), variant)
    return _csv(found.predictions(list(series)))


def _chosen(suite: Suite, row: str) -> tuple[str, VariantSettings | None]:
    """A system's key and its variant by the name of their row."""
    rows = {name: (key, variant) for key, entry in suite.systems.items() if entry["task"] == TASK
            for variant, name in suite.rows_of(key).items()}
    if row not in rows:
        raise UserError(f"no forecaster {row!r}{nearest(row, list(rows))}")
    key, variant = rows[row]
    return key, suite.system(key).variants.get(variant)


def _csv(predictions: Iterable[dict[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for number, prediction in enumerate(predictions):
        names = [name for name in ("forecast", "low", "high") if name in prediction]
        if number == 0:
            writer.writerow(["id", "step", *names])
        for step, values in enumerate(zip(*(prediction[name] for name in names), strict=True), 1):
            writer.writerow([prediction["id"], step, *(f"{value:g}" for value in values)])
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("params", type=Path, help="the suite's params.yaml")
    parser.add_argument("row", metavar="system", help="a trained forecaster, SYSTEM or "
                                                      "SYSTEM:VARIANT")
    parser.add_argument("file", type=Path, help="CSV file with the columns id, time and value")
    parser.add_argument("--out", type=Path, help="file to write (default: the screen)")
    arguments = parser.parse_args()
    text = forecast_file(load(arguments.params), arguments.row, arguments.file)
    if arguments.out is None:
        print(text, end="")
    else:
        write_text(arguments.out, text)


if __name__ == "__main__":
    run_command(main)
