"""By which numbers of the items a task's metrics are shown: a sentence's length, a lag.

A score over all items hides where a system fails. A task's `scoring` therefore may name facets,
`FACETS`, and give each one's number for every item in a further column of its statistics, which no
metric sums. A picture pools items whose numbers lie between two edges and shows the metric over
each pool.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.scores import ItemStatistics, Metric


@dataclass(frozen=True)
class Facet:
    """A number that items have, `text` in words and counted in `unit`.

    It stands in the statistics' `column` and `metric` names what is shown over it. A pool of items
    reaches from one of the rising `edges` to below the next, the last from its edge on. No item is
    meant to be below the first edge; one that is counts to the first pool.
    """

    text: str
    unit: str
    column: str
    metric: str
    edges: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.edges or any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError(f"edges {self.edges} do not rise")

    def applies(self, statistics: ItemStatistics, metrics: Mapping[str, Metric]) -> bool:
        """Whether a track has these numbers and this metric: a task's tracks may differ."""
        return self.column in statistics.columns and math.isfinite(
            statistics.score(metrics[self.metric]))

    def pools(self, statistics: ItemStatistics) -> NDArray[np.intp]:
        """The place (from 0) among `edges` of each item's pool, shape [items]."""
        return np.searchsorted(self.edges[1:], statistics.columns[self.column], side="right")
