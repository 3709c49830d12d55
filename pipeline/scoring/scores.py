"""Scores as sums over items, so that one bootstrap serves every metric.

Each metric of this field is a function of sums over test items: perplexity of (log-probability,
tokens), WER of (errors, reference words), BLEU of n-gram counts and lengths, OWA of four error
sums. A task's scorer therefore returns one row of additive statistics an item, and each `Metric`
says which columns it sums and how the sums become a score.
"""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.storage.files import read_gzip_lines, write_gzip_lines


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

    def write(self, path: Path) -> None:
        names = sorted(self.columns)
        rows = zip(self.ids, *(self.columns[name].tolist() for name in names), strict=True)

        def line(values: list[str]) -> str:
            buffer = io.StringIO()
            csv.writer(buffer, lineterminator="").writerow(values)
            return buffer.getvalue()

        write_gzip_lines(path, (line(row) for row in (
            ["id", *names], *([identity, *map(repr, values)] for identity, *values in rows))))

    @classmethod
    def read(cls, path: Path) -> "ItemStatistics":
        """Read what `write` wrote. Raises UserError when the file is missing or damaged."""
        try:
            header, *rows = csv.reader(read_gzip_lines(path))
            table = np.array([[float(cell) for cell in row[1:]] for row in rows])
            if len({row[0] for row in rows}) < len(rows):
                raise ValueError("an item stands there twice")
            return cls([row[0] for row in rows],
                       dict(zip(header[1:], table.reshape(len(rows), len(header) - 1).T,
                                strict=True)))
        except (ValueError, IndexError, csv.Error) as error:
            raise UserError(f"{path} holds no item statistics ({error}); evaluate its system "
                            "again") from None


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
