"""Figures: pictures with what is said about them, and the places that each word looked at."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.drawing.items import write_items
from pipeline.drawing.parts import title, wrapped
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import WIDTH, Styled
from pipeline.storage.arrays import read_array
from pipeline.storage.files import read_json, write_text
from pipeline.storage.predictions import Prediction, aligned
from pipeline.storage.words import words_in
from pipeline.systems.base import System
from pipeline.tasks.caption.scoring import score
from pipeline.tasks.caption.shared.captioner import Captioner

SHOWN = 12
SHOWN_IN_A_ROW = 4
LISTED = 40
MAPS = 3
WORDS_IN_A_ROW = 8

Item = dict[str, Any]


@Styled()
def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write samples.png and samples.txt, and attention_<n>.png where there is attention.

    Beside those stands which item each of them is of (`pipeline.drawing.items`).
    The samples are from all over the test set; those in samples.png are the first variant's.
    """
    items = read_json(test / "items.json")
    pictures = read_array(test / "test.pictures.npy")
    sentences = {variant: [found["sentence"]
                           for found in aligned(answers, [item["id"] for item in items])]
                 for variant, answers in predictions.items()}
    first = next(iter(predictions))
    verdicts = _verdicts(predictions[first], test)
    write_text(directory / "samples.txt", _listed(items, sentences))
    row = row_of(directory, first)
    save(_samples(pictures, items, sentences[first], verdicts, row), directory, "samples")
    if isinstance(system, Captioner):
        shown: dict[str, str] = {}
        for number, item in enumerate(_spread(len(items), MAPS), start=1):
            picture, said = np.array(pictures[item]), sentences[first][item]
            weights = _weights(system, picture, said)
            if weights is not None:
                name, identity = f"attention_{number}", items[item]["id"]
                save(_attention(picture, words_in(said), weights,
                                f"Where {row} looks at {identity} as it says each word"),
                     directory, name)
                shown[name] = identity
        write_items(directory, shown)


def _verdicts(answers: list[Prediction], test: Path) -> list[str]:
    """'true' or 'not true' of each sentence, nothing where no grammar knows."""
    columns = score(answers, test).columns
    return [("true" if true else "not true") if judged else ""
            for true, judged in zip(columns["true"], columns["judged"], strict=True)]


def _listed(items: list[Item], sentences: dict[str, list[str]]) -> str:
    """Sentences of all variants below the references."""
    return "\n\n".join("\n".join(
        [items[item]["id"], *(f"reference: {text}" for text in items[item]["references"]),
         *(f"{variant + ':':<10} {texts[item]}" for variant, texts in sentences.items())])
        for item in _spread(len(items), LISTED)) + "\n"


def _samples(pictures: NDArray[np.uint8], items: list[Item], sentences: list[str],
             verdicts: list[str], row: str) -> Figure:
    """Pictures, below each what is said of it and the first reference."""
    chosen = _spread(len(items), SHOWN)
    rows = -(-len(chosen) // SHOWN_IN_A_ROW)
    figure = Figure(figsize=(WIDTH, 0.5 + 3.3 * rows))
    panels = figure.subplots(rows, SHOWN_IN_A_ROW, squeeze=False).flatten()
    inches = WIDTH / SHOWN_IN_A_ROW - 0.2
    for axes in panels[len(chosen):]:
        axes.remove()
    for axes, item in zip(panels, chosen, strict=False):
        axes.imshow(pictures[item], interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        verdict = f" ({verdicts[item]})" if verdicts[item] else ""
        axes.set_xlabel("\n".join(wrapped(text, inches, 7.5) for text in (
            f"said{verdict}: {sentences[item]}", f"right: {items[item]['references'][0]}")),
            fontsize=7.5, loc="left")
    title(figure, f"What {row} says of {len(chosen)} test pictures, and one right description")
    return figure


def _weights(system: Captioner, picture: NDArray[np.uint8],
             said: str) -> NDArray[np.float32] | None:
    """Weights [words, side, side] of the places of a square map."""
    numbers = {word: number for number, word in enumerate(system.spec["words"])}
    words = [numbers[word] for word in words_in(said)]
    found = system.attention_weights(torch.from_numpy(picture), words) if words else None
    if found is None:
        return None
    side = round(found.shape[1] ** 0.5)
    return found.reshape(-1, side, side).numpy()


def _attention(picture: NDArray[np.uint8], words: list[str], weights: NDArray[np.float32],
               about: str) -> Figure:
    """The picture, then once more for each word, as dark as the weight of each place is small."""
    rows = -(-(len(words) + 1) // WORDS_IN_A_ROW)
    figure = Figure(figsize=(WIDTH, 0.6 + 1.25 * rows))
    panels = figure.subplots(rows, WORDS_IN_A_ROW, squeeze=False).flatten()
    side = len(picture)
    most, shades = float(weights.max()), None
    for place, word in enumerate(["the picture", *words]):
        axes = panels[place]
        axes.imshow(picture, interpolation="nearest", extent=(0, side, side, 0))
        if place:
            shades = axes.imshow(weights[place - 1], cmap="gray",
                                 alpha=0.6, vmin=0, vmax=most, interpolation="nearest",
                                 extent=(0, side, side, 0))
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(word, fontsize=9)
    for axes in panels[len(words) + 1:]:
        axes.remove()
    if shades is not None:
        figure.colorbar(shades, ax=figure.axes, label="weight of a place", fraction=0.03, pad=0.01)
    title(figure, about)
    return figure


def _spread(count: int, wanted: int) -> NDArray[np.int64]:
    """At most `wanted` numbers from 0 to `count` - 1, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(np.int64))
