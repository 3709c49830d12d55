"""Figures of a recogniser: its errors by word and by speaker, and what it hears when.

A system that emits symbols shows when (CTC's spikes); one that chose how far it trusts a language
model, how sharp that choice is; one whose words are phones of hidden states shows which state each
frame is in and what its trees ask first; one of two passes, what the second adds. How sound becomes
features is the same for all systems of a track, and so is the utterance whose spikes or states are
shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.audio.frames import Frames
from pipeline.drawing.items import write_items
from pipeline.drawing.parts import bar_where_missing, title
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import Styled
from pipeline.hmm.tying import TiedTriphones
from pipeline.storage.files import read_json, write_text
from pipeline.storage.predictions import Prediction, aligned
from pipeline.storage.words import words_in
from pipeline.suite.places import PLAIN
from pipeline.systems.base import System
from pipeline.tasks.asr.scoring import aligned_words
from pipeline.tasks.asr.shared import (
    error_pictures,
    model_pictures,
    rescoring_pictures,
    sound_pictures,
    state_pictures,
    timed_pictures,
)
from pipeline.tasks.asr.shared.example import Example
from pipeline.tasks.asr.shared.grids import Tried
from pipeline.tasks.asr.shared.second_pass import SecondPass
from pipeline.tasks.asr.shared.state_pictures import KnowsStates, followed
from pipeline.tasks.asr.shared.vocabulary import seconds

SAMPLES = 20
TIMED = ("spikes", "states")  # not cut, so that their axes of time stand in the same place
Picture = tuple[str, Figure]
PictureOf = tuple[str, Figure, str | None]
# What pictures show that systems draw of themselves, without saying of which row they are.
_OWN = {"attention": "Where in the sound each letter comes from, by", "places":
        "Where in a text letters are misheard, by", "training":
        "What a transcript cost and where its symbols moved while training", "paths":
        "The likeliest path (left) need not make the likeliest text (right); two frames, made up"}
_OF_NO_ROW = ("paths",)
_OF_ONE_UTTERANCE = ("attention",)  # the others are of all, of none, or of one in training
EVALUATION = {"equal": "", "substitute": "S", "delete": "D", "insert": "I"}


@runtime_checkable
class DrawsItself(Protocol):
    """A system that has pictures of its own."""

    def pictures(self, test: Path, place: int) -> Iterator[Picture]:
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

    spec: dict[str, Any]

    def emissions(self, utterances: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Log-probabilities [steps, 1 + symbols] of each utterance, blank first."""

    def text(self, symbols: list[int]) -> str:
        """Text of symbol ids."""


@runtime_checkable
class AnswersTwice(Protocol):
    """A system of which some variants score again what a first pass found."""

    second: SecondPass | None


@Styled()
def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write alignments_<variant>.txt for each variant, speakers.png, windows.png and features.png.

    Answers with alternatives have oracle.png; with CTC there is spikes.png of one utterance; with
    tied states states.png of the same, if it is answered, and, of triphones, questions.png; where
    weights were chosen, weights.png, and with two passes mixes.png; and a system may have others.
    Which utterance a picture of one is of stands beside them (`pipeline.drawing.items`).
    """
    items = read_json(test / "test.items.json")
    ids = [item["id"] for item in items]
    answers = {variant: aligned(found, ids) for variant, found in predictions.items()}
    for variant, hypotheses in answers.items():
        write_text(directory / f"alignments_{variant}.txt", _samples(items, hypotheses))
    row = row_of(directory)
    for name, picture in chain(_errors(items, answers, row), _sound(test), _learnt(system, row)):
        save(picture, directory, name)
    shown: dict[str, str] = {}
    for name, picture, identity in _heard(system, items, answers, test, row):
        save(picture, directory, name, cut=name not in TIMED)
        if identity is not None:
            shown[name] = identity
    write_items(directory, shown)


def _errors(items: list[dict[str, str]],
            answers: dict[str, list[Prediction]], row: str) -> Iterator[Picture]:
    yield "speakers", error_pictures.speakers(items, answers, row)
    listed = {variant: found for variant, found in answers.items() if "alternatives" in found[0]}
    if listed:
        yield "oracle", error_pictures.oracle(items, listed, row)


def _sound(test: Path) -> Iterator[Picture]:
    """From samples to features, of the track's example; DVC keeps equal files of systems once."""
    example = Example.read(test)
    if example is None:
        return
    sound = sound_pictures.Sound.of(example.front_end, example.samples)
    said = f"“{example.text}”, training utterance {example.id}"
    yield "windows", sound_pictures.windows(sound, f"What a window does to a frame of {said}")
    yield "features", sound_pictures.features(sound, f"From samples to mel cepstra: {said}")


