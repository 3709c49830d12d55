"""Figures of a recogniser: its errors by word and by speaker, and what it hears when.

A system that emits symbols shows when (CTC's spikes); one that chose how far it trusts a language
model, how sharp that choice is; one whose words are phones of hidden states shows which state each
frame is in and what its trees ask first. How sound becomes features is the same for all systems of
a track.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.audio.frames import Frames
from pipeline.hmm.tying import TiedTriphones
from pipeline.nn.ctc import BLANK
from pipeline.storage.files import read_json, write_text
from pipeline.storage.png import save_png
from pipeline.storage.predictions import Prediction, aligned
from pipeline.storage.words import words_in
from pipeline.systems.base import System
from pipeline.tasks.asr.scoring import aligned_words
from pipeline.tasks.asr.shared import (
    error_pictures,
    model_pictures,
    sound_pictures,
    state_pictures,
)
from pipeline.tasks.asr.shared.example import Example
from pipeline.tasks.asr.shared.recogniser import Tried
from pipeline.tasks.asr.shared.state_pictures import KnowsStates, followed

SAMPLES = 20
DPI = 90  # keeps pictures with much text small
EVALUATION = {"equal": "", "substitute": "S", "delete": "D", "insert": "I"}


@runtime_checkable
class DrawsItself(Protocol):
    """A system that has pictures of its own."""

    def pictures(self, test: Path, place: int) -> Iterator[tuple[str, Figure]]:
        """Names and pictures of what it does with the test item of that place."""


class Grids(Protocol):
    """Pairs of weights with their errors on validation utterances, by what they weigh."""

    @property
    def tried(self) -> Mapping[str, Sequence[Tried]]:
        """Empty until they were tried."""


@runtime_checkable
class ChoseWeights(Protocol):
    """A system that chose the weights of its language models."""

    @property
    def vocabulary(self) -> Grids:
        """What it knows of text."""


@runtime_checkable
class EmitsSymbols(Protocol):
    """A system that says at each of its steps which symbol it hears."""

    def emissions(self, utterances: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Log-probabilities [steps, 1 + symbols] of each utterance, blank first."""

    def text(self, symbols: list[int]) -> str:
        """Text of symbol ids."""


def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write alignments_<variant>.txt for each variant, speakers.png, windows.png and features.png.

    Answers with alternatives have oracle.png; with CTC there is spikes.png of one utterance; where
    weights were chosen, weights.png; with tied states states.png of one utterance and, of
    triphones, questions.png; and a system may have others.
    """
    items = read_json(test / "test.items.json")
    ids = [item["id"] for item in items]
    answers = {variant: aligned(found, ids) for variant, found in predictions.items()}
    for variant, hypotheses in answers.items():
        write_text(directory / f"alignments_{variant}.txt", _samples(items, hypotheses))
    save_png(error_pictures.speakers(items, answers), directory / "speakers.png", dpi=DPI,
             tight=True)
    listed = {variant: found for variant, found in answers.items() if "alternatives" in found[0]}
    if listed:
        save_png(error_pictures.oracle(items, listed), directory / "oracle.png", dpi=DPI,
                 tight=True)
    _draw_sound(test, directory)
    if isinstance(system, EmitsSymbols):
        frames = Frames(test, "test")
        middle = _middle(np.arange(len(frames)), frames)
        save_png(_spikes(system, frames[middle], items[middle]), directory / "spikes.png",
                 tight=True)
    if isinstance(system, DrawsItself):
        frames = Frames(test, "test")
        for name, picture in system.pictures(test, _middle(np.arange(len(frames)), frames)):
            save_png(picture, directory / f"{name}.png", dpi=DPI, tight=True)
    if isinstance(system, ChoseWeights) and system.vocabulary.tried:
        save_png(model_pictures.weights(system.vocabulary.tried), directory / "weights.png",
                 dpi=DPI, tight=True)
    if isinstance(system, KnowsStates):
        _draw_questions(system, directory)
        _draw_states(system, answers, test, directory)


def _draw_sound(test: Path, directory: Path) -> None:
    """From samples to features, of the track's example; DVC keeps equal files of systems once."""
    example = Example.read(test)
    if example is None:
        return
    sound = sound_pictures.Sound.of(example.front_end, example.samples)
    said = f"“{example.text}”, training utterance {example.id}"
    for name, draw in (("windows", sound_pictures.windows), ("features", sound_pictures.features)):
        save_png(draw(sound, said), directory / f"{name}.png", dpi=DPI, tight=True)


def _samples(items: list[dict[str, str]], hypotheses: list[Prediction]) -> str:
    """Alignments of utterances from all over the test set."""
    chosen = np.unique(np.linspace(0, len(items) - 1, SAMPLES).round().astype(int))
    return "\n".join(
        f"{items[index]['id']}\n"
        f"{alignment(items[index]['reference'], hypotheses[index]['hypothesis'])}\n"
        for index in chosen)


def _draw_questions(system: KnowsStates, directory: Path) -> None:
    tied = system.known()
    asked = tied.first_questions() if isinstance(tied, TiedTriphones) else []
    if asked:
        save_png(model_pictures.questions(asked), directory / "questions.png", dpi=DPI,
                 tight=True)


def _draw_states(system: KnowsStates, answers: dict[str, list[Prediction]], test: Path,
                 directory: Path) -> None:
    """The states of an utterance along what the last variant answered."""
    variant, hypotheses = list(answers.items())[-1]
    frames = Frames(test, "test")
    spoken = np.flatnonzero([bool(words_in(found["hypothesis"])) for found in hypotheses])
    if not len(spoken):
        return
    middle = _middle(spoken, frames)
    text = hypotheses[middle]["hypothesis"]
    found = followed(system.test_scores(test, middle), text, system.vocabulary.pronunciations,
                     system.known())
    if found is not None:
        save_png(state_pictures.states(found, frames[middle], system.vocabulary.frame_seconds,
                                       f"{hypotheses[middle]['id']}, answer of '{variant}'"),
                 directory / "states.png", dpi=DPI, tight=True)


def _middle(places: NDArray[np.int64], frames: Frames) -> int:
    """That of `places` whose utterance is of middle length."""
    return int(places[np.argsort(frames.lengths[places], kind="stable")[len(places) // 2]])


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
