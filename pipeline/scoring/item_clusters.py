"""Which test items were produced together, as features write it and scorings read it.

A speaker's utterances, a document's sentences and a story's questions go well or badly together, so
they are one piece of evidence and not many. Every features stage writes one file about the test
items, `clusters.json`, and every scoring gives its statistics the groups that this file says;
evaluation refuses others.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline.errors import UserError
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.files import write_json
from pipeline.storage.shapes import read_shaped

NAME = "clusters.json"


def write_clusters(test: Path, clusters: Mapping[str, str]) -> None:
    """Write into the features' folder `test` the cluster of each item, by the item's id."""
    write_json(test / NAME, dict(clusters))


def alone(ids: Iterable[str]) -> dict[str, str]:
    """The clusters of items that stand by themselves: each its own."""
    return {identity: identity for identity in ids}


def clusters_of(test: Path, ids: Sequence[str]) -> list[str]:
    """The cluster of each of the test items. Raises UserError when the file has other items."""
    found = read_shaped(test / NAME, dict[str, str])
    if found.keys() != set(ids):
        example = min(found.keys() ^ set(ids))
        raise UserError(f"{test / NAME} and the test items differ, for example in {example!r}; run "
                        "the features stage again")
    return [found[identity] for identity in ids]


def check_clusters(statistics: ItemStatistics, test: Path) -> None:
    """Raise ValueError for statistics of a scoring that ignores which items belong together."""
    if statistics.groups != clusters_of(test, statistics.ids):
        raise ValueError(f"the statistics have other groups of items than {test / NAME}; a "
                         "scoring gives ItemStatistics the clusters that clusters_of reads")