def _learnt(system: System, row: str) -> Iterator[Picture]:
    """What training found beside the weights of layers."""
    if isinstance(system, ChoseWeights) and system.vocabulary.tried:
        yield "weights", model_pictures.weights(system.vocabulary.tried, row)
    if isinstance(system, AnswersTwice) and system.second is not None and system.second.trials:
        yield "mixes", rescoring_pictures.mixes(system.second.trials, row)
    tied = system.known() if isinstance(system, KnowsStates) else None
    asked = tied.first_questions() if isinstance(tied, TiedTriphones) else []
    if asked:
        yield "questions", model_pictures.questions(asked, row)


def _heard(system: System, items: list[dict[str, str]], answers: dict[str, list[Prediction]],
           test: Path, row: str) -> Iterator[PictureOf]:
    """What the system makes of one utterance, which is the same for all systems of a track.

    Beside name and picture stands the id of the utterance, or None where a picture is not of one.
    """
    if not isinstance(system, EmitsSymbols | DrawsItself | KnowsStates):
        return
    frames = Frames(test, "test")
    place = _middle([item["reference"] for item in items], frames)
    identity = items[place]["id"]
    if isinstance(system, EmitsSymbols):
        picture = timed_pictures.spikes(
            frames[place], seconds(system.spec), np.exp(system.emissions([frames[place]])[0]),
            lambda symbol: system.text([symbol]),
            f"Which letters {row} hears when in {identity}, “{items[place]['reference']}”")
        yield "spikes", picture, identity
    if isinstance(system, DrawsItself):
        for name, picture in system.pictures(test, place):
            _finish(picture, name, row)
            yield name, picture, identity if name in _OF_ONE_UTTERANCE else None
    if isinstance(system, KnowsStates):
        yield from _states(system, answers, test, place, row)


def _finish(picture: Figure, name: str, row: str) -> None:
    """Add what pictures lack that systems draw of themselves."""
    bar_where_missing(picture, "value of a feature")
    if name in _OWN:
        title(picture, _OWN[name] if name in _OF_NO_ROW else f"{_OWN[name]} {row}")
    if name == "paths":
        for axes, what in zip(picture.axes, ("path (–: blank)", "text"), strict=True):
            axes.set(ylabel=what)
    if name == "places":
        picture.axes[0].autoscale(axis="x")  # its last bar is whole


def _states(system: KnowsStates, answers: dict[str, list[Prediction]], test: Path,
            place: int, row: str) -> Iterator[PictureOf]:
    """The states of an utterance along what the last variant answered.

    It is that of `place`, or if no word was heard there, another one in which some were.
    """
    variant, hypotheses = list(answers.items())[-1]
    frames = Frames(test, "test")
    texts = [found["hypothesis"] for found in hypotheses]
    if not words_in(texts[place]):
        place = _middle(texts, frames)
    if not words_in(texts[place]):
        return
    found = followed(system.test_scores(test, place), texts[place],
                     system.vocabulary.pronunciations, system.known())
    if found is not None:
        identity = hypotheses[place]["id"]
        picture = state_pictures.states(
            found, frames[place], system.vocabulary.frame_seconds,
            f"Which state of a phone each frame of {identity} is in, along what "
            f"{row}{'' if variant == PLAIN else ':' + variant} answered")
        yield "states", picture, identity


def _middle(texts: list[str], frames: Frames) -> int:
    """Which utterance is of middle length among those with words, or among all if none has any."""
    spoken = np.flatnonzero([bool(words_in(text)) for text in texts])
    places = spoken if len(spoken) else np.arange(len(texts))
    return int(places[np.argsort(frames.lengths[places], kind="stable")[len(places) // 2]])


def _samples(items: list[dict[str, str]], hypotheses: list[Prediction]) -> str:
    """Alignments of utterances from all over the test set."""
    chosen = np.unique(np.linspace(0, len(items) - 1, SAMPLES).round().astype(int))
    return "\n".join(
        f"{items[index]['id']}\n"
        f"{alignment(items[index]['reference'], hypotheses[index]['hypothesis'])}\n"
        for index in chosen)


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
