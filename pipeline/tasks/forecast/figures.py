"""Pictures of forecasts: the series that came out best, in the middle, and worst.

Bands of several methods would cover each other, so the one with the least error shows its own.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pipeline.drawing.parts import end_of, legend_below, lines_behind, title
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import BLACK, SKY, WIDTH, Styled, look
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.forecast.shared.measures import Array, smape
from pipeline.tasks.forecast.shared.storage import load_array, load_ids, load_pasts

_HORIZONS_SHOWN, _LEAST_SHOWN = 2, 24  # of the past, in horizons and in points
_MARKED = 20  # points of a forecast; with more, markers hide the lines
_BAND = SKY


@Styled()
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
    panels = [
        _Panel(f"{name}: {ids[row]}, sMAPE {mean[row]:.1f} %", _tail(test, row, futures.shape[1]),
               futures[row], {variant: values[row] for variant, values in forecasts.items()},
               _band(ordered[banded][row], banded if len(ordered) > 1 else ""))
        for name, row in chosen.items()]
    save(_picture(panels, row_of(directory), len(ids)), directory, "forecasts")


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
    label = f"95 % interval of {variant}" if variant else "95 % interval"
    return label, prediction["low"], prediction["high"]


def _tail(test: Path, row: int, horizon: int) -> Array:
    return np.asarray(load_pasts(test)[row][-max(_HORIZONS_SHOWN * horizon, _LEAST_SHOWN) :])


def _picture(panels: list[_Panel], row: str, series: int) -> Figure:
    figure = Figure(figsize=(WIDTH, 3.4 if len(panels[0].forecasts) < 5 else 3.8))
    axes = figure.subplots(1, len(panels))
    for axis, panel in zip(axes, panels, strict=True):
        past, coming = panel.past, np.arange(1, len(panel.future) + 1)
        if panel.band is not None:
            label, low, high = panel.band
            axis.fill_between(coming, low, high, color=_BAND, alpha=0.35, linewidth=0,
                              label=label)
        axis.plot(np.arange(1 - len(past), 1), past, color=BLACK, linewidth=1, label="past")
        axis.plot(coming, panel.future, color=BLACK, linewidth=1, linestyle=":",
                  label="what came")
        for number, (variant, values) in enumerate(panel.forecasts.items()):
            of = look(number)
            axis.plot(coming, values, color=of.color, linestyle=of.linestyle, linewidth=1.2,
                      marker=of.marker if len(coming) <= _MARKED else None, markersize=2.5,
                      label="forecast" if len(panel.forecasts) == 1 else variant)
        end_of(axis, 0.5, "end of the past")
        axis.set_title(panel.title, pad=14)
        axis.set_xlabel("points after the end of the past")
        lines_behind(axis, "y")
    axes[0].set_ylabel("value of the series")
    legend_below(figure, axes[0])
    title(figure, f"Forecasts of {row}: the best, the middle and the worst of {series} test series")
    return figure
