"""Figures of word vectors: a picture in two dimensions, and the neighbours of single words."""

from itertools import islice
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.drawing.parts import legend_below, title, words_apart
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import WIDTH, Styled, look
from pipeline.storage.files import write_text
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import System
from pipeline.tasks.embeddings.shared.answers import NEIGHBOURS, Space, WordVectors
from pipeline.tasks.embeddings.shared.items import Items

GROUPS = 12
LABELS = 6
LISTED = 60


@Styled()
def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write vectors.png and neighbours.txt."""
    assert isinstance(system, WordVectors)
    items = Items.read(test)
    space = Space(system.spec["words"], system.vectors())
    save(_picture(space, _groups(items), row_of(directory)), directory, "vectors")
    write_text(directory / "neighbours.txt", _neighbours(space, items))


def principal_components(points: NDArray[np.float64], count: int = 2) -> NDArray[np.float64]:
    """`points` [n, d] along their directions of largest variance, [n, count].

    The sign of a component is arbitrary; here its largest value is positive.
    """
    centred = points - points.mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    found = centred @ directions[:count].T
    return found * np.sign(found[np.abs(found).argmax(0), np.arange(count)])


def _groups(items: Items) -> dict[str, list[str]]:
    """The largest classes; without classes, the answers to the analogies of each section."""
    groups = {name: list(words) for name, words in items.classes.items()}
    if not groups:
        for item in items.analogies:
            if items.has(item.d):
                groups.setdefault(item.section, []).append(item.d)
    unique = {name: list(dict.fromkeys(words)) for name, words in groups.items() if words}
    return dict(islice(sorted(unique.items(), key=lambda group: -len(group[1])), GROUPS))


def _picture(space: Space, groups: dict[str, list[str]], row: str) -> Figure:
    """The first two principal components of the groups' words; some words written out."""
    figure = Figure(figsize=(WIDTH, 7.2))
    axes = figure.subplots()
    words = list(dict.fromkeys(word for group in groups.values() for word in group))
    places = principal_components(space.points[[space.ids[word] for word in words]])
    place = dict(zip(words, places, strict=True))
    for number, (name, group) in enumerate(groups.items()):
        x, y = np.array([place[word] for word in group]).T
        axes.scatter(x, y, s=14, color=look(number).color, label=name, marker=look(number).marker,
                     alpha=0.8, linewidths=0)
    axes.set(xlabel="first principal component", ylabel="second principal component")
    axes.margins(0.08)
    legend_below(figure)
    title(figure, f"Word vectors of {row} in two dimensions: {len(words)} words of "
                  f"{len(groups)} groups")
    frequent = {name: sorted(group, key=space.ids.__getitem__)[:LABELS]
                for name, group in groups.items()}
    # The most frequent word of every group first, then the second of each.
    words_apart(figure, axes, {
        group[turn]: place[group[turn]].tolist() for turn in range(LABELS)
        for group in frequent.values() if turn < len(group)})
    return figure


def _neighbours(space: Space, items: Items) -> str:
    """Nearest words of the most frequent probes, or of rated words where there are no probes.

    Neighbours that share no class with a probe stand in brackets.
    """
    listed = items.words or [word for item in items.pairs for word in item.words
                             if items.has(word)]
    words = sorted(dict.fromkeys(listed), key=space.ids.__getitem__)[:LISTED]
    lines = []
    for word, near in zip(words, space.neighbours(words, NEIGHBOURS), strict=True):
        marked = [other if not items.words or items.alike(word, other) else f"[{other}]"
                  for other in near]
        lines.append(f"{word}: {' '.join(marked)}\n")
    return "".join(lines)
