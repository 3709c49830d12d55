"""Recordings of one's own: transcribed as in the suite, whatever their format, or refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from pipeline.audio.frames import Frames
from pipeline.corpora import librispeech
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.asr import own
from pipeline.tasks.asr.features import Settings as FeatureSettings
from pipeline.tasks.asr.features import extract
from pipeline.tasks.asr.systems.bilstm_ctc import BilstmCtc, Settings
from pipeline.tasks.contract import OwnFile, Trained
from tests.tasks.answers import answers, written
from tests.tasks.asr.corpus import FEATURES, PITCH, RATE
from tests.tasks.asr.raw import write_raw
from tests.tasks.asr.test_bilstm_ctc import SETTINGS
from tests.tasks.asr.timed import SPEC, record


def fitted(features: Path, work: Path) -> BilstmCtc:
    torch.manual_seed(0)
    system = BilstmCtc(Settings.model_validate(SETTINGS), read_json(features / "fit/spec.json"))
    system.fit(features / "fit", Run(seed=1, work=work))
    return system


@pytest.fixture(scope="module")
def system(features: Path, tmp_path_factory: pytest.TempPathFactory) -> BilstmCtc:
    return fitted(features, tmp_path_factory.mktemp("work"))


def sound(text: str, rate: int) -> np.ndarray:
    """As the corpus has it, without noise, at another rate."""
    time, pause = np.arange(int(0.05 * rate)) / rate, np.zeros(int(0.03 * rate))
    return np.concatenate([part for letter in text for part in (
        0.5 * np.sin(2 * np.pi * PITCH[letter] * time), pause)])


@pytest.mark.parametrize("variant", ["greedy", "words"])
def test_the_test_recordings_are_transcribed_as_in_the_suite(
        variant: str, system: BilstmCtc, corpus: Path, features: Path, tmp_path: Path) -> None:
    files = write_raw(features / "test", tmp_path, corpus)
    rows = answers(system, files, tmp_path / "model", variant)
    expected = list(system.predict(features / "test", system.settings.variants[variant]))
    assert [row["hypothesis"] for row in rows] == [one["hypothesis"] for one in expected]
    assert [row["file"] for row in rows] == [str(file) for file in files]
    assert len({row["hypothesis"] for row in rows}) > 5


@pytest.mark.parametrize("changes", [{"normalise": "utterance"}, {"front_end": {
    **FEATURES["front_end"], "kind": "mfcc", "coefficients": 5, "deltas": 2}}])
def test_frames_are_those_of_the_features(changes: dict, corpus: Path, tmp_path: Path) -> None:
    extract(FeatureSettings.model_validate({**FEATURES, **changes}), corpus, librispeech,
            tmp_path / "fit", tmp_path / "test")
    files = write_raw(tmp_path / "test", tmp_path / "raw", corpus)
    own.prepare([OwnFile(str(file), file) for file in files],
                Trained(read_json(tmp_path / "fit/spec.json"), tmp_path), tmp_path / "own")
    for name in ("test.frames.npy", "test.offsets.npy"):
        assert (tmp_path / "own" / name).read_bytes() == (tmp_path / "test" / name).read_bytes()


@pytest.mark.parametrize(("name", "rate", "channels"), [
    ("a.wav", 44_100, 2), ("a.flac", 48_000, 1), ("a.ogg", 22_050, 2), ("a.mp3", 44_100, 2),
    ("a.WAV", 16_000, 1)])
def test_any_recording_is_heard(name: str, rate: int, channels: int, system: BilstmCtc,
                                tmp_path: Path) -> None:
    text = "CAB ABC BA"
    samples = np.repeat(sound(text, rate)[:, None], channels, axis=1)
    samples += np.random.default_rng(1).normal(0, 0.01, samples.shape)
    soundfile.write(tmp_path / name, samples, rate, format=name[2:].upper())
    (row,) = answers(system, [tmp_path / name], tmp_path / "model", "words")
    assert row["hypothesis"] == text
    assert row["seconds"] == pytest.approx(len(text) * 0.08, abs=0.12)


@pytest.mark.parametrize(("rate", "channels", "seconds"), [
    (RATE, 1, 0.05), (8_000, 1, 0.05), (48_000, 2, 0.05), (48_000, 2, 3.0), (8_000, 1, 600.0)])
def test_a_recording_of_any_rate_and_length_becomes_the_same_frames(
        rate: int, channels: int, seconds: float, tmp_path: Path) -> None:
    """Frames of a tone of 1000 Hz are loudest in the filter that it falls into."""
    path = record(tmp_path / "own.wav", (0.0, seconds), seconds=seconds, rate=rate)
    soundfile.write(path, np.repeat(soundfile.read(path)[0][:, None], channels, axis=1), rate)
    found = own.prepare([OwnFile("own.wav", path)], Trained(SPEC, tmp_path), tmp_path)
    assert all((one["file"], one["seconds"]) == ("own.wav", seconds) for one in found)
    pieces = Frames(tmp_path, "test")
    assert (len(found) == 1) == (seconds <= own.LONGEST) and len(pieces) == len(found)
    assert max(pieces.lengths) <= own.LONGEST * 100
    frames = np.asarray(pieces.rows)
    # A piece has as many frames as there are whole windows in it, one in 10 ms.
    assert (1 + round(seconds * RATE - 400) // 160) - len(frames) == pytest.approx(
        2 * (len(found) - 1), abs=len(found) - 1)
    # Filter centres are equally far apart on the mel scale between 100 and 7000 Hz.
    low, high, tone = (1127 * np.log(1 + hertz / 700) for hertz in (100.0, 7000.0, 1000.0))
    assert (frames[1:].argmax(axis=1) == round((tone - low) / (high - low) * 13) - 1).all()


def test_a_long_recording_is_heard_in_pieces_cut_in_its_pauses(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tones = [(0.0, 19.0), (20.0, 39.0), (40.0, 44.0)]
    seconds = 45.0
    path = record(tmp_path / "long.wav", *tones, seconds=seconds, rate=RATE)
    trained = Trained(SPEC, tmp_path)
    items = own.prepare([OwnFile("long.wav", path)], trained, tmp_path)
    assert len(items) == 2
    first, second = (len(Frames(tmp_path, "test")[index]) for index in range(2))
    # The cut lies in the second between the first two tones, and each piece lacks a window's end.
    assert 1897 <= first <= 1998 and first + second == pytest.approx(seconds * 100 - 4, abs=2)
    [line] = capsys.readouterr().err.splitlines()
    assert line == ("note: long.wav is heard in 2 pieces of at most 30 s, cut where nobody speaks; "
                    "a language model begins anew in each")
    heard = [{"hypothesis": "YES NO", "alternatives": [], "words": [
        {"word": "YES", "begin": 0.5, "end": 1.0, "confidence": 0.9},
        {"word": "NO", "begin": 1.0, "end": 1.5, "confidence": 0.8}]},
        {"hypothesis": "GO", "alternatives": [], "words": [
            {"word": "GO", "begin": 2.0, "end": 2.25, "confidence": 0.7}]}]
    rows = [row for item, one in zip(items, heard, strict=True)
            for row in own.present(item, one, trained)]
    [row] = rows
    assert (row["file"], row["seconds"], row["hypothesis"]) == ("long.wav", 45.0, "YES NO GO")
    assert [word["word"] for word in row["words"]] == ["YES", "NO", "GO"]
    cut = row["words"][2]["begin"] - 2.0
    assert 19.0 < cut < 20.0 and row["words"][0]["begin"] == 0.5
    assert row["words"][2]["end"] == pytest.approx(cut + 2.25)
    assert set(row) == {"file", "seconds", "hypothesis", "words"}


def test_where_nobody_pauses_it_is_said_that_a_word_may_be_lost(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = record(tmp_path / "a.wav", (0.0, 70.0), seconds=70.0, rate=RATE)
    items = own.prepare([OwnFile("a.wav", path)], Trained(SPEC, tmp_path), tmp_path)
    said = capsys.readouterr().err
    assert f"heard in {len(items)} pieces" in said and len(items) >= 3
    assert f"{len(items) - 1} of the cuts had no pause to go through" in said


@pytest.mark.parametrize("normalise", ["none", "utterance", "speaker"])
def test_recordings_without_speech_are_speakers_of_their_own(normalise: str,
                                                             tmp_path: Path) -> None:
    files = [OwnFile(name, record(tmp_path / name, seconds=seconds))
             for name, seconds in (("a.wav", 0.05), ("b.wav", 2.0))]
    own.prepare(files, Trained({**SPEC, "normalise": normalise}, tmp_path), tmp_path)
    assert read_json(tmp_path / "test.items.json") == [
        {"id": "a.wav", "speaker": "0"}, {"id": "b.wav", "speaker": "1"}]
    assert all(np.isfinite(Frames(tmp_path, "test")[index]).all() for index in range(2))


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_a_recording_that_is_too_short_at_its_own_rate_is_named(rate: int, tmp_path: Path) -> None:
    file = OwnFile("own.wav", record(tmp_path / "own.wav", seconds=0.02, rate=rate))
    with pytest.raises(UserError, match=rf"own.wav: {rate // 50} samples, 0.020 s, are too short; "
                                        "give a recording of at least 400 samples at 16000 Hz"):
        own.prepare([file], Trained(SPEC, tmp_path), tmp_path)


@pytest.mark.parametrize(("content", "message"), [
    ("", "own.wav"), ("these are words", "own.wav cannot be read as audio")])
def test_what_is_no_audio_is_named(content: str, message: str, system: BilstmCtc,
                                   tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        answers(system, [written(tmp_path / "own.wav", content)], tmp_path / "model", "greedy")


def test_a_recording_of_less_than_a_frame_is_named(system: BilstmCtc, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "own.wav", np.zeros(399), RATE)
    with pytest.raises(UserError, match="own.wav.*too short"):
        answers(system, [tmp_path / "own.wav"], tmp_path / "model", "greedy")


@pytest.mark.parametrize("variant", SETTINGS["variants"])
def test_an_utterance_of_less_than_a_stack_has_an_empty_hypothesis_and_is_named(
        variant: str, system: BilstmCtc, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / f"{length}.wav" for length in (400, 16_000, 560, 720)]
    for file in files:
        soundfile.write(file, sound("CAB AB", RATE)[: int(file.stem)], RATE)
    rows = answers(system, files, tmp_path / "model", variant)
    assert system.settings.stack == 2 and rows[0]["hypothesis"] == ""
    said = capsys.readouterr().err
    assert f"{files[0]} is too short: 1 frames" in said and said.count("too short") == 1
    (short,) = answers(system, files[:1], tmp_path / "short", variant)
    assert short["hypothesis"] == ""
    (alone,) = answers(system, files[1:2], tmp_path / "again", variant)
    assert alone["hypothesis"] == rows[1]["hypothesis"] != ""
