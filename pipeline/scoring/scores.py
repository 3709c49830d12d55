"""Scores as sums over items, so that one bootstrap serves every metric.

Each metric of this field is a function of sums over test items: perplexity of (log-probability,
tokens), WER of (errors, reference words), BLEU of n-gram counts and lengths, OWA of four error
sums. A task's scorer therefore returns one row of additive statistics an item, and each `Metric`
says which columns it sums and how the sums become a score.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.storage.parquet import read_table, write_table

_AGAIN = "evaluate its system again"
_TEXTS = ("id", "group")


@dataclass(frozen=True)
class Metric:
    """One metric of a task.

    `value` maps sums of shape [..., len(columns)] to scores of shape [...]; it must be vectorised
    and give NaN where the sums allow no score. `text` explains the metric to a reader in a few
    words, `signature` names the scorer and its settings (sacreBLEU's signature, for example). A
    metric whose better scores are the `nearer` ones has a `target`.
    """

    better: Literal["lower", "higher", "nearer"]
    columns: tuple[str, ...]
    value: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    text: str
    signature: str = ""
    decimals: int = 2
    target: float = 0.0

    def gain(self, score: Any, other: Any) -> Any:
        """How much better `score` is than `other`, number or array: positive when it is better."""
        if self.better == "nearer":
            return abs(other - self.target) - abs(score - self.target)
        return score - other if self.better == "higher" else other - score

    @property
    def preference(self) -> str:
        """Which scores are better, in words."""
        side = f"nearer to {self.target:g}" if self.better == "nearer" else self.better
        return f"{side} is better"


@dataclass(frozen=True)
class ItemStatistics:
    """Additive statistics of each test item: `columns[name]` has shape [items], float64.

    `groups` names the cluster that each item belongs to: items that were produced together (a
    speaker's sentences, a document's) are no independent evidence. Items stand by themselves where
    nothing else is said.
    """

    ids: list[str]
    columns: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.groups:
            object.__setattr__(self, "groups", self.ids)
        if len(self.groups) != len(self.ids):
            raise ValueError(f"{len(self.ids)} items have {len(self.groups)} groups")
        for name, column in self.columns.items():
            if column.shape != (len(self.ids),):
                raise ValueError(f"column {name!r}: expected shape ({len(self.ids)},), "
                                 f"got {column.shape}")

    def table(self, columns: tuple[str, ...]) -> NDArray[np.float64]:
        """The named columns side by side, shape [items, len(columns)]."""
        return np.stack([self.columns[name] for name in columns], axis=1)

    def score(self, metric: Metric) -> float:
        """The metric over all items; NaN where these statistics are not about it."""
        if not self.columns.keys() >= set(metric.columns):
            return math.nan
        return float(metric.value(self.table(metric.columns).sum(axis=0)))

    def in_single(self) -> "ItemStatistics":
        """The same, each number as near as single precision comes to it.

        A column with a number that single precision does not reach, or where it has fewer digits,
        stays as it is.
        """
        return replace(self, columns={name: _in_single(column)
                                      for name, column in self.columns.items()})

    def write(self, path: Path) -> None:
        """Write columns `id`, `group` and the statistics, exactly, in four bytes where they fit."""
        if clash := set(_TEXTS) & set(self.columns):
            raise ValueError(f"a statistic cannot be called {min(clash)!r}")
        texts = {name: pa.array(values, pa.string())
                 for name, values in zip(_TEXTS, (self.ids, self.groups), strict=True)}
        write_table(path, pa.table(texts | {name: pa.array(_narrowest(self.columns[name]))
                                            for name in sorted(self.columns)}))

    @classmethod
    def read(cls, path: Path) -> "ItemStatistics":
        """Read what `write` wrote. Raises UserError when the file is missing or damaged."""
        table = read_table(path, _AGAIN)
        kinds = [part.type for part in table.schema]
        if tuple(table.column_names[:2]) != _TEXTS or kinds[:2] != [pa.string()] * 2 or not all(
                map(pa.types.is_floating, kinds[2:])) or any(c.null_count for c in table.columns):
            raise UserError(f"{path} holds no item statistics, which are an id, a group and "
                            f"numbers; {_AGAIN}")
        ids, groups = (table.column(name).to_pylist() for name in _TEXTS)
        if len(set(ids)) < len(ids):
            raise UserError(f"{path} holds no item statistics: an item stands there twice; "
                            f"{_AGAIN}")
        return cls(ids, {name: table.column(name).to_numpy().astype(np.float64)
                         for name in table.column_names[2:]}, groups)


def _in_single(column: NDArray[np.float64]) -> NDArray[np.float64]:
    size, limits = np.abs(column[np.isfinite(column) & (column != 0)]), np.finfo(np.float32)
    if ((size < limits.smallest_normal) | (size > limits.max)).any():
        return column
    return column.astype(np.float32).astype(np.float64)


def _narrowest(column: NDArray[np.float64]) -> NDArray[np.floating]:
    with np.errstate(over="ignore"):
        short = column.astype(np.float32)
    return short if np.array_equal(short, column, equal_nan=True) else column


def ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """First column over second, NaN where the second is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[..., 1] != 0, sums[..., 0] / sums[..., 1], np.nan)


def percentage(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """100 times first column over second: accuracy, WER, CER."""
    return 100.0 * ratio(sums)


def perplexity(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp(total negative log-likelihood in nats / number of tokens)."""
    return np.exp(ratio(sums))
