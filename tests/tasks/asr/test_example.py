"""The example of a track's sound: which it is, and that it is of the training data."""

from pathlib import Path

import numpy as np
import soundfile

from pipeline.audio.front_end import LogMel
from pipeline.corpora import librispeech
from pipeline.corpora.kinds import Segment, Utterance
from pipeline.storage.files import read_json
from pipeline.tasks.asr.shared.example import Example, example_of, loudest
from tests.tasks.asr.corpus import FEATURES, RATE

FRONT_END = LogMel.model_validate(FEATURES["front_end"])


def utterance(folder: Path, name: str, text: str, seconds: float,
              words: list[tuple[str, float, float]] | None = None) -> Utterance:
    """Noise with silence at its first and last tenth."""
    count = round(seconds * RATE)
    samples = np.random.default_rng(len(name) + count).uniform(-0.5, 0.5, count)
    samples[: count // 10] = samples[-(count // 10):] = 0
    path = folder / f"{name}.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return Utterance(name, "s", path, text, tuple(
        Segment("word", label, start, end) for label, start, end in words or []))


def heard(item: Utterance) -> np.ndarray:
    return soundfile.read(item.path, dtype="float32")[0]


def test_of_words_with_known_times_the_longest_that_fits_a_second_is_taken(tmp_path: Path) -> None:
    items = [utterance(tmp_path, "one", "A TEN", 2.0, [("A", 0.1, 0.2), ("TEN", 0.5, 0.9)]),
             utterance(tmp_path, "two", "SIX LONG", 3.0, [("SIX", 0.5, 1.25), ("LONG", 1.3, 2.4)]),
             utterance(tmp_path, "six", "SIX", 0.8, [("SIX", 0.05, 0.8)])]
    found = example_of(items, FRONT_END)
    assert (found.id, found.text, found.start) == ("two", "SIX", 0.5)
    np.testing.assert_array_equal(found.samples, heard(items[1])[8000:20000])


def test_a_phone_is_no_word_and_a_short_word_has_a_dft_of_samples(tmp_path: Path) -> None:
    item = utterance(tmp_path, "one", "A", 0.5, [("A", 0.49, 0.5)])
    phones = Utterance(item.id, item.speaker, item.path, item.text,
                       (Segment("phone", "AH", 0.1, 0.4), *item.segments))
    found = example_of([phones], FRONT_END)
    assert found.text == "A"
    np.testing.assert_array_equal(found.samples, heard(item)[-400:])


def test_without_times_the_fewest_words_are_taken_whole(tmp_path: Path) -> None:
    items = [utterance(tmp_path, "one", "TWO WORDS", 0.5), utterance(tmp_path, "two", "YES", 0.7),
             utterance(tmp_path, "six", "NO", 0.6)]
    found = example_of(items, FRONT_END)
    assert (found.id, found.text, found.start) == ("two", "YES", 0.0)
    np.testing.assert_array_equal(found.samples, heard(items[1]))


def test_of_a_long_recording_the_loudest_second_is_taken_and_said_to_be_a_part(
        tmp_path: Path) -> None:
    item = utterance(tmp_path, "one", "YES", 1.25)  # sound from 0.125 to 1.125 s
    found = example_of([item], FRONT_END)
    assert (found.text, found.start) == ("YES …", 0.125)
    np.testing.assert_array_equal(found.samples, heard(item)[2000:18000])


def test_the_loudest_part_is_that_with_the_most_energy_the_first_of_equals() -> None:
    samples = np.array([3, 0, 0, 1, 2, -2, 0, -3, 0], np.float32)
    assert [loudest(samples, count) for count in (1, 2, 3, 4)] == [0, 0, 5, 4]


def test_the_features_have_one_of_a_training_utterance_beside_the_test_items(
        corpus: Path, features: Path) -> None:
    found = Example.read(features / "test")
    assert found is not None
    train = {item.id: item for item in librispeech.utterances(corpus, "train")}
    assert len(train[found.id].text.split()) == 1
    assert found.id not in {item.id for item in librispeech.utterances(corpus, "test-clean")}
    np.testing.assert_array_equal(found.samples, heard(train[found.id]))
    assert found.front_end == FRONT_END
    stored = np.load(features / "test" / "example.npy", allow_pickle=False)
    assert stored.dtype == np.float32 and len(stored) <= RATE
    assert read_json(features / "test" / "example.json")["text"] == train[found.id].text
    assert not list((features / "fit").glob("example*"))


def test_frames_without_sound_have_none(tmp_path: Path) -> None:
    assert Example.read(tmp_path) is None
