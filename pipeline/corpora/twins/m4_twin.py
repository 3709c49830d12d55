"""Series from known processes, in M4's files, with the forecast that nobody can beat.

Each series is simulated in logarithms with Gaussian shocks:

    log y_t = level_t + season_t + cycle_t + noise_t
    level_t = level_{t-1} + growth_t + break_t
    growth_t = mean + persistence (growth_{t-1} - mean) + shock
    cycle_t = 2 r cos(2 pi / period) cycle_{t-1} - r^2 cycle_{t-2} + shock

A break comes with a small probability and shifts the level for good; an hourly season is a
profile of the day times one of the week. The series share the laws of growth and cycle, which a
model that learns across series can find and exponential smoothing, one series at a time, cannot.

The optimal forecast is the conditional median given the states at the end of the past. The
distribution of log y is symmetric about its mean, so exp(mean) is the median; it minimises the
expected absolute error (MASE), and the expected sMAPE too, because 200|y-f|/(y+f) =
200 tanh(|log y - log f| / 2) grows with the distance in logarithms. No forecaster sees the
states, so this is a bound that can be approached, not reached.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.files import write_text

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Process:
    """Laws that the series of a frequency share; shocks are standard deviations of logarithms."""

    lengths: tuple[int, int]
    growth: float
    growth_spread: float
    growth_persistence: float
    growth_shock: float
    break_probability: float
    break_size: float
    cycle_period: float
    cycle_radius: float
    cycle_shock: float
    noise: float
    season_amplitude: float = 0.0
    weekend_drop: float = 0.0


PROCESSES = {
    "Yearly": Process(
        lengths=(24, 60), growth=0.03, growth_spread=0.02, growth_persistence=0.6,
        growth_shock=0.01, break_probability=0.01, break_size=0.15, cycle_period=8.0,
        cycle_radius=0.95, cycle_shock=0.03, noise=0.01),
    "Monthly": Process(
        lengths=(84, 156), growth=0.002, growth_spread=0.002, growth_persistence=0.8,
        growth_shock=0.001, break_probability=0.003, break_size=0.10, cycle_period=20.0,
        cycle_radius=0.96, cycle_shock=0.012, noise=0.015, season_amplitude=0.20),
    "Hourly": Process(
        lengths=(504, 600), growth=0.0, growth_spread=0.0002, growth_persistence=0.0,
        growth_shock=0.0005, break_probability=0.001, break_size=0.05, cycle_period=36.0,
        cycle_radius=0.95, cycle_shock=0.004, noise=0.02, season_amplitude=0.25,
        weekend_drop=0.12),
}


@dataclass(frozen=True)
class Simulation:
    """A simulated series: `past` [n], `future` [h] and its conditional median `optimal` [h]."""

    past: Array
    future: Array
    optimal: Array


def write(directory: Path, name: str, period: int, horizon: int, count: int, seed: int) -> None:
    """Write `count` series of the frequency `name` as the train, test and optimal files."""
    number = list(PROCESSES).index(name)
    generator = np.random.Generator(np.random.PCG64([seed, number]))
    simulations = [simulate(PROCESSES[name], period, horizon, generator) for _ in range(count)]
    ids = [f"{name[0]}{index + 1}" for index in range(count)]
    for part, values in (("Train", [s.past for s in simulations]),
                         ("Test", [s.future for s in simulations]),
                         ("Optimal", [s.optimal for s in simulations])):
        write_text(directory / part / f"{name}-{part.lower()}.csv", _csv(ids, values))


def simulate(process: Process, period: int, horizon: int,
             generator: np.random.Generator) -> Simulation:
    """Draw one series with parameters of its own from the laws of its frequency."""
    length = int(generator.integers(process.lengths[0], process.lengths[1] + 1))
    total = length + horizon
    mean = process.growth + process.growth_spread * generator.standard_normal()
    growth = _growth(process, mean, total, generator)
    breaks = process.break_size * generator.standard_normal(total)
    breaks *= generator.random(total) < process.break_probability
    level = math.log(1000.0) + generator.standard_normal() + np.cumsum(growth + breaks)
    cycle = _cycle(process, total, generator)
    season = _season(process, period, total, generator)
    noise = process.noise * generator.standard_normal(total)
    values = np.exp(level + season + cycle + noise)
    steps = np.arange(1, horizon + 1)
    expected_growth = mean + process.growth_persistence**steps * (growth[length - 1] - mean)
    expected = (level[length - 1] + np.cumsum(expected_growth) + season[length:]
                + _cycle_forecast(process, cycle[:length], horizon))
    return Simulation(values[:length], values[length:], np.exp(expected))


def _growth(process: Process, mean: float, total: int, generator: np.random.Generator) -> Array:
    growth = np.empty(total)
    deviation = 0.0
    for t, shock in enumerate(generator.standard_normal(total)):
        deviation = process.growth_persistence * deviation + process.growth_shock * shock
        growth[t] = mean + deviation
    return growth


def _cycle_weights(process: Process) -> tuple[float, float]:
    """Weights of the last two values in a stochastic cycle (complex roots of an AR(2))."""
    return (2 * process.cycle_radius * math.cos(2 * math.pi / process.cycle_period),
            -process.cycle_radius**2)


def _cycle(process: Process, total: int, generator: np.random.Generator) -> Array:
    """A stationary cycle: what comes before the first point has died away."""
    first, second = _cycle_weights(process)
    warm_up = int(5 / (1 - process.cycle_radius))
    values = np.zeros(warm_up + total)
    for t, shock in enumerate(generator.standard_normal(warm_up + total)):
        values[t] = first * values[t - 1] + second * values[t - 2] + process.cycle_shock * shock
    return values[warm_up:]


def _cycle_forecast(process: Process, past: Array, horizon: int) -> Array:
    first, second = _cycle_weights(process)
    values = [past[-2], past[-1]]
    for _ in range(horizon):
        values.append(first * values[-1] + second * values[-2])
    return np.array(values[2:])


def _season(process: Process, period: int, total: int, generator: np.random.Generator) -> Array:
    """Logarithm of the seasonal factor at each point; a series starts anywhere in its season."""
    if period == 1:
        return np.zeros(total)
    time = np.arange(total) + int(generator.integers(7 * period))
    harmonics = np.arange(1, 4)
    weights = generator.standard_normal((2, 3)) / harmonics
    angles = 2 * np.pi * np.outer(time, harmonics) / period
    profile = (np.cos(angles) @ weights[0] + np.sin(angles) @ weights[1]) / 1.65
    weekend = (time // period) % 7 >= 5
    drop = process.weekend_drop * generator.uniform(0.5, 1.5)
    return process.season_amplitude * profile - drop * weekend


def _csv(ids: list[str], values: list[Array]) -> str:
    """M4's format: everything quoted, rows filled up with empty fields."""
    width = max(len(row) for row in values)
    header = ",".join(f'"V{index + 1}"' for index in range(width + 1))
    return "\n".join([header, *_rows(ids, values, width)]) + "\n"


def _rows(ids: list[str], values: list[Array], width: int) -> Iterable[str]:
    for identity, row in zip(ids, values, strict=True):
        cells = ",".join(f'"{value:.2f}"' for value in row.tolist())
        yield f'"{identity}",{cells}' + "," * (width - len(row))
