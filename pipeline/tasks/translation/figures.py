"""Figures of a translation system: attention maps, what pronouns it gives to whom, samples.

BLEU by length of the source is a matter of comparison, and stands on the leaderboard.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.drawing.items import write_items
from pipeline.drawing.parts import legend_below, lines_behind, title
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import BLACK, COLOURS, SMALL, Styled
from pipeline.drawing.tables import attention
from pipeline.storage.files import read_json, write_text
from pipeline.storage.predictions import Prediction, aligned
from pipeline.storage.sequences import Sequences
from pipeline.tasks.translation.scoring import details, score
from pipeline.tasks.translation.shared.tokenizer import Tokenizer, piece_model
from pipeline.tasks.translation.shared.translator import Translator

SAMPLES = 20
MAPS = 2
READABLE_PIECES = range(6, 26)

Item = dict[str, Any]


@Styled()
def draw(system: Translator, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write samples.txt, and attention_<n>.png where there is attention; of probes, gender.png.

    The samples are sentences from all over each part of the test set. Which item each map is of
    stands beside them (`pipeline.drawing.items`).
    """
    items = read_json(test / "items.json")
    ids = [item["id"] for item in items]
    hypotheses = {variant: [found["hypothesis"] for found in aligned(answers, ids)]
                  for variant, answers in predictions.items()}
    write_text(directory / "samples.txt", _samples(items, hypotheses))
    first = next(iter(hypotheses))
    row = row_of(directory, first)
    shown: dict[str, str] = {}
    for item, figure in _attention_maps(system, hypotheses[first], ids, test, row):
        name = f"attention_{len(shown) + 1}"
        save(figure, directory, name)
        shown[name] = item
    write_items(directory, shown)
    if any(item["condition"] == "gender" for item in items):
        save(_gender({variant: details(score(answers, test))["gender"]
                      for variant, answers in predictions.items()}, row_of(directory)),
             directory, "gender")


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


def _attention_maps(system: Translator, hypotheses: list[str], ids: list[str], test: Path,
                    row: str) -> Iterator[tuple[str, Figure]]:
    """What the decoder looked at for the first few sentences of a readable length, by their ids."""
    sources = Sequences(test, "source")
    source_pieces = Tokenizer(piece_model(system.artefacts, "source"))
    target_pieces = Tokenizer(piece_model(system.artefacts, "target"))
    readable = [item for item in range(len(sources)) if sources.lengths[item] in READABLE_PIECES]
    for item in readable[:MAPS]:
        target = target_pieces.encode(hypotheses[item])
        source = torch.tensor([sources[item]])
        weights = system.attention_weights(source, torch.tensor([source.shape[1]]), [target])
        if weights is not None and target:
            yield ids[item], attention(
                weights[0].numpy(), target_pieces.pieces(target),
                source_pieces.pieces(sources[item]),
                ("pieces of the translation", "pieces of the source"),
                f"Where {row} looks while it translates {ids[item]}")


def _gender(shares: Mapping[str, Mapping[str, Mapping[str, float]]], row: str) -> Figure:
    """Share of he among the pronouns, by occupation: in training, and in each variant's answers."""
    occupations = sorted(first := next(iter(shares.values())),
                         key=lambda name: first[name]["he_in_training"])
    bars = {"in training": [first[name]["he_in_training"] for name in occupations]}
    for variant, found in shares.items():
        bars[f"answers, {variant}"] = [
            found[name]["he"] / max(found[name]["he"] + found[name]["she"], 1e-9)
            for name in occupations]
    figure = Figure(figsize=(SMALL, 4))
    axes = figure.subplots()
    width = 0.8 / len(bars)
    for number, (label, heights) in enumerate(bars.items()):
        axes.bar(np.arange(len(occupations)) + (number - (len(bars) - 1) / 2) * width,
                 100 * np.array(heights), width, label=label,
                 color=(BLACK, *COLOURS)[number % len(COLOURS)])
    axes.axhline(50, color="0.5", linestyle=":", linewidth=1)
    axes.set_xticks(range(len(occupations)), occupations, rotation=90)
    axes.set(xlabel="occupation, by its pronouns in training",
             ylabel="he among he and she, %", ylim=(0, 100))
    lines_behind(axes, "y")
    legend_below(figure)
    title(figure, f"Which pronoun {row} gives to people whose gender the source does not say")
    return figure
