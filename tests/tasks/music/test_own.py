"""Pieces of one's own: expected as in the suite, whether JSON or MIDI, or refused by their step."""

import struct
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import mido
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.systems.base import Run, System
from pipeline.tasks.music.shared.midi import read_midi, write_midi
from pipeline.tasks.music.shared.rolls import KEYS, pitches_of, roll_of
from pipeline.tasks.music.systems import key_counts
from tests.tasks.answers import answers, written
from tests.tasks.music.models import new
from tests.tasks.music.raw import write_raw
from tests.tasks.music.test_key_counts import VARIANTS

PIECE = [[60, 67], [62, 69], [], [60]]


def system_of(model: str, extracted: Path) -> System:
    spec = read_json(extracted / "fit/spec.json")
    if model != "key_counts":
        return new(model, spec)
    system = key_counts.KeyCounts(key_counts.Settings.model_validate(
        {"track": "t", "model": model, "variants": VARIANTS}), spec)
    system.fit(extracted / "fit", Run(seed=1, work=extracted))
    return system


@pytest.mark.parametrize(("model", "variant"), [
    ("recurrent", None), ("time_note", None), ("key_counts", "last-step")])
def test_the_test_pieces_are_expected_as_in_the_suite(model: str, variant: str | None,
                                                      extracted: Path, tmp_path: Path) -> None:
    system = system_of(model, extracted)
    files = write_raw(extracted / "test", tmp_path, tmp_path)
    found: dict[str, list[float]] = {}
    for row in answers(system, files, tmp_path / "model", variant):
        found.setdefault(row["file"], []).append(row["nats"])
    settings = system.settings.variants[variant] if variant else None
    assert list(found.values()) == [
        one["nll"] for one in system.predict(extracted / "test", settings)]
    assert list(found) == [str(file) for file in files]


def test_rows_say_what_sounded_and_the_piece_s_mean(extracted: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "own.json", "\ufeff[[67, 60],\r\n[62, 69, 62], [], [60]]\r\n")
    rows = answers(system_of("recurrent", extracted), [file], tmp_path / "model")
    assert [(row["step"], row["pitches"]) for row in rows] == [(2, "62 69"), (3, ""), (4, "60")]
    mean = np.mean([row["nats"] for row in rows])
    assert [row["piece_mean"] for row in rows] == pytest.approx([mean] * 3, abs=1e-6)


def test_a_midi_file_is_the_piece_that_it_holds(extracted: Path, tmp_path: Path) -> None:
    system = system_of("recurrent", extracted)
    write_midi(tmp_path / "own.mid", roll_of(PIECE))
    both = answers(system, [written(tmp_path / "own.json", str(PIECE)), tmp_path / "own.mid"],
                   tmp_path / "model")
    first, second = both[:3], both[3:]
    assert [row["nats"] for row in first] == [row["nats"] for row in second]


def midi(events: Sequence[tuple], ticks: int = 96, end: int = 0, **options: int) -> bytes:
    """A MIDI file of (tick, pitch, velocity[, channel]) events that ends `end` ticks later."""
    track, now = mido.MidiTrack(), 0
    for tick, pitch, velocity, *channel in events:
        track.append(mido.Message("note_on", note=pitch, velocity=velocity, time=tick - now,
                                  channel=channel[0] if channel else 0))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=end))
    content = BytesIO()
    mido.MidiFile(ticks_per_beat=ticks, tracks=[track], **options).save(file=content)
    return content.getvalue()


def test_random_rolls_are_read_back(tmp_path: Path) -> None:
    roll = (np.random.default_rng(1).random((40, KEYS)) < 0.3).astype(np.uint8)
    write_midi(tmp_path / "a.mid", roll)
    assert read_midi((tmp_path / "a.mid").read_bytes(), "a") == pitches_of(roll)


def test_time_is_put_on_the_grid_of_quarter_notes() -> None:
    events = sorted([
        (5, 60, 80), (100, 60, 0),  # a quarter note, a little late
        (96, 62, 80), (144, 62, 0),  # an eighth on the beat
        (144, 64, 80), (192, 64, 0),  # one off the beat, which no step sees
        (185, 65, 80), (385, 65, 0),  # two quarters, a little early
        (192, 35, 80, 9), (288, 35, 0, 9),  # a drum
        (288, 67, 80, 1), (290, 67, 90, 1)])  # struck twice, and never ended
    assert read_midi(midi(events), "own.mid") == [[60], [62], [65], [65, 67]]
    assert read_midi(midi(events, end=95), "own.mid") == [[60], [62], [65], [65, 67], [67]]


