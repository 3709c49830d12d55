"""Figures of an adder: hidden units beside the carry that they hold.

Where a system has states, it is looked for the carry in them: a linear read-out of the states is
fitted to the true carry on some pairs of the test set (a probe: Alain and Bengio 2017) and drawn
for another, above each hidden unit, ordered by how far the unit follows the carry by itself.
Exact sums by length stand in a table here, and in a picture of all systems on the leaderboard.
"""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from pipeline.drawing.parts import legend_below, title
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import BLACK, ORANGE, SHARES, SIGNED, WIDTH, Styled
from pipeline.storage.files import read_json, write_text
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


@Styled()
def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write by_length-<variant>.txt, and carry.png where there are states."""
    items = read_json(test / "items.json")
    for variant, found in predictions.items():
        write_text(directory / f"by_length-{variant}.txt", _text(by_length(items, found)))
    if isinstance(system, HasStates):
        save(_carry(system, items, test, row_of(directory)), directory, "carry")


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


def read_out(states: NDArray, carry: NDArray) -> NDArray[np.floating]:
    """Weights [units + 1], a constant last, of the linear read-out of `carry` from `states`.

    Least squares over places: `states` [places, units], `carry` [places].
    """
    return np.linalg.lstsq(_with_constant(states), carry.astype(np.float64), rcond=None)[0]


def _with_constant(states: NDArray) -> NDArray[np.float64]:
    return np.hstack([states.astype(np.float64), np.ones((len(states), 1))])


def _carry(system: HasStates, items: list[dict[str, Any]], test: Path, row: str) -> Figure:
    """A pair's digits, its true carry beside the read-out, and all units, over the places."""
    pairs = Pairs.read(test, "test")
    chosen = _pair_shown(items)
    read, states, carry = _run(system, pairs, chosen)
    others = [_run(system, pairs, item) for item in range(len(items))
              if item != chosen and pairs.lengths[item] == pairs.lengths[chosen]][:PAIRS_PROBED]
    weights = read_out(*(np.concatenate([run[part] for run in others]) for part in (1, 2)))
    found = _with_constant(states) @ weights
    right = 100 * float(np.mean((found > 0.5) == carry))
    figure = Figure(figsize=(WIDTH, 5.8))
    digits, above, below = figure.subplots(3, 1, sharex=True, height_ratios=[1, 2, 5])
    digits.imshow(read.T, cmap=SHARES, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    digits.set(ylabel="number\n(black: 1)")
    digits.set_yticks([0, 1], ["first", "second"])
    above.step(range(len(carry)), carry, where="mid", color=BLACK,
               label="true carry into the next place")
    above.plot(found, color=ORANGE, marker=".", label="linear read-out of the hidden units, on "
               f"the carry's side of a half at {right:.0f} % of the places")
    above.set(ylabel="carry", yticks=[0, 1])
    order = np.argsort(-correlations(states, carry), kind="stable")
    limit = float(np.abs(states).max()) or 1.0
    drawn = below.imshow(states[:, order].T, cmap=SIGNED, vmin=-limit, vmax=limit, aspect="auto",
                         interpolation="nearest")
    below.set(xlabel="place of the digit, from the least significant bit",
              ylabel="hidden unit, those that rise\nwith the carry on top", yticks=[])
    figure.colorbar(drawn, ax=below, label="activation", fraction=0.03, pad=0.01)
    legend_below(figure, above)
    title(figure, f"Where {row} holds the carry while it adds the numbers of "
                  f"{items[chosen]['id']}")
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
