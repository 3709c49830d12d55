"""What a task's facets must be, where its statistics have them."""

from types import ModuleType

import numpy as np

from pipeline.scoring.scores import ItemStatistics


def check_facets(scoring: ModuleType, statistics: ItemStatistics) -> None:
    """A task with facets has one at least for each of its tracks: a number of every item."""
    facets = getattr(scoring, "FACETS", {})
    found = [facet for facet in facets.values() if facet.applies(statistics, scoring.METRICS)]
    assert found or not facets
    for facet in found:
        numbers = statistics.columns[facet.column]
        scored = statistics.table(scoring.METRICS[facet.metric].columns).any(axis=1)
        assert np.isfinite(numbers).all() and (numbers[scored] >= facet.edges[0]).all()