def by_hand(*tracks: bytes, kind: int = 1, ticks: int = 96) -> bytes:
    """A MIDI file of these tracks' bytes, as the standard lays it out."""
    head = b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks), ticks)
    return head + b"".join(b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)


END = b"\0\xff\x2f\0"


def test_tracks_tempo_and_running_status_are_understood() -> None:
    tempo = b"\0\xff\x51\x03\x07\xa1\x20" + b"\x60\xff\x51\x03\x0f\x42\x40" + END
    # A status byte is left out where it is that of the event before; velocity 0 ends a note.
    upper = b"\0\x90\x3c\x40" + b"\x60\x3c\0" + b"\0\x3e\x40" + b"\x60\x3e\0" + END
    lower = b"\0\x91\x30\x40" + b"\x81\x40\x81\x30\x40" + END
    assert read_midi(by_hand(tempo, upper, lower), "own.mid") == [[48, 60], [48, 62]]
    never_ended = b"\0\x90\x3c\x40" + b"\x81\x40\xff\x2f\0"
    assert read_midi(by_hand(never_ended, kind=0), "own.mid") == [[60], [60]]


@pytest.mark.parametrize(("content", "message"), [
    (by_hand(END, ticks=0), "counts time in frames"),
    (by_hand(END, ticks=0xE728), "counts time in frames"),
    (by_hand(END, kind=2), "tracks that do not belong together"),
    (by_hand(END, kind=7), "tracks that do not belong together"),
    (by_hand(b"\xff\xff\xff\x7f\x90\x3c\x40" * 9 + END, ticks=1), "quarter notes, and 100000"),
    (by_hand(b"\0\x3c\x40" + END), "cannot be read as a MIDI file"),
    (by_hand(b"\0\xf0\xff\xff\xff\x7f"), "cannot be read as a MIDI file"),
    (by_hand(), "expected a list of at least two steps"),
    (b"[[60], [" + b"9" * 5000 + b"]]", "own.json, line 1: not valid JSON .Exceeds the limit"),
    (b"MThd" + bytes(2**24), "has more than 16777216 bytes"),
])
def test_pieces_that_are_none_are_named(content: bytes, message: str, extracted: Path,
                                        tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        answers(system_of("key_counts", extracted), [written(tmp_path / "own.json", content)],
                tmp_path / "model", "frequency")


@pytest.mark.parametrize(("content", "message"), [
    ("", "own.json is empty"),
    ("[[60], [62]", "own.json, line 1: not valid JSON"),
    ("[[60],\n[62],\nx]", "own.json, line 3: not valid JSON"),
    ("[" * 5_000, "own.json, line 1: not valid JSON"),
    ("{}", "own.json: expected a list of at least two steps"),
    ("[[60]]", "own.json: expected a list of at least two steps"),
    ("[[60], 62]", "own.json, step 2: expected MIDI pitches from 21 to 108, got 62"),
    ("[[60], [200]]", r"own.json, step 2: expected MIDI pitches from 21 to 108, got \[200\]"),
    ("[[60], [NaN]]", "own.json, line 1: not valid JSON .NaN is no number of JSON"),
    (b"MThd", "own.json cannot be read as a MIDI file"),
    (midi([(0, 60, 80), (96, 60, 0)])[:-20], "own.json cannot be read as a MIDI file"),
    (midi([(0, 60, 80), (96, 60, 0)]), "own.json: expected a list of at least two steps"),
    (midi([(0, 12, 80), (960, 12, 0)]), "own.json, step 1: expected MIDI pitches"),
    (midi([(0, 60, 80), (960, 60, 0)], ticks=-6360), "own.json counts time in frames"),
    (midi([(0, 60, 80), (960, 60, 0)], type=2), "own.json counts time in frames, or has tracks"),
    (midi([(0, 60, 80), (2**27, 60, 0)], ticks=1), "own.json lasts 134217728 quarter notes"),
])
def test_what_is_no_piece_is_named(content: str | bytes, message: str, extracted: Path,
                                   tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        answers(system_of("key_counts", extracted), [written(tmp_path / "own.json", content)],
                tmp_path / "model", "frequency")
