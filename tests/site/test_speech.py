"""Sounds beside answers: recordings as they were heard, voices that read, and when each word is."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.site.answers import shown
from pipeline.site.items import Item
from pipeline.site.speech import read_out, recording
from pipeline.storage.files import write_json
from pipeline.suite.schema import load
from tests.conftest import ROOT

RATE = 16_000


def recorded(project: Path, corpus: str, seconds: float) -> None:
    folder = project / "data" / corpus / "LibriSpeech/test/1/1"
    folder.mkdir(parents=True)
    times = np.arange(int(seconds * RATE)) / RATE
    soundfile.write(folder / "1-1-0000.flac", 0.5 * np.sin(2 * np.pi * 500 * times), RATE)
    write_json(folder / "1-1.alignment.json", {"1-1-0000": {
        "phones": [["AA", 0.0, seconds]], "words": [["AH", 0.0, 0.25], ["OH", 0.25, seconds]]}})


def test_a_voice_says_each_word_at_its_time() -> None:
    sound = read_out("ENTER TWO NINE", "told")
    assert sound is not None and not sound.of_recording
    assert [word for word, _, _ in sound.words] == ["ENTER", "TWO", "NINE"]
    edges = [time for _, begin, end in sound.words for time in (begin, end)]
    assert edges == sorted(edges) and edges[0] >= 0 and edges[-1] <= sound.seconds
    samples, rate = soundfile.read(io.BytesIO(sound.content))
    assert len(samples) / rate == pytest.approx(sound.seconds, abs=0.1)
    assert np.abs(samples).max() > 0.05
    assert read_out("ENTER TWO NINE", "told") == sound


def test_what_cannot_be_read_has_no_sound() -> None:
    assert read_out("", "told") is None


def test_a_generated_recording_stands_with_the_times_of_its_words(tmp_path: Path) -> None:
    suite = load(ROOT / "params.yaml").placed(tmp_path)
    recorded(tmp_path, "speech", 0.5)
    sound = recording(suite, "asr", "clean/1-1-0000", None)
    assert sound is not None and sound.of_recording and sound.file == "1-1-0000.mp3"
    assert sound.words == [("AH", 0.0, 0.25), ("OH", 0.25, 0.5)] and sound.seconds == 0.5
    assert recording(suite, "asr", "clean/1-1-0001", None) is None
    assert recording(suite, "lm-word", "clean/1-1-0000", None) is None
    real = load(ROOT / "real/params.yaml").placed(tmp_path)
    recorded(tmp_path, real.track("asr-an4").corpus, 0.5)
    assert recording(real, "asr-an4", "clean/1-1-0000", None) is None


def test_an_aligned_recording_is_heard_in_its_quiet_or_not_at_all(tmp_path: Path) -> None:
    suite = load(ROOT / "params.yaml").placed(tmp_path)
    recorded(tmp_path, "short-speech", 0.5)
    times = [("SIL", 0.0, 0.1), ("AH", 0.1, 0.6)]
    found = {seconds: recording(suite, "alignment", "clean/1-1-0000", Item(
        {"text": "THE KEY"}, times=times, seconds=seconds)) for seconds in np.arange(
            0.6, 0.9, 0.001).round(3).tolist()}
    (sound, *_) = [one for one in found.values() if one is not None]
    assert len([one for one in found.values() if one is not None]) <= 2
    assert 0.6 <= sound.seconds <= 0.9 and sound.words == times


def test_phones_follow_one_another_to_the_end_of_the_recording() -> None:
    prediction = {"id": "1", "phones": ["SIL", "AH", "N"], "begins": [0.0, 0.25, 0.5]}
    item = Item(times=[("SIL", 0.0, 0.2)], seconds=0.75)
    assert shown(prediction, item).times == [("SIL", 0.0, 0.25), ("AH", 0.25, 0.5),
                                             ("N", 0.5, 0.75)]
    assert shown(prediction, None).times[-1] == ("N", 0.5, 0.5)
