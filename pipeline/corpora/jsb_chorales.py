"""Bach's chorales as sets of pitches on a quarter-note grid, and their embedded twin.

The 382 chorales that Allan and Williams 2005 ("Harmonising Chorales by Probabilistic Inference")
collected, with the split of Boulanger-Lewandowski et al. 2012 ("Modeling Temporal Dependencies in
High-Dimensional Sequences"), as Huang et al. 2017 publish them: one JSON object of the lists
"train", "valid" and "test"; a piece is a list of steps, a step the list of the MIDI pitches that
sound, empty in a rest. The twin is the same file with chorales of
`pipeline.corpora.twins.harmony`, and beside it `notes.json`: the exact negative log-probability of
each step of the test pieces but the first, in nats.
"""

import json
from pathlib import Path
from random import Random
from typing import Any, Literal, Self

from pydantic import Field

from pipeline.corpora.fetching.files import fetch, listing
from pipeline.corpora.kinds import Piece
from pipeline.corpora.twins.harmony.phrases import Form
from pipeline.corpora.twins.harmony.process import Chorales
from pipeline.entries import CorpusSettings, Twin
from pipeline.errors import UserError
from pipeline.storage.files import write_json, write_text
from pipeline.storage.json_text import read_foreign_json

Split = Literal["train", "valid", "test"]

NAME = "jsb-chorales-quarter.json"
NOTES = "notes.json"
LOWEST, HIGHEST = 21, 108  # MIDI pitches of a piano's 88 keys

FILES = listing(
    "jsb", "https://raw.githubusercontent.com/czhuang/JSB-Chorales-dataset/master",
    {NAME: (407200, "2db9329f1881a1d3f49703ec556bf1d6f84b4f6c1d702c156536e93cf31e1c91")})


class TwinSettings(Twin):
    """The embedded twin: pieces of each split, and their style (see `twins.harmony`)."""

    seed: int = Field(ge=0)
    train: int = Field(ge=1)
    valid: int = Field(ge=1)
    test: int = Field(ge=1)
    phrases: int = Field(ge=1, le=20)
    chords: int = Field(ge=4, le=40, description="chords of a phrase")
    hold: float = Field(ge=0, lt=1, description="probability that a chord is held for a step")
    passing: float = Field(ge=0, lt=1, description="of a passing note where one is possible")
    breath: float = Field(ge=0, lt=1, description="of an empty step after a phrase")

    def smallest(self) -> Self:
        return self.model_copy(update={"train": 12, "valid": 3, "test": 3, "phrases": 2,
                                       "chords": 4})

    @property
    def style(self) -> Chorales:
        return Chorales(Form(self.phrases, self.chords), self.hold, self.passing, self.breath)


class Settings(CorpusSettings):
    """Downloaded (`twin: null`) or generated."""

    twin: TwinSettings | None


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the file, and the twin's notes beside it, into `directory`."""
    twin = settings.twin
    if twin is None:
        fetch(FILES, directory, mirror)
        return
    splits = {}
    for split, size in (("train", twin.train), ("valid", twin.valid), ("test", twin.test)):
        random = Random(f"{split} {twin.seed}")
        splits[split] = [twin.style.compose(random) for _ in range(size)]
    write_text(directory / NAME, json.dumps(splits, separators=(",", ":")) + "\n")
    write_json(directory / NOTES, {"test": [twin.style.nats(piece) for piece in splits["test"]]})


def pieces(directory: Path, split: Split) -> list[Piece]:
    """The pieces of a split, all pitches those of a piano.

    Raises UserError naming file, split, piece and step (from 1) of what breaks the format.
    """
    path = directory / NAME
    found = read_foreign_json(path)
    listed = found.get(split) if isinstance(found, dict) else None
    if not isinstance(listed, list) or not listed:
        raise UserError(f"{path}: expected an object with a list of pieces {split!r}; fetch or "
                        "generate the corpus again")
    notes = _notes(directory, split, listed)
    where = f"{path}, {split}, piece"
    return [Piece(f"{split}-{number:04d}", steps_of(f"{where} {number}", piece), nats)
            for number, (piece, nats) in enumerate(zip(listed, notes, strict=True), start=1)]


def steps_of(where: str, piece: Any) -> list[list[int]]:
    """A piece as JSON has it, the pitches of each step ascending.

    Raises UserError naming `where` and the step (from 1) that is no list of a piano's pitches.
    """
    if not isinstance(piece, list) or len(piece) < 2:
        raise UserError(f"{where}: expected a list of at least two steps; mend or remove the piece")
    for number, step in enumerate(piece, start=1):
        if not isinstance(step, list) or not all(
                type(pitch) is int and LOWEST <= pitch <= HIGHEST for pitch in step):
            raise UserError(f"{where}, step {number}: expected MIDI pitches from {LOWEST} "
                            f"to {HIGHEST}, got {json.dumps(step)[:60]}; mend the step")
    return [sorted(set(step)) for step in piece]


def _notes(directory: Path, split: Split, listed: list[Any]) -> list[list[float] | None]:
    """The nats of each piece where there are notes about the split."""
    path = directory / NOTES
    notes = read_foreign_json(path).get(split) if path.exists() else None
    if notes is None:
        return [None] * len(listed)
    if [len(nats) + 1 for nats in notes] != [len(piece) for piece in listed]:
        raise UserError(f"{path} does not fit the pieces of {split!r}; generate the corpus again")
    return notes
