"""Figures of an adder: exact sums by length, and hidden units beside the carry that they hold.

Where a system has states, it is looked for the carry in them: a linear read-out of the states is
fitted to the true carry on some pairs of the test set (a probe: Alain and Bengio 2017) and drawn
for another, above each hidden unit, ordered by how far the unit follows the carry by itself.
"""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from pipeline.storage.files import read_json, write_text
from pipeline.storage.png import save_png
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.addition.scoring import longest_carry, right_bits
from pipeline.tasks.addition.shared.storage import Pairs

BITS_SHOWN = 32
PAIRS_PROBED = 100


@runtime_checkable
class HasStates(Protocol):
    """A system that reads place after place."""

    def states_along(self, pairs: Tensor) -> Tensor:
        """States [B, T, hidden] after each of `pairs` [B, T, 2]."""


def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write exact_by_length.png and by_length-<variant>.txt; carry.png where there are states."""
    items = read_json(test / "items.json")
    tables = {variant: by_length(items, found) for variant, found in predictions.items()}
    for variant, table in tables.items():
        write_text(directory / f"by_length-{variant}.txt", _text(table))
    save_png(_exact(tables, items), directory / "exact_by_length.png", tight=True)
    if isinstance(system, HasStates):
        save_png(_carry(system, items, test), directory / "carry.png", tight=True)


def by_length(items: list[dict[str, Any]],
              answers: list[Prediction]) -> dict[int, tuple[int, float, float]]:
    """Of each length: pairs, exact sums in percent, right bits in percent."""
    found = aligned(answers, [item["id"] for item in items])
    right: dict[int, list[NDArray]] = {}
    for item, prediction in zip(items, found, strict=True):
        right.setdefault(len(item["first"]), []).append(right_bits(prediction, item["sum"]))
    return {bits: (len(rows), 100 * float(np.mean([row.all() for row in rows])),
                   100 * float(np.mean(rows))) for bits, rows in sorted(right.items())}


def true_carry(first: NDArray, second: NDArray) -> NDArray[np.int64]:
    """The carry after each place of two numbers [places], least significant bit first."""
    carries, carry = [], 0
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        carry = int(one + other + carry >= 2)
        carries.append(carry)
    return np.array(carries)


def correlations(states: NDArray, carry: NDArray) -> NDArray[np.float64]:
    """Pearson's r of each of `states` [places, units] with `carry`; 0 where one never changes."""
    units = states - states.mean(axis=0)
    wanted = carry - carry.mean()
    scale = np.sqrt((units**2).sum(axis=0) * (wanted**2).sum())
    return np.divide(wanted @ units, scale, out=np.zeros(states.shape[1]), where=scale > 0)


def _text(table: dict[int, tuple[int, float, float]]) -> str:
    rows = [f"{'bits':>5} {'pairs':>7} {'exact, %':>9} {'bits right, %':>14}"]
    rows += [f"{bits:>5} {pairs:>7} {exact:>9.1f} {right:>14.1f}"
             for bits, (pairs, exact, right) in table.items()]
    return "\n".join(rows) + "\n"


def _exact(tables: dict[str, dict[int, tuple[int, float, float]]],
           items: list[dict[str, Any]]) -> Figure:
    """Exact sums over the length of the numbers; longer ones than in training are shaded."""
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    for variant, table in tables.items():
        axes.plot(list(table), [exact for _, exact, _ in table.values()], marker="o",
                  label=variant)
    lengths = sorted({len(item["first"]) for item in items})
    trained = max(len(item["first"]) for item in items if item["trained"])
    if trained < lengths[-1]:
        axes.axvspan(trained * 2**0.25, lengths[-1] * 2**0.25, color="0.92",
                     label="longer than in training")
    axes.set_xscale("log", base=2)
    axes.set_xticks(lengths, map(str, lengths))
    axes.minorticks_off()
    axes.set(xlabel="bits of both numbers", ylabel="exact sums, %", ylim=(-2, 102))
    axes.legend(loc="center left")
    return figure


def read_out(states: NDArray, carry: NDArray) -> NDArray[np.floating]:
    """Weights [units + 1], a constant last, of the linear read-out of `carry` from `states`.

    Least squares over places: `states` [places, units], `carry` [places].
    """
    return np.linalg.lstsq(_with_constant(states), carry.astype(np.float64), rcond=None)[0]


def _with_constant(states: NDArray) -> NDArray[np.float64]:
    return np.hstack([states.astype(np.float64), np.ones((len(states), 1))])


def _carry(system: HasStates, items: list[dict[str, Any]], test: Path) -> Figure:
    """A pair's digits, its true carry beside the read-out, and all units, over the places."""
    pairs = Pairs.read(test, "test")
    chosen = _pair_shown(items)
    read, states, carry = _run(system, pairs, chosen)
    others = [_run(system, pairs, item) for item in range(len(items))
              if item != chosen and pairs.lengths[item] == pairs.lengths[chosen]][:PAIRS_PROBED]
    weights = read_out(*(np.concatenate([run[part] for run in others]) for part in (1, 2)))
    found = _with_constant(states) @ weights
    right = 100 * float(np.mean((found > 0.5) == carry))
    figure = Figure(figsize=(10, 6), layout="constrained")
    digits, above, below = figure.subplots(3, 1, sharex=True, height_ratios=[1, 2, 5])
    digits.imshow(read.T, cmap="gray_r", vmin=0, vmax=1, aspect="auto")
    digits.set_yticks([0, 1], ["first", "second"])
    digits.set_title(f"{items[chosen]['id']}: both numbers, their carry and the hidden units",
                     fontsize=10)
    above.step(range(len(carry)), carry, where="mid", color="black", label="true carry")
    above.plot(found, color="tab:red", marker=".", label="linear read-out of the hidden units, "
               f"above a half where the carry is 1 at {right:.0f} % of the places")
    above.set(ylabel="carry", yticks=[0, 1])
    figure.legend(loc="outside lower center", ncols=2)
    order = np.argsort(-correlations(states, carry), kind="stable")
    limit = float(np.abs(states).max()) or 1.0
    drawn = below.imshow(states[:, order].T, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto",
                         interpolation="nearest")
    below.set(xlabel="place, from the least significant bit",
              ylabel="hidden units by correlation with the carry", yticks=[])
    figure.colorbar(drawn, ax=below, label="activation")
    return figure


def _run(system: HasStates, pairs: Pairs, item: int) -> tuple[NDArray, NDArray, NDArray]:
    """Digits [places, 2] of a pair, the states [places, units] over it and its true carry."""
    read = pairs.pairs[item, : int(pairs.lengths[item]) + 1]
    states = system.states_along(torch.from_numpy(read[None].astype(np.float32)))[0].numpy()
    return read, states, true_carry(read[:, 0], read[:, 1])


def _pair_shown(items: list[dict[str, Any]]) -> int:
    """A pair of `BITS_SHOWN` bits, or of as many as there are below, whose carry runs half way."""
    fitting = [number for number, item in enumerate(items) if len(item["first"]) <= BITS_SHOWN]

    def order(number: int) -> tuple[int, int]:
        first, second = items[number]["first"], items[number]["second"]
        return -len(first), abs(2 * longest_carry(first, second) - len(first))

    return min(fitting or range(len(items)), key=order)
