"""Rolls as Standard MIDI Files, which any player and any notation program reads, and back.

A file is read on a grid of quarter notes, as the corpora are made: a key sounds at a step if it
sounds shortly after that quarter begins. Shortly, because people play and programs export a little
late; what is gone again by then, or begins later in the quarter, is left out.
"""

import math
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np

from pipeline.errors import UserError
from pipeline.storage.files import write_bytes
from pipeline.tasks.music.shared.rolls import LOWEST, Roll

STEPS_A_MINUTE = 90
_TICKS = 480  # of a step, which is a quarter note
_VELOCITY = 72
_PROGRAM = 19  # church organ
_ENDS, _BEGINS = 0, 1
_LATE = 1 / 8  # of a quarter note
_DRUMS = 9  # the channel of General MIDI whose notes are no pitches
_LONGEST = 100_000  # steps
_PITCHES = 128


class Note(NamedTuple):
    """A key that sounds from step `start` up to step `end`."""

    pitch: int
    start: int
    end: int


def notes_of(roll: Roll) -> list[Note]:
    """The notes of a roll by start and pitch; a key that sounds on is one note."""
    edges = np.diff(np.pad(roll.astype(np.int8), ((1, 1), (0, 0))), axis=0)
    found = []
    for key in np.flatnonzero(roll.any(axis=0)):
        starts, ends = np.flatnonzero(edges[:, key] > 0), np.flatnonzero(edges[:, key] < 0)
        found += [Note(int(key) + LOWEST, int(start), int(end))
                  for start, end in zip(starts, ends, strict=True)]
    return sorted(found, key=lambda note: (note.start, note.pitch))


def write_midi(path: Path, roll: Roll) -> None:
    """One track, a quarter note a step; silence at the end lasts as long as in the roll."""
    events = sorted(event for note in notes_of(roll) for event in (
        (note.start, _BEGINS, note.pitch), (note.end, _ENDS, note.pitch)))
    track = mido.MidiTrack([
        mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(STEPS_A_MINUTE)),
        mido.Message("program_change", program=_PROGRAM)])
    now = 0
    for step, kind, pitch in events:
        track.append(mido.Message("note_on" if kind == _BEGINS else "note_off", note=pitch,
                                  velocity=_VELOCITY, time=(step - now) * _TICKS))
        now = step
    track.append(mido.MetaMessage("end_of_track", time=(len(roll) - now) * _TICKS))
    file = mido.MidiFile(type=0, ticks_per_beat=_TICKS, tracks=[track])
    content = BytesIO()
    file.save(file=content)
    write_bytes(path, content.getvalue())


def read_midi(content: bytes, name: str) -> list[list[int]]:
    """The MIDI pitches of each step; `name` is how errors call the file.

    Raises UserError for what is no MIDI file, or one whose time is not counted in quarter notes.
    """
    try:
        file = mido.MidiFile(file=BytesIO(content), clip=True)
    except (OSError, EOFError, ValueError, LookupError, mido.KeySignatureError) as error:
        raise UserError(f"{name} cannot be read as a MIDI file ({error}); export it again"
                        ) from None
    if file.ticks_per_beat <= 0 or file.type not in (0, 1):
        raise UserError(f"{name} counts time in frames, or has tracks that do not belong together;"
                        " export it as a MIDI file of type 0 or 1 with ticks a quarter note")
    notes = [Note(pitch, _step(start, file), _step(end, file))
             for pitch, start, end in _held(mido.merge_tracks(file.tracks))]
    length = _step(sum(message.time for message in mido.merge_tracks(file.tracks)), file)
    if length > _LONGEST:
        raise UserError(f"{name} lasts {length} quarter notes, and {_LONGEST} are read at most; "
                        "cut it")
    sounding = np.zeros((length, _PITCHES), bool)
    for note in notes:
        sounding[note.start : note.end, note.pitch] = True
    return [np.flatnonzero(step).tolist() for step in sounding]


def _step(ticks: int, file: mido.MidiFile) -> int:
    """The first step that is read at or after a moment."""
    return max(0, math.ceil(ticks / file.ticks_per_beat - _LATE))


def _held(messages: mido.MidiTrack) -> Iterator[tuple[int, int, int]]:
    """Pitch, begin and end of each note in ticks; one that never ends ends with the file."""
    now = 0
    begun: dict[tuple[int, int], int] = {}
    for message in messages:
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == _DRUMS:
            continue
        key = message.channel, message.note
        if key in begun:
            yield message.note, begun.pop(key), now
        if message.type == "note_on" and message.velocity:
            begun[key] = now
    for (_, pitch), start in begun.items():
        yield pitch, start, now
