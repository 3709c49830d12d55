"""Figures: pictures with what is said about them, and the places that each word looked at."""

from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.storage.arrays import read_array
from pipeline.storage.files import read_json, write_text
from pipeline.storage.png import save_png
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


def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write samples.png and samples.txt, and attention_<n>.png where there is attention.

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
    save_png(_samples(pictures, items, sentences[first], verdicts), directory / "samples.png",
             tight=True)
    if isinstance(system, Captioner):
        for number, item in enumerate(_spread(len(items), MAPS), start=1):
            picture, said = np.array(pictures[item]), sentences[first][item]
            weights = _weights(system, picture, said)
            if weights is not None:
                save_png(_attention(picture, words_in(said), weights),
                         directory / f"attention_{number}.png", tight=True)


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
             verdicts: list[str]) -> Figure:
    """Pictures with the first reference and the sentence."""
    chosen = _spread(len(items), SHOWN)
    rows = -(-len(chosen) // SHOWN_IN_A_ROW)
    figure = Figure(figsize=(3 * SHOWN_IN_A_ROW, 4 * rows))
    for place, item in enumerate(chosen, start=1):
        axes = figure.add_subplot(rows, SHOWN_IN_A_ROW, place)
        axes.imshow(pictures[item], interpolation="nearest")
        axes.set_axis_off()
        verdict = f" ({verdicts[item]})" if verdicts[item] else ""
        axes.set_title("\n".join(fill(text, 38) for text in (
            f"reference: {items[item]['references'][0]}", f"said{verdict}: {sentences[item]}")),
            fontsize=7, loc="left")
    figure.tight_layout()
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


def _attention(picture: NDArray[np.uint8], words: list[str],
               weights: NDArray[np.float32]) -> Figure:
    """The picture, then once more for each word, as bright as the weight of each place."""
    rows = -(-(len(words) + 1) // WORDS_IN_A_ROW)
    figure = Figure(figsize=(1.5 * WORDS_IN_A_ROW, 1.7 * rows))
    side = len(picture)
    for place, word in enumerate(["", *words], start=1):
        axes = figure.add_subplot(rows, WORDS_IN_A_ROW, place)
        axes.imshow(picture, interpolation="nearest", extent=(0, side, side, 0))
        if word:
            axes.imshow(weights[place - 2], cmap="gray", alpha=0.7, vmin=0, interpolation="nearest",
                        extent=(0, side, side, 0))
        axes.set_axis_off()
        axes.set_title(word, fontsize=9)
    figure.tight_layout()
    return figure


def _spread(count: int, wanted: int) -> NDArray[np.int64]:
    """At most `wanted` numbers from 0 to `count` - 1, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(np.int64))
