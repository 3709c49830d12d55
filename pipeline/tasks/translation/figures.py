"""Figures of a translation system: attention maps, BLEU by length of the source, sample outputs."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.files import atomic_writer, read_json, write_text
from pipeline.predictions import Prediction, aligned
from pipeline.sequences import Sequences
from pipeline.tasks.translation.scoring import bleu, bleu_statistics
from pipeline.tasks.translation.shared.tokenizer import Tokenizer
from pipeline.tasks.translation.shared.translator import Translator

SAMPLES = 20
MAPS = 2
READABLE_PIECES = range(6, 26)
LENGTH_BINS = (5, 10, 15, 20, 25, 30, 40, 60)


def draw(system: Translator, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write samples.txt, bleu_by_length.png and, with attention, attention_<n>.png."""
    items = read_json(test / "items.json")
    ids = [item["id"] for item in items]
    hypotheses = {variant: [found["hypothesis"] for found in aligned(answers, ids)]
                  for variant, answers in predictions.items()}
    write_text(directory / "samples.txt", _samples(items, hypotheses))
    _save(_bleu_by_length(items, hypotheses), directory / "bleu_by_length.png")
    first = next(iter(hypotheses.values()))
    for number, figure in enumerate(_attention_maps(system, first, test), start=1):
        _save(figure, directory / f"attention_{number}.png")


def _samples(items: list[dict[str, str]], hypotheses: dict[str, list[str]]) -> str:
    """Sentences from all over the test set with all variants' translations."""
    chosen = np.unique(np.linspace(0, len(items) - 1, SAMPLES).round().astype(int))
    return "\n\n".join("\n".join(
        [items[index]["id"], f"source:    {items[index]['source']}",
         f"reference: {items[index]['reference']}",
         *(f"{variant + ':':<10} {texts[index]}" for variant, texts in hypotheses.items())])
        for index in chosen) + "\n"


def _bleu_by_length(items: list[dict[str, str]], hypotheses: dict[str, list[str]]) -> Figure:
    """BLEU of the sentences in each range of source length, all conditions together."""
    ranges = np.digitize([len(item["source"].split()) for item in items], LENGTH_BINS, right=True)
    occupied = np.unique(ranges)
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    for variant, texts in hypotheses.items():
        statistics = np.array([bleu_statistics(text, item["reference"])
                               for text, item in zip(texts, items, strict=True)])
        axes.plot(occupied, [bleu(statistics[ranges == number].sum(axis=0).astype(float))
                             for number in occupied], marker="o", label=variant)
    axes.set_xticks(occupied, [_range_label(number) for number in occupied])
    axes.set(xlabel="words in the source", ylabel="BLEU", ylim=(0, 100))
    axes.legend()
    return figure


def _range_label(number: int) -> str:
    if number == 0:
        return f"up to {LENGTH_BINS[0]}"
    low = LENGTH_BINS[number - 1] + 1
    return f"{low}-{LENGTH_BINS[number]}" if number < len(LENGTH_BINS) else f"{low} or more"


def _attention_maps(system: Translator, hypotheses: list[str], test: Path) -> list[Figure]:
    """What the decoder looked at for the first few sentences of a readable length."""
    sources = Sequences(test, "source")
    source_pieces = Tokenizer(test / "source.model")
    target_pieces = Tokenizer(test / "target.model")
    readable = [item for item in range(len(sources)) if sources.lengths[item] in READABLE_PIECES]
    figures = []
    for item in readable[:MAPS]:
        target = target_pieces.encode(hypotheses[item])
        weights = system.attention_weights(sources[item], target)
        if weights is not None:
            figures.append(_attention_map(
                weights.numpy(), source_pieces.pieces(sources[item]),
                target_pieces.pieces(target)))
    return figures


def _attention_map(weights: NDArray[np.float32], source: list[str], target: list[str]) -> Figure:
    figure = Figure(figsize=(1.5 + 0.3 * len(source), 1.5 + 0.3 * len(target)))
    axes = figure.subplots()
    axes.imshow(weights, cmap="gray_r", vmin=0, vmax=1)
    axes.set_xticks(range(len(source)), source, rotation=90)
    axes.set_yticks(range(len(target)), target)
    axes.set(xlabel="source", ylabel="translation")
    return figure


def _save(figure: Figure, path: Path) -> None:
    """Write a PNG without the plotting program's version: the same figure is the same bytes."""
    with atomic_writer(path) as file:
        figure.savefig(file, format="png", dpi=120, bbox_inches="tight",
                       metadata={"Software": None})
