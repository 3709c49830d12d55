"""Pictures of forecasts: the series that came out best, in the middle, and worst.

Bands of several methods would cover each other, so the one with the least error shows its own.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pipeline.storage.png import save_png
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.forecast.shared.measures import Array, smape
from pipeline.tasks.forecast.shared.storage import load_array, load_ids, load_pasts

_HORIZONS_SHOWN = 4


def draw(system: System, predictions_by_variant: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write forecasts.png: three series chosen by sMAPE (mean over variants) and all forecasts."""
    ids = load_ids(test)
    futures = load_array(test / "futures.npy")
    ordered = {variant: aligned(predictions, ids)
               for variant, predictions in predictions_by_variant.items()}
    forecasts = {variant: np.array([one["forecast"] for one in found])
                 for variant, found in ordered.items()}
    errors = {variant: smape(futures, values) for variant, values in forecasts.items()}
    banded = min(errors, key=lambda variant: float(errors[variant].mean()))
    mean = np.mean(list(errors.values()), axis=0)
    order = np.argsort(mean, kind="stable")
    chosen = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
    _plot(directory / "forecasts.png", [
        _Panel(f"{name}: {ids[row]}, sMAPE {mean[row]:.1f}", _tail(test, row, futures.shape[1]),
               futures[row], {variant: values[row] for variant, values in forecasts.items()},
               _band(ordered[banded][row], banded if len(ordered) > 1 else ""))
        for name, row in chosen.items()])


@dataclass(frozen=True)
class _Panel:
    """One series: past, future, forecasts by variant, and (label, low, high) of a band."""

    title: str
    past: Array
    future: Array
    forecasts: dict[str, Array]
    band: tuple[str, list[float], list[float]] | None


def _band(prediction: Prediction, variant: str) -> tuple[str, list[float], list[float]] | None:
    if "low" not in prediction:
        return None
    return f"95 % interval {variant}".strip(" "), prediction["low"], prediction["high"]


def _tail(test: Path, row: int, horizon: int) -> Array:
    return np.asarray(load_pasts(test)[row][-_HORIZONS_SHOWN * horizon :])


def _plot(path: Path, panels: list[_Panel]) -> None:
    figure = Figure(figsize=(5 * len(panels), 3.5), layout="constrained")
    axes = figure.subplots(1, len(panels))
    for axis, panel in zip(axes, panels, strict=True):
        past, coming = panel.past, np.arange(1, len(panel.future) + 1)
        if panel.band is not None:
            label, low, high = panel.band
            axis.fill_between(coming, low, high, color="tab:blue", alpha=0.18, linewidth=0,
                              label=label)
        axis.plot(np.arange(1 - len(past), 1), past, color="black", linewidth=1, label="past")
        axis.plot(coming, panel.future, color="black", linewidth=1, linestyle=":", label="future")
        for variant, values in panel.forecasts.items():
            axis.plot(coming, values, linewidth=1.2,
                      label="forecast" if len(panel.forecasts) == 1 else variant)
        axis.set_title(panel.title, fontsize=10)
        axis.set_xlabel("points after the end of the past")
    axes[0].legend(fontsize=7)
    save_png(figure, path, dpi=90)
