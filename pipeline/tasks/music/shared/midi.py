"""Rolls as Standard MIDI Files, which any player and any notation program reads."""

from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np

from pipeline.storage.files import write_bytes
from pipeline.tasks.music.shared.rolls import LOWEST, Roll

STEPS_A_MINUTE = 90
_TICKS = 480  # of a step, which is a quarter note
_VELOCITY = 72
_PROGRAM = 19  # church organ
_ENDS, _BEGINS = 0, 1


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
