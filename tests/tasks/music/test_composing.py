"""Pieces that a network composes: reproducible, readable as MIDI, audible."""

from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from pipeline.errors import UserError
from pipeline.running.answering import load_folder
from pipeline.tasks.music import own
from pipeline.tasks.music.shared.composing import Composing, compose
from pipeline.tasks.music.shared.midi import Note, notes_of, write_midi
from pipeline.tasks.music.shared.rolls import KEYS, LOWEST, pitches_of, roll_of
from pipeline.tasks.music.shared.sound import SAMPLE_RATE, SECONDS_A_STEP, render, write_wav
from pipeline.tasks.music.systems import key_counts
from tests.tasks.music.models import CLASSES, SPEC, new

STEPS = [[60, 64], [60, 65], [], [60], [60], [], []]


def read_back(path: Path) -> np.ndarray:
    """The roll of a MIDI file, from mido's own events."""
    file = mido.MidiFile(path)
    (track,) = file.tracks
    now, since, notes = 0, {}, []
    for message in track:
        now += message.time
        if message.type == "note_on" and message.velocity:
            assert message.note not in since
            since[message.note] = now
        elif message.type in ("note_on", "note_off"):
            notes.append((message.note, since.pop(message.note), now))
    assert not since and now % file.ticks_per_beat == 0
    roll = np.zeros((now // file.ticks_per_beat, KEYS), np.uint8)
    for pitch, start, end in notes:
        roll[start // file.ticks_per_beat : end // file.ticks_per_beat, pitch - LOWEST] = 1
    return roll


def test_notes_by_hand() -> None:
    assert notes_of(roll_of(STEPS)) == [
        Note(60, 0, 2), Note(64, 0, 1), Note(65, 1, 2), Note(60, 3, 5)]
    assert notes_of(roll_of([[], []])) == []


@pytest.mark.parametrize("steps", [STEPS, [[21, 108]], [[], [50]], [[], []]])
def test_midi_files_read_back_to_the_same_roll(tmp_path: Path, steps: list[list[int]]) -> None:
    for name in ("one.mid", "two.mid"):
        write_midi(tmp_path / name, roll_of(steps))
    assert np.array_equal(read_back(tmp_path / "one.mid"), roll_of(steps))
    assert (tmp_path / "one.mid").read_bytes() == (tmp_path / "two.mid").read_bytes()


def test_random_rolls_survive_midi(tmp_path: Path) -> None:
    roll = (np.random.default_rng(1).random((40, KEYS)) < 0.3).astype(np.uint8)
    write_midi(tmp_path / "a.mid", roll)
    assert np.array_equal(read_back(tmp_path / "a.mid"), roll)


def test_a_note_sounds_at_its_frequency_while_it_lasts(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", roll_of([[69], [69], [], [], [57]]))
    sound, rate = soundfile.read(tmp_path / "a.wav")
    assert rate == SAMPLE_RATE and sound.ndim == 1
    assert 5 * SECONDS_A_STEP < len(sound) / rate < 6 * SECONDS_A_STEP
    assert np.abs(sound).max() == pytest.approx(0.8, abs=0.01)
    step = round(SECONDS_A_STEP * rate)
    for place, hertz in ((0, 440), (1, 440), (4, 220)):
        spectrum = np.abs(np.fft.rfft(sound[place * step : (place + 1) * step]))
        assert np.fft.rfftfreq(step, 1 / rate)[spectrum.argmax()] == pytest.approx(hertz, abs=2)
    assert np.abs(sound[3 * step : 4 * step]).max() == 0
    assert np.abs(sound[[0, 1, 2, -3, -2, -1]]).max() < 0.01  # no clicks


def test_high_notes_have_no_harmonics_beyond_the_rate_and_silence_is_silent() -> None:
    found = np.abs(np.fft.rfft(render(roll_of([[108]]))))
    frequencies = np.fft.rfftfreq(len(render(roll_of([[108]]))), 1 / SAMPLE_RATE)
    assert frequencies[found > 0.02 * found.max()].max() == pytest.approx(8372, rel=0.02)
    assert not render(roll_of([[], []])).any()


@pytest.mark.parametrize("model", list(CLASSES))
def test_the_same_seed_composes_the_same_pieces(model: str) -> None:
    system = new(model)
    first, again, other = (compose(system, Composing(3, 12, 1.0, seed)) for seed in (7, 7, 8))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert [roll.shape for roll in first] == [(12, KEYS)] * 3
    assert all(pitches_of(roll)[0] in SPEC["openings"] for roll in first)
    assert len({roll.tobytes() for roll in first}) == 3
    alone, shorter = (compose(system, Composing(*numbers, 1.0, 7))[0]
                      for numbers in ((1, 12), (2, 5)))
    assert np.array_equal(alone, first[0]) and np.array_equal(shorter, first[0][:5])


@pytest.mark.parametrize("model", list(CLASSES))
def test_temperature_zero_does_what_is_likelier(model: str) -> None:
    system = new(model)
    (roll,) = compose(system, Composing(1, 6, 0.0, opening=[60, 64, 67]))
    assert pitches_of(roll)[0] == [60, 64, 67]
    assert np.array_equal(system.expected(roll) > 0.5, roll[1:] == 1)


@pytest.mark.parametrize(("arguments", "message"), [
    ((0, 5, 1.0, 1), "at least one piece of one step, got 0 of 5"),
    ((1, 0, 1.0, 1), "at least one piece of one step, got 1 of 0"),
    ((1, 5, -1.0, 1), "temperature is 0 or more, got -1"),
    ((1, 5, float("nan"), 1), "temperature is 0 or more"),
    ((1, 5, 1.0, 1, [60, 120]), "pitch 120 is not among the piano's keys")])
def test_what_makes_no_sense_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(UserError, match=message):
        compose(new("recurrent"), Composing(*arguments))


def test_a_corpus_whose_pieces_open_with_rests_opens_with_one() -> None:
    (roll,) = compose(new("recurrent", SPEC | {"openings": []}), Composing(length=1))
    assert pitches_of(roll) == [[]]


@pytest.mark.parametrize("model", list(CLASSES))
def test_a_trained_network_composes_into_files(model: str, tmp_path: Path) -> None:
    system = new(model)
    system.save(tmp_path / "model")
    answering = load_folder(tmp_path / "model")
    wanted = answering.system.Options(count=2, length=5, temperature=0.7, seed=3)
    paths = own.write_created(answering.create(wanted), tmp_path / "out")
    assert paths == [tmp_path / f"out/composition-{number}.{ending}"
                     for number in (1, 2) for ending in ("mid", "wav")]
    for number, roll in enumerate(compose(system, wanted), start=1):
        assert np.array_equal(read_back(tmp_path / f"out/composition-{number}.mid"), roll)
        sound, _ = soundfile.read(tmp_path / f"out/composition-{number}.wav")
        assert np.abs(sound).max() > 0.5


def test_counts_do_not_compose(tmp_path: Path) -> None:
    settings = key_counts.Settings(track="t", model="key_counts", variants={
        "frequency": key_counts.Frequency(given="nothing", prior=0.5)})
    key_counts.KeyCounts(settings, {}).save(tmp_path)
    with pytest.raises(UserError, match="key_counts makes nothing of its own"):
        load_folder(tmp_path).create(None)
