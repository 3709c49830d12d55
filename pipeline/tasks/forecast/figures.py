"""Pictures of forecasts: the series that came out best, in the middle, and worst."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pipeline.figures import save_png
from pipeline.predictions import Prediction, aligned
from pipeline.system import System
from pipeline.tasks.forecast.shared.measures import Array, smape
from pipeline.tasks.forecast.shared.storage import load_array, load_ids, load_pasts

_HORIZONS_SHOWN = 4


def draw(system: System, predictions_by_variant: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write forecasts.png: three series chosen by sMAPE (mean over variants) and all forecasts."""
    ids = load_ids(test)
    futures = load_array(test / "futures.npy")
    forecasts = {
        variant: np.array([one["forecast"] for one in aligned(predictions, ids)])
        for variant, predictions in predictions_by_variant.items()}
    errors = np.mean([smape(futures, values) for values in forecasts.values()], axis=0)
    order = np.argsort(errors, kind="stable")
    chosen = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
    _plot(directory / "forecasts.png", [
        (f"{name}: {ids[row]}, sMAPE {errors[row]:.1f}", _tail(test, row, futures.shape[1]),
         futures[row], {variant: values[row] for variant, values in forecasts.items()})
        for name, row in chosen.items()])


def _tail(test: Path, row: int, horizon: int) -> Array:
    return np.asarray(load_pasts(test)[row][-_HORIZONS_SHOWN * horizon :])


def _plot(path: Path, panels: list[tuple[str, Array, Array, dict[str, Array]]]) -> None:
    """Panels side by side: title, past, future, and forecasts by the name of their variant."""
    figure = Figure(figsize=(5 * len(panels), 3.5), layout="constrained")
    axes = figure.subplots(1, len(panels))
    for axis, (title, past, future, forecasts) in zip(axes, panels, strict=True):
        coming = np.arange(1, len(future) + 1)
        axis.plot(np.arange(1 - len(past), 1), past, color="black", linewidth=1, label="past")
        axis.plot(coming, future, color="black", linewidth=1, linestyle=":", label="future")
        for variant, values in forecasts.items():
            axis.plot(coming, values, linewidth=1.2,
                      label="forecast" if len(forecasts) == 1 else variant)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("points after the end of the past")
    axes[0].legend(fontsize=7)
    save_png(figure, path, dpi=90)
