"""What is wrong with a picture, found in its artists: nobody looks at every picture every time."""

import warnings
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection, LineCollection, PathCollection
from matplotlib.colors import to_hex, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from pipeline.drawing.style import COLOURS, MAPS

SMALLEST = 5.0  # points of a letter on a page, which shows no picture wider than 9 inches
PAGE = 9.0
_SLACK = 1.5  # pixels


def faults(figure: Figure) -> list[str]:
    """Each thing that a reader of the picture would miss or could not read."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        figure.draw_without_rendering()
    return [*(str(one.message) for one in warned), *_untitled(figure), *_unlabelled(figure),
            *_without_bar(figure), *_unreadable(figure), *_hidden(figure), *_strange(figure)]


def _panels(figure: Figure) -> list[Axes]:
    """Axes with data that are no colour bar."""
    return [axes for axes in figure.axes
            if axes.has_data() and axes.get_label() != "<colorbar>"]


def _untitled(figure: Figure) -> Iterator[str]:
    panels = _panels(figure)
    if not figure.get_suptitle() and not all(axes.get_title() for axes in panels):
        yield "no title"


def _unlabelled(figure: Figure) -> Iterator[str]:
    for axes in _panels(figure):
        for name in ("x", "y"):
            axis: Axis = getattr(axes, f"{name}axis")
            whole = getattr(figure, f"_sup{name}label", None)
            if _shown_ticks(axis) and whole is None and not any(
                    getattr(other, f"get_{name}label")() for other in _in_line(axes, name)):
                yield f"no {name} label in {axes.get_title() or axes}"


def _in_line(axes: Axes, name: str) -> list[Axes]:
    """The axes themselves and those beside them, whose y label is theirs too; or below, for x."""
    place = axes.get_subplotspec()
    line = "rowspan" if name == "y" else "colspan"
    return [axes, *(other for other in axes.figure.axes
                    if place is not None and other.get_subplotspec() is not None
                    and other.get_label() != "<colorbar>"
                    and other.get_subplotspec().get_gridspec() is place.get_gridspec()
                    and getattr(other.get_subplotspec(), line) == getattr(place, line))]


def _without_bar(figure: Figure) -> Iterator[str]:
    barred = [one.colorbar.mappable for one in _mapped(figure) if one.colorbar is not None]
    for one in _mapped(figure):
        values = np.ma.compressed(np.ma.masked_invalid(one.get_array()))
        if one.get_cmap().name.removesuffix("_r") not in {
                name.removesuffix("_r") for name in MAPS}:
            yield f"colour map {one.get_cmap().name}"
        if set(np.unique(values)) <= {0, 1}:
            continue  # black or white says yes or no
        if not any(other is one or (other.get_cmap() == one.get_cmap()
                                    and other.get_clim() == one.get_clim()) for other in barred):
            yield f"numbers as colours of {one.get_cmap().name} without a colour bar"


def _mapped(figure: Figure) -> list[ScalarMappable]:
    """What has colours that mean numbers; pictures of things have colours of their own."""
    found = [artist for axes in _panels(figure) for artist in (*axes.images, *axes.collections)
             if artist.get_array() is not None]
    return [one for one in found if np.ndim(one.get_array()) != 3]


def _shown_ticks(axis: Axis) -> list[Text]:
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks()
            if tick.label1.get_visible() and tick.label1.get_text()
            and low - 1e-9 <= tick.get_loc() <= high + 1e-9]


def _texts(figure: Figure) -> list[Text]:
    ticks = {label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)
             for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
             for label in (tick.label1, tick.label2)}
    flat = [axes for axes in figure.axes if axes.name != "3d"]
    shown = {label for axes in flat for axis in (axes.xaxis, axes.yaxis)
             for label in _shown_ticks(axis)}
    solid = {text for axes in figure.axes if axes.name == "3d" for text in axes.findobj(Text)}
    return [text for text in figure.findobj(Text) if text.get_visible()
            and text.get_text().strip() and text not in solid
            and (text not in ticks or text in shown)]


def _unreadable(figure: Figure) -> Iterator[str]:
    page = figure.bbox.padded(_SLACK)
    shrunk = min(1.0, PAGE / figure.get_figwidth())
    boxes: list[tuple[Text, Bbox]] = []
    for text in _texts(figure):
        box = text.get_window_extent()
        boxes.append((text, box))
        if not (page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1)):
            yield f"cut: {text.get_text()!r}"
        if "$\\math" in text.get_text():
            yield f"a formula that is not drawn as one: {text.get_text()!r}"
        if text.get_fontsize() * shrunk < SMALLEST:
            yield f"too small: {text.get_text()!r}"
    for (one, first), (other, second) in combinations(boxes, 2):
        if first.padded(-_SLACK).overlaps(second.padded(-_SLACK)):
            yield f"{one.get_text()!r} lies on {other.get_text()!r}"


def _hidden(figure: Figure) -> Iterator[str]:
    for legend in figure.findobj(Legend):
        box = legend.get_window_extent()
        for axes in _panels(figure):
            if box.padded(-_SLACK).overlaps(axes.bbox) and any(
                    box.contains(*point) for point in _points(axes)):
                yield f"a legend lies on what {axes.get_title() or 'the axes'} show"


def _points(axes: Axes) -> Iterator[tuple[float, float]]:
    """Where something is drawn, in pixels."""
    for line in axes.lines:
        path = line.get_transform().transform_path(line.get_path())
        if len(path.vertices) > 1:
            path = path.interpolated(10)
        yield from map(tuple, path.vertices)
    for collection in axes.collections:
        if isinstance(collection, PathCollection):
            yield from map(tuple, axes.transData.transform(collection.get_offsets()))
        elif isinstance(collection, LineCollection):
            for segment in collection.get_segments():
                yield from map(tuple, axes.transData.transform(
                    np.linspace(segment[0], segment[-1], 50)))
    if axes.images or any(one.get_array() is not None for one in axes.collections):
        box = axes.bbox
        yield from ((x, y) for x in np.linspace(box.x0, box.x1, 40)
                    for y in np.linspace(box.y0, box.y1, 40))


def _strange(figure: Figure) -> Iterator[str]:
    for axes in _panels(figure):
        for artist in (*axes.lines, *axes.patches, *axes.collections):
            for colour in _colours(artist):
                if colour not in COLOURS and not _grey(colour):
                    yield f"colour {colour} of {artist}"


def _colours(artist: object) -> set[str]:
    if isinstance(artist, Collection):
        if artist.get_array() is not None:
            return set()
        found = [*artist.get_facecolor(), *artist.get_edgecolor()]
    else:
        found = [*to_rgba_array(artist.get_color() if hasattr(artist, "get_color")  # type: ignore
                                else artist.get_facecolor())]  # type: ignore[attr-defined]
    return {to_hex(colour) for colour in found if len(colour) < 4 or colour[3] > 0}


def _grey(colour: str) -> bool:
    return colour[1:3] == colour[3:5] == colour[5:7]
