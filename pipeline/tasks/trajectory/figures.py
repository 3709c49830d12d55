"""Pictures of generated paths: the best, the middle and the worst of the test set, and the error.

Paths are drawn over time, each coordinate in a row of its own, the true one in black.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.storage.arrays import read_array
from pipeline.storage.files import read_json
from pipeline.storage.png import save_png
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import System
from pipeline.tasks.trajectory.scoring import answered, squared_errors


def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write paths-<variant>.png for each variant, and error.png: the error over time."""
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    times = np.array(read_json(test / "items.json")["times"])
    for variant, found in predictions.items():
        squares = squared_errors(found, test)
        axes.plot(times[1:], np.sqrt(squares.mean(axis=0)), label=variant)
        save_png(_paths(answered(found, test), np.sqrt(squares.mean(axis=1)), test),
                 directory / f"paths-{variant}.png")
    axes.set(xlabel="time", ylabel="root mean square error, standard deviations")
    axes.set_ylim(bottom=0)
    axes.legend()
    save_png(figure, directory / "error.png", tight=True)


def examples(errors: NDArray[np.float64]) -> dict[str, int]:
    """Rows of the smallest, the middle and the largest of `errors`."""
    order = np.argsort(errors, kind="stable")
    return {"best": int(order[0]), "median": int(order[len(order) // 2]), "worst": int(order[-1])}


def _paths(generated: NDArray[np.float64], errors: NDArray[np.float64], test: Path) -> Figure:
    """Columns: three paths; rows: coordinates."""
    items = read_json(test / "items.json")
    times, names = np.array(items["times"]), items["coordinates"]
    states = read_array(test / "test.npy")
    chosen = examples(errors)
    figure = Figure(figsize=(4 * len(chosen), 1 + 1.8 * len(names)), layout="constrained")
    table = figure.subplots(len(names), len(chosen), sharex=True, squeeze=False)
    for column, (name, row) in zip(table.T, chosen.items(), strict=True):
        column[0].set_title(f"{name}: {items['ids'][row]}, error {errors[row]:.3f}", fontsize=10)
        column[-1].set_xlabel("time")
        for coordinate, axes in enumerate(column):
            axes.plot(times, states[row, :, coordinate], color="black", label="true")
            axes.plot(times[1:], generated[row, :, coordinate], color="tab:red", linestyle="--",
                      label="generated")
    for axes, name in zip(table[:, 0], names, strict=True):
        axes.set_ylabel(name)
    table[0, 0].legend(fontsize=7)
    return figure
