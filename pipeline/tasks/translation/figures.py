"""Figures of a translation system: attention maps, BLEU by length of the source, probes, samples.

Labels in a script that matplotlib's own font lacks are drawn with the first font of `FONTS` that
the machine has; without one they are boxes, and nothing else suffers.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib import font_manager, rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.storage.files import read_json, write_text
from pipeline.storage.png import save_png
from pipeline.storage.predictions import Prediction, aligned
from pipeline.storage.sequences import Sequences
from pipeline.storage.words import words_in
from pipeline.tasks.translation.scoring import details, score
from pipeline.tasks.translation.shared.measures import BleuTokenizer, bleu, bleu_statistics
from pipeline.tasks.translation.shared.tokenizer import Tokenizer, piece_model
from pipeline.tasks.translation.shared.translator import Translator

SAMPLES = 20
MAPS = 2
READABLE_PIECES = range(6, 26)
LENGTH_BINS = (5, 10, 15, 20, 25, 30, 40, 60)
FONTS = ("Noto Sans CJK JP", "IPAexGothic", "IPAGothic", "TakaoGothic", "Hiragino Sans",
         "Yu Gothic", "MS Gothic", "Noto Sans JP")

Item = dict[str, Any]


def draw(system: Translator, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write samples.txt and bleu_by_length.png, attention_<n>.png and, of probes, gender.png.

    The samples are sentences from all over each part of the test set.
    """
    with rc_context({"font.family": _fonts()}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        _draw(system, predictions, test, directory)


def _draw(system: Translator, predictions: dict[str, list[Prediction]], test: Path,
          directory: Path) -> None:
    items = read_json(test / "items.json")
    ids = [item["id"] for item in items]
    hypotheses = {variant: [found["hypothesis"] for found in aligned(answers, ids)]
                  for variant, answers in predictions.items()}
    write_text(directory / "samples.txt", _samples(items, hypotheses))
    tokenizer = read_json(test / "scoring.json")["tokenizer"]
    save_png(_bleu_by_length(items, hypotheses, tokenizer), directory / "bleu_by_length.png",
             tight=True)
    first = next(iter(hypotheses.values()))
    for number, figure in enumerate(_attention_maps(system, first, test), start=1):
        save_png(figure, directory / f"attention_{number}.png", tight=True)
    if any(item["condition"] == "gender" for item in items):
        save_png(_gender({variant: details(score(answers, test))["gender"]
                          for variant, answers in predictions.items()}),
                 directory / "gender.png", tight=True)


def _samples(items: list[Item], hypotheses: Mapping[str, list[str]]) -> str:
    """Sentences from all over the test set, and of each probe, with all variants' translations."""
    conditions = np.array([item["condition"] for item in items])
    kinds = [np.flatnonzero(np.isin(conditions, ["test", "long"])),
             np.flatnonzero(conditions == "gender"), np.flatnonzero(conditions == "degenerate")]
    chosen = np.concatenate([_spread_out(numbers) for numbers in kinds if len(numbers)])
    return "\n\n".join("\n".join(
        [items[index]["id"], f"source:    {items[index]['source']}",
         f"reference: {items[index]['reference']}",
         *(f"{variant + ':':<10} {texts[index]}" for variant, texts in hypotheses.items())])
        for index in chosen) + "\n"


def _spread_out(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    places = np.linspace(0, len(numbers) - 1, SAMPLES).round().astype(int)
    return numbers[np.unique(places)]


def _bleu_by_length(items: list[Item], hypotheses: Mapping[str, list[str]],
                    tokenizer: BleuTokenizer) -> Figure:
    """BLEU of the sentences in each range of source length, probes left out."""
    chosen = [number for number, item in enumerate(items)
              if item["condition"] in ("test", "long")]
    ranges = np.digitize([len(words_in(items[number]["source"])) for number in chosen], LENGTH_BINS,
                         right=True)
    occupied = np.unique(ranges)
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    for variant, texts in hypotheses.items():
        statistics = np.array([bleu_statistics(texts[number], items[number]["reference"],
                                               tokenizer) for number in chosen])
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
    source_pieces = Tokenizer(piece_model(system.artefacts, "source"))
    target_pieces = Tokenizer(piece_model(system.artefacts, "target"))
    readable = [item for item in range(len(sources)) if sources.lengths[item] in READABLE_PIECES]
    figures = []
    for item in readable[:MAPS]:
        target = target_pieces.encode(hypotheses[item])
        source = torch.tensor([sources[item]])
        weights = system.attention_weights(source, torch.tensor([source.shape[1]]), [target])
        if weights is not None:
            figures.append(_attention_map(
                weights[0].numpy(), source_pieces.pieces(sources[item]),
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


def _gender(shares: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Figure:
    """Share of he among the pronouns, by occupation: in training, and in each variant's answers."""
    occupations = sorted(first := next(iter(shares.values())),
                         key=lambda name: first[name]["he_in_training"])
    bars = {"training": [first[name]["he_in_training"] for name in occupations]}
    for variant, found in shares.items():
        bars[variant] = [found[name]["he"] / max(found[name]["he"] + found[name]["she"], 1e-9)
                         for name in occupations]
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    width = 0.8 / len(bars)
    for number, (label, heights) in enumerate(bars.items()):
        axes.bar(np.arange(len(occupations)) + (number - (len(bars) - 1) / 2) * width, heights,
                 width, label=label)
    axes.set_xticks(range(len(occupations)), occupations, rotation=30)
    axes.set(ylabel="share of he among he and she", ylim=(0, 1))
    axes.legend()
    return figure


def _fonts() -> list[str]:
    known = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *[name for name in FONTS if name in known][:1]]
