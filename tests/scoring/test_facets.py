"""Numbers of items by which pictures show a metric, and the pools that they make."""

import numpy as np
import pytest

from pipeline.scoring.facets import Facet
from pipeline.scoring.scores import ItemStatistics, Metric, percentage

METRICS = {"accuracy": Metric("higher", ("right", "items"), percentage, "right answers")}
LENGTH = Facet("length of the sentence", "words", "words", "accuracy", (1, 6, 11))


def statistics(**columns: list[float]) -> ItemStatistics:
    return ItemStatistics([f"s{n}" for n in range(4)],
                          {name: np.array(column) for name, column in columns.items()})


def test_a_pool_reaches_from_its_edge_to_below_the_next_one() -> None:
    assert LENGTH.pools(statistics(words=[1, 5, 6, 11])).tolist() == [0, 0, 1, 2]
    assert LENGTH.pools(statistics(words=[0, 10, 10.5, 1000])).tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize("columns, applies", [
    (("words", "right", "items"), True), (("right", "items"), False), (("words", "items"), False)])
def test_a_facet_needs_its_column_and_those_of_its_metric(columns: tuple[str, ...],
                                                          applies: bool) -> None:
    found = statistics(**{name: [1.0] * 4 for name in columns})
    assert LENGTH.applies(found, METRICS) == applies


def test_a_facet_needs_items_of_its_metric() -> None:
    assert not LENGTH.applies(statistics(words=[1] * 4, right=[0] * 4, items=[0] * 4), METRICS)


@pytest.mark.parametrize("edges", [(), (1, 1), (2, 1)])
def test_edges_rise(edges: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="do not rise"):
        Facet("length", "words", "words", "accuracy", edges)
