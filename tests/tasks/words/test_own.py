"""Recordings of one's own: named as in the suite, whatever their format, or refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.audio.frames import Frames
from pipeline.corpora import fsdd, librispeech
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.tasks.contract import OwnFile, Trained
from pipeline.tasks.words import own
from pipeline.tasks.words.features import Settings, extract
from tests.tasks.words.raw import write_raw
from tests.tasks.words.spoken import FEATURES, ITEMS, RATE, write_corpus
from tests.tasks.words.test_features import DIGITS, digits

WINDOW = {**ITEMS, "context": {"frames": 9}}  # 1600 samples, a tenth of a second


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def trained(corpus: Path, folder: Path, reader: Any = librispeech, **changes: Any) -> Trained:
    extract(Settings.model_validate({**FEATURES, **changes}), corpus, reader, folder / "fit",
            folder / "test")
    return Trained(read_json(folder / "fit" / "spec.json"), folder / "fit")


@pytest.fixture(scope="module")
def window(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(corpus, tmp_path_factory.mktemp("window"), items=WINDOW)


def prepared(trained: Trained, folder: Path, *files: Path) -> Frames:
    own.prepare([OwnFile(f"my {file.name}", file) for file in files], trained, folder)
    return Frames(folder, "test")


@pytest.mark.parametrize("changes", [
    {}, {"normalise": "level"}, {"normalise": "mean-and-deviation"}, {"items": WINDOW}])
def test_cut_phones_have_the_frames_of_the_features(changes: dict[str, Any], corpus: Path,
                                                    tmp_path: Path) -> None:
    known = trained(corpus, tmp_path, **changes)
    files = write_raw(tmp_path / "test", tmp_path / "raw", corpus)
    found = prepared(known, tmp_path / "own", *files)
    assert len(found) == 32 and found.lengths.min() > 1
    for name in ("test.frames.npy", "test.offsets.npy"):
        assert (tmp_path / "own" / name).read_bytes() == (tmp_path / "test" / name).read_bytes()


def test_words_have_the_frames_of_the_features(tmp_path: Path) -> None:
    corpus = digits(tmp_path / "corpus")
    known = trained(corpus, tmp_path, fsdd, **DIGITS)
    files = write_raw(tmp_path / "test", tmp_path / "raw", corpus)
    prepared(known, tmp_path / "own", *files)
    assert (tmp_path / "own/test.frames.npy").read_bytes() == (
        tmp_path / "test/test.frames.npy").read_bytes()


@pytest.mark.parametrize(("name", "rate", "channels"), [
    ("a.wav", 44_100, 2), ("a.flac", 48_000, 1), ("a.ogg", 22_050, 2), ("a.mp3", 44_100, 2)])
def test_any_recording_is_heard(name: str, rate: int, channels: int, window: Trained,
                                tmp_path: Path) -> None:
    """A tone of 1,100 Hz is loudest in the filter that has it, in the middle of any recording."""
    tone = 0.5 * np.sin(2 * np.pi * 1100 * np.arange(int(0.15 * rate)) / rate)
    soundfile.write(tmp_path / name, np.repeat(tone[:, None], channels, axis=1), rate,
                    format=name[2:].upper())
    soundfile.write(tmp_path / "plain.wav",
                    0.5 * np.sin(2 * np.pi * 1100 * np.arange(2400) / RATE), RATE)
    (frames, plain) = prepared(window, tmp_path / "own", tmp_path / name, tmp_path / "plain.wav")
    assert len(frames) == len(plain) == 9
    assert frames[4].argmax() == plain[4].argmax()
    assert frames[4].max() == pytest.approx(plain[4].max(), abs=0.3)


def test_of_a_longer_recording_the_middle_is_taken(window: Trained, tmp_path: Path) -> None:
    samples = np.zeros(3000, np.float32)
    samples[1500] = 0.9
    soundfile.write(tmp_path / "a.wav", samples, RATE)
    (frames,) = prepared(window, tmp_path / "own", tmp_path / "a.wav")
    assert int(frames.sum(axis=1).argmax()) == 4


def no_bytes(path: Path) -> None:
    path.write_bytes(b"")


def no_audio(path: Path) -> None:
    path.write_text("seven\n")


def sound(samples: int, level: float = 0.1) -> Any:
    def write(path: Path) -> None:
        soundfile.write(path, np.full(samples, level), RATE)
    return write


@pytest.mark.parametrize(("write", "message"), [
    (no_bytes, "cannot be read as audio"), (no_audio, "cannot be read as audio"),
    (sound(0), "too short"), (sound(1599), "give a recording of at least 1600 samples"),
    (sound(3201), r"0\.20 s are longer than one item can be here \(0\.20 s\)"),
    (sound(1600, 0.0), "silent from its beginning"),
    (Path.mkdir, "is no file")])
def test_what_is_no_word_is_named(write: Any, message: str, window: Trained,
                                  tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    with pytest.raises(UserError, match=f"^my a.wav.*{message}"):
        prepared(window, tmp_path / "own", tmp_path / "a.wav")


def test_a_recording_has_its_label_and_its_probability(window: Trained, tmp_path: Path) -> None:
    files = [tmp_path / "b.wav", tmp_path / "a.wav"]
    for file, samples in zip(files, (1600, 3200), strict=True):
        sound(samples)(file)
    records = own.prepare([OwnFile("one", file) for file in files], window, tmp_path / "own")
    items = read_json(tmp_path / "own" / "test.items.json")
    assert len({item["id"] for item in items}) == len({item["speaker"] for item in items}) == 2
    answers = [{"id": items[0]["id"], "label": "B", "probabilities": {"B": 0.75, "S": 0.25}},
               {"id": items[1]["id"], "label": "S", "probabilities": {"B": 0.0, "S": 1.0}}]

    def rows() -> Iterator[dict[str, Any]]:
        for record, answer in zip(records, answers, strict=True):
            yield from own.present(record, answer, window)

    assert list(rows()) == [
        {"file": "one", "seconds": 0.1, "label": "B", "probability": 0.75},
        {"file": "one", "seconds": 0.2, "label": "S", "probability": 1.0}]
