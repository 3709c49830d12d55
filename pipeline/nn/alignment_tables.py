"""Explicit tables of order-synchronous sequences, many side by side, and sums over their paths.

An utterance's table [T, N] holds the log-probability of each of its N symbols, in order, at each of
its T frames; CMU 11-785 draws it with the symbols from top to bottom and the frames from left to
right. A path begins at the first symbol, ends at the last, and at each frame stays or goes on to
the next. What for: `pipeline.nn.order_synchronous`.

Tables stand side by side in one array, with a column between them that no path enters. So a step in
time is a few operations on one row of numbers, whatever the utterances' lengths, and no number of
one table reaches another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]

# So many symbols take a frame together: what a frame reads and writes stays in the fast caches.
_SYMBOLS_AT_ONCE = 4096
# Instead of -inf where differences are taken: beside it every log-probability is lost.
_NEVER = -1e30


@dataclass(frozen=True)
class Tables:
    """Tables [T_b, N_b] in `cells` [longest, 1 + N_1 + 1 + N_2 ...].

    Nothing is possible between tables and behind their frames. A table's first symbol is the column
    `begins` [B]; only it is open in the first frame.
    """

    cells: Scores
    begins: Ids
    symbols: Ids
    lengths: Ids

    @classmethod
    def of(cls, tables: Sequence[Scores]) -> Self:
        """At least one table, each with a frame and a symbol at least."""
        lengths, symbols = np.array([table.shape for table in tables]).T
        begins = np.cumsum(symbols + 1) - symbols
        cells = np.full((lengths.max(), begins[-1] + symbols[-1]), -np.inf)
        for table, begin in zip(tables, begins, strict=True):
            cells[: len(table), begin : begin + table.shape[1]] = table
            cells[0, begin + 1 : begin + table.shape[1]] = -np.inf
        return cls(cells, begins, symbols, lengths)

    def find_best(self) -> None:
        """Make of each cell the score of the best path to it."""
        for before, now in pairwise(self.cells):
            now[1:] += np.maximum(before[1:], before[:-1])

    def sum_up(self) -> None:
        """Make of each cell the log of the sum over all paths to it; -inf is then a huge number
        below 0, which `known` turns back.
        """
        np.maximum(self.cells, _NEVER, out=self.cells)
        for before, now in pairwise(self.cells):
            stay, go_on = before[1:], before[:-1]
            # By exponentials and logarithms, which numpy has for whole vectors; its `logaddexp`
            # goes number by number.
            most = np.maximum(stay, go_on)
            now[1:] += most + np.log(1 + np.exp(-np.abs(stay - go_on)))

    def ends(self) -> Scores:
        """What the cell of the last symbol at the last frame holds, [B]."""
        return self.cells[self.lengths - 1, self.begins + self.symbols - 1]

    def apart(self) -> list[Scores]:
        """The tables as they are now, each [T_b, N_b]."""
        return [self.cells[:length, begin : begin + symbols] for begin, symbols, length
                in zip(self.begins, self.symbols, self.lengths, strict=True)]

    def paths(self) -> list[Ids]:
        """The place of each frame's symbol on the best path, B arrays [T_b], after `find_best`.

        Of equally good paths the one that stays longest in later symbols; where none is possible,
        some path.
        """
        column = self.begins + self.symbols - 1
        columns = np.empty((len(self.cells), len(column)), np.int64)
        for step in range(len(columns) - 1, 0, -1):
            columns[step] = column
            before = self.cells[step - 1]
            # As many symbols are left as frames: decides only where no path is possible.
            must = column - self.begins >= step
            came = (before[column - 1] > before[column]) | must
            column = column - (came & (step < self.lengths))
        columns[0] = column
        return [columns[:length, place] - begin for place, (begin, length)
                in enumerate(zip(self.begins, self.lengths, strict=True))]


def table(log_probs: NDArray[np.floating], symbols: Sequence[int] | Ids) -> Scores:
    """The table [T, N] of `symbols` [N], from log-probabilities [T, S] of all of them.

    Raises ValueError for one that is no number or +inf.
    """
    found = log_probs[:, np.asarray(symbols, np.int64)].astype(np.float64)
    if not (found < np.inf).all():
        raise ValueError("a log-probability is no number or +inf")
    return found


def posteriors(tables: Sequence[Scores]) -> tuple[list[Scores], Scores]:
    """P(symbol at a frame | some path is taken), B arrays [T_b, N_b], and the log of the sum over
    all paths [B]; where no path is possible, probabilities are 0 and the log is -inf.
    """
    # What follows a cell is what leads to it in the table turned by half a circle.
    both = Tables.of([*tables, *(one[::-1, ::-1] for one in tables)])
    both.sum_up()
    count = len(tables)
    ends, summed = known(both.ends()[:count]), both.apart()
    found = []
    for one, end, before, after in zip(tables, ends, summed[:count], summed[count:], strict=True):
        logs = before + after[::-1, ::-1] - np.maximum(one, _NEVER)
        found.append(np.exp(logs - end) if end > -np.inf else np.zeros_like(one))
    return found, ends


def known(sums: Scores) -> Scores:
    """-inf again where nothing was possible."""
    return np.where(sums > _NEVER / 2, sums, -np.inf)


def groups(lengths: Sequence[int] | Ids, symbols: Sequence[int] | Ids) -> Iterator[Ids]:
    """Which of the tables of `lengths` and `symbols` [B] to put side by side: those alike long."""
    order = np.argsort(np.asarray(lengths), kind="stable")
    number = np.cumsum(np.asarray(symbols)[order] + 1) // _SYMBOLS_AT_ONCE
    yield from np.split(order, np.flatnonzero(np.diff(number)) + 1) if len(order) else []
