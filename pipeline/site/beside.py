"""Which test item a figure of a system is of, so that it can stand beside what was answered.

Whoever draws a figure of a single item writes down which one it is (`pipeline.drawing.items`);
figures that show several items at once, or none, stay in the gallery.
"""

from collections.abc import Mapping, Sequence

from pipeline.drawing.items import read_items
from pipeline.site.figures import Figure, Gallery
from pipeline.site.items import may_be_shown
from pipeline.suite.schema import Suite


def figures_by_item(suite: Suite, track: str, found: Gallery) -> Mapping[str, Sequence[Figure]]:
    """The figures of single items, by the item's id; none where items may not be shown.

    Raises UserError where a file that says which items figures are of is damaged.
    """
    if not may_be_shown(suite):
        return {}
    figures = [figure for same in found.figures.values() for figure in same]
    items = {key: read_items(suite.places.figures(track, key))
             for key in {key for figure in figures for key in figure.systems}}
    placed: dict[str, list[Figure]] = {}
    for figure in figures:
        for item in sorted({items[key][figure.name] for key in figure.systems
                            if figure.name in items[key]}):
            placed.setdefault(item, []).append(figure)
    return placed
