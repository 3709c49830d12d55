"""Pieces of one's own: how well a model expected each step. And what it composes, as files.

A piece is a JSON list of steps, each the list of the MIDI pitches that sound, or a MIDI file
(`shared.midi` says how it is put on the grid). A step is a quarter note.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.corpora.jsb_chorales import steps_of
from pipeline.errors import UserError
from pipeline.storage.json_text import read_foreign_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.contract import OwnFile, Record, Trained
from pipeline.tasks.music.shared.items import item_of, write_items
from pipeline.tasks.music.shared.midi import read_midi
from pipeline.tasks.music.shared.pieces import write_pieces as write_created
from pipeline.tasks.music.shared.rolls import roll_of, write_rolls

__all__ = ["SHOWN", "SUFFIXES", "TAKES", "prepare", "present", "write_created"]

TAKES = "a piece: a MIDI file, or a JSON list of steps, each a list of MIDI pitches"
SUFFIXES = (".json", ".mid", ".midi")
SHOWN = ("step", "pitches", "nats")

_MIDI = b"MThd"
_LARGEST = 2**24  # bytes; a day of piano has fewer


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the rolls of all files. Raises UserError naming the step that is none."""
    pieces = [steps_of(file.name, _content(file)) for file in files]
    rolls = [roll_of(steps) for steps in pieces]
    write_rolls(folder, "test", rolls)
    write_items(folder, [item_of(file.name, roll) for file, roll in
                         zip(files, rolls, strict=True)])
    return [{"file": file.name, "pitches": steps}
            for file, steps in zip(files, pieces, strict=True)]


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """A row for each step from the second on, with the mean of the whole piece."""
    losses: list[float] = prediction["nll"]
    mean = round(math.fsum(losses) / len(losses), 6)
    for step, (pitches, nats) in enumerate(zip(item["pitches"][1:], losses, strict=True), start=2):
        yield {"file": item["file"], "step": step, "pitches": " ".join(map(str, pitches)),
               "nats": nats, "piece_mean": mean}


def _content(file: OwnFile) -> object:
    """What stands in a file, MIDI or JSON."""
    if file.path.stat().st_size > _LARGEST:
        raise UserError(f"{file.name} has more than {_LARGEST} bytes, which no piece needs; cut it")
    with file.path.open("rb") as opened:
        if opened.read(len(_MIDI)) == _MIDI:
            return read_midi(file.path.read_bytes(), file.name)
    return read_foreign_json(file.path, file.name, f"wanted is {TAKES}")
