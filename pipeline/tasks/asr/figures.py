"""Figures of a recogniser: its errors word by word, and what CTC emits when."""

from itertools import zip_longest
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.audio.frames import Frames
from pipeline.nn.ctc import BLANK
from pipeline.storage.files import read_json, write_text
from pipeline.storage.png import save_png
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.asr.scoring import aligned_words

SAMPLES = 20
EVALUATION = {"equal": "", "substitute": "S", "delete": "D", "insert": "I"}


@runtime_checkable
class EmitsSymbols(Protocol):
    """A system that says at each of its steps which symbol it hears."""

    def emissions(self, utterances: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Log-probabilities [steps, 1 + symbols] of each utterance, blank first."""

    def text(self, symbols: list[int]) -> str:
        """Text of symbol ids."""


def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write alignments_<variant>.txt for each variant; with CTC, spikes.png of one utterance."""
    items = read_json(test / "test.items.json")
    chosen = np.unique(np.linspace(0, len(items) - 1, SAMPLES).round().astype(int))
    for variant, answers in predictions.items():
        hypotheses = aligned(answers, [item["id"] for item in items])
        write_text(directory / f"alignments_{variant}.txt", "\n".join(
            f"{items[index]['id']}\n"
            f"{alignment(items[index]['reference'], hypotheses[index]['hypothesis'])}\n"
            for index in chosen))
    if not isinstance(system, EmitsSymbols):
        return
    frames = Frames(test, "test")
    middle = int(np.argsort(frames.lengths, kind="stable")[len(frames) // 2])
    save_png(_spikes(system, frames[middle], items[middle]), directory / "spikes.png", tight=True)


def alignment(reference: str, hypothesis: str) -> str:
    """REF, HYP and Eval lines with words under words: S substituted, D deleted, I inserted."""
    found = aligned_words(reference, hypothesis)
    rows: list[tuple[str, str, str]] = [("REF:", "HYP:", "Eval:")]
    for chunk in found.alignments[0]:
        references = found.references[0][chunk.ref_start_idx : chunk.ref_end_idx]
        hypotheses = found.hypotheses[0][chunk.hyp_start_idx : chunk.hyp_end_idx]
        rows += [(*pair, EVALUATION[chunk.type])
                 for pair in zip_longest(references, hypotheses, fillvalue="")]
    widths = [max(map(len, row)) for row in rows]
    # A missing word is shown by as many stars as the word beside it has letters.
    starred = [rows[0]] + [(ref or "*" * width, hyp or "*" * width, mark)
                           for (ref, hyp, mark), width in zip(rows[1:], widths[1:], strict=True)]
    return "\n".join(
        " ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip(" ")
        for line in zip(*starred, strict=True))


def _spikes(system: EmitsSymbols, frames: NDArray[np.float32], item: dict[str, str]) -> Figure:
    """The features of an utterance above the posteriors of blank and symbols."""
    posteriors = np.exp(system.emissions([frames])[0])
    stack = len(frames) / len(posteriors)
    figure = Figure(figsize=(10, 5))
    above, below = figure.subplots(2, 1, sharex=True)
    above.imshow(frames.T, origin="lower", aspect="auto", interpolation="nearest", cmap="magma")
    above.set(ylabel="feature", title=f"{item['id']}: {item['reference']}")
    times = (np.arange(len(posteriors)) + 0.5) * stack
    below.plot(times, posteriors[:, BLANK], color="0.7", linestyle=":", label="blank")
    for symbol in np.flatnonzero(posteriors.max(axis=0) > 0.5):
        if symbol == BLANK:
            continue
        below.plot(times, posteriors[:, symbol])
        for time in np.flatnonzero(_peaks(posteriors[:, symbol])):
            below.annotate(system.text([int(symbol)]).replace(" ", "␣"),
                           (times[time], posteriors[time, symbol]), ha="center", va="bottom")
    below.set(xlabel="frame", ylabel="posterior", ylim=(0, 1.15))
    below.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _peaks(curve: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Where a posterior is above one half and not below its neighbours."""
    around = np.pad(curve, 1, constant_values=0.0)
    return (curve > 0.5) & (curve > around[:-2]) & (curve >= around[2:])
