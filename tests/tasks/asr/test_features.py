"""What the features stage writes, and what it refuses."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from pipeline.audio.frames import Frames, write_frames
from pipeline.audio.front_end import LogMel, audio_features, read_audio
from pipeline.audio.phones import PHONES
from pipeline.corpora import librispeech
from pipeline.corpora.kinds import Utterance
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import clusters_of
from pipeline.storage.files import read_json
from pipeline.tasks.asr.features import Settings, by_speaker, extract
from tests.tasks.asr.corpus import FEATURES, RATE


def run(corpus: Path, directory: Path, reader: object = librispeech, **changes: object) -> None:
    extract(Settings.model_validate({**FEATURES, **changes}), corpus, reader,  # type: ignore[arg-type]
            directory / "fit", directory / "test")


def test_frames_are_those_of_the_audio_and_memory_mapped(corpus: Path, features: Path) -> None:
    items = librispeech.utterances(corpus, "dev")
    frames = Frames(features / "fit", "valid")
    assert len(frames) == len(items)
    assert isinstance(frames[0], np.memmap)
    settings = LogMel.model_validate(FEATURES["front_end"])
    for index, item in enumerate(items):
        np.testing.assert_array_equal(
            frames[index], audio_features(settings, read_audio(item.path, settings)))


def test_spec_has_symbols_and_statistics_of_the_training_data_alone(features: Path) -> None:
    spec = read_json(features / "fit" / "spec.json")
    train = Frames(features / "fit", "train")
    everything = np.concatenate([train[index] for index in range(len(train))]).astype(np.float64)
    assert spec["symbols"] == [" ", "A", "B", "C"]
    assert spec["dimension"] == 12
    np.testing.assert_allclose(spec["mean"], everything.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(spec["deviation"], everything.std(axis=0), rtol=1e-6)


def test_training_sees_no_test_data(features: Path) -> None:
    fit = {path.name for path in (features / "fit").iterdir()}
    assert fit == {"spec.json", "train.frames.npy", "train.offsets.npy", "train.items.json",
                   "valid.frames.npy", "valid.offsets.npy", "valid.items.json"}
    items = read_json(features / "test" / "test.items.json")
    assert [item["condition"] for item in items] == ["clean"] * 8 + ["other"] * 4
    assert len({item["id"] for item in items}) == 12


def test_an_utterance_can_be_normalised(corpus: Path, tmp_path: Path) -> None:
    run(corpus, tmp_path, normalise="utterance")
    assert read_json(tmp_path / "fit" / "spec.json")["normalise"] == "utterance"
    frames = Frames(tmp_path / "fit", "valid")
    for index in range(len(frames)):
        np.testing.assert_allclose(frames[index].mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(frames[index].std(axis=0), 1, atol=1e-3)


def test_the_same_corpus_gives_the_same_bytes(corpus: Path, features: Path,
                                              tmp_path: Path) -> None:
    run(corpus, tmp_path)
    for path in sorted((features / "fit").iterdir()):
        assert path.read_bytes() == (tmp_path / "fit" / path.name).read_bytes()


def listed(texts: dict[str, list[str]], speakers: str = "s",
           lexicon: dict[str, list[list[str]]] | None = None) -> SimpleNamespace:
    """A reader of a corpus whose recordings nobody gets to hear, by `speakers` in turn."""
    def utterances(directory: Path, subset: str) -> list[Utterance]:
        return [Utterance(f"{subset}{n}", speakers[n % len(speakers)],
                          directory / f"{subset}{n}.wav", text)
                for n, text in enumerate(texts[subset])]

    return SimpleNamespace(utterances=utterances, lexicon=lambda directory: lexicon)


def recorded(directory: Path, texts: dict[str, list[str]], speakers: str = "s",
             lexicon: dict[str, list[list[str]]] | None = None) -> SimpleNamespace:
    """The same with recordings in `directory`, noise of other lengths and loudness each."""
    random = np.random.default_rng(0)
    reader = listed(texts, speakers, lexicon)
    for subset in texts:
        for item in reader.utterances(directory, subset):
            samples = random.normal(0, random.uniform(0.02, 0.2), random.integers(800, 4000))
            soundfile.write(item.path, samples, RATE)
    return reader


LISTED = {"train": ["a"], "valid": "b", "test": {"clean": "c"}}


@pytest.mark.parametrize(("texts", "changes", "reason"), [
    ({"a": ["X"], "b": ["XQ"], "c": ["X"]}, {}, r"b0\.wav: character 'Q'"),
    ({"a": [], "b": ["X"], "c": ["X"]}, {}, "subset without utterances"),
    ({"a": ["X"], "b": ["X"], "c": ["X"]}, {"test": {"clean": "a"}},
     "a0 is in the training data as well"),
])
def test_a_corpus_that_does_not_fit_is_refused_before_anything_is_written(
        tmp_path: Path, texts: dict, changes: dict, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        run(tmp_path, tmp_path, listed(texts), **{**LISTED, **changes})
    assert list(tmp_path.iterdir()) == []


TEXTS = {"a": ["X"] * 5, "b": ["X"] * 3, "c": ["X"] * 4, "d": ["X"] * 3}
BOTH = {**LISTED, "test": {"clean": "c", "other": "d"}}


def test_a_speakers_mean_is_taken_away_in_each_condition(tmp_path: Path) -> None:
    for name in ("none", "speaker"):
        run(tmp_path, tmp_path / name, recorded(tmp_path, TEXTS, "pq"), **BOTH, normalise=name)
    for split, sizes in (("fit/train", [5]), ("fit/valid", [3]), ("test/test", [4, 3])):
        part, name = split.split("/")
        raw, found = (Frames(tmp_path / kind / part, name) for kind in ("none", "speaker"))
        start = 0
        for size in sizes:  # what is said in one condition
            for speaker in range(2):  # whose utterances are every other one
                own = range(start + speaker, start + size, 2)
                mean = np.concatenate([raw[index] for index in own]).mean(axis=0)
                assert np.abs(mean).max() > 0.5
                for index in own:
                    np.testing.assert_allclose(found[index], raw[index] - mean, atol=1e-5)
            start += size
        assert start == len(found)
    spec = read_json(tmp_path / "speaker" / "fit" / "spec.json")
    assert spec["normalise"] == "speaker"
    np.testing.assert_allclose(spec["mean"], 0, atol=1e-5)


def test_a_speakers_frames_depend_on_no_other_speaker(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    utterances = [np.full((length, 2), length, np.float32) for length in (2, 3, 4, 5)]
    write_frames(tmp_path / "one", "x", utterances)
    by_speaker(tmp_path / "one", "x", ["p", "q", "p", "r"], "speaker")
    found = Frames(tmp_path / "one", "x")
    # Of "p" two frames of 2 and four of 4: their mean is 20 / 6.
    np.testing.assert_allclose(found[0], 2 - 20 / 6, rtol=1e-6)
    np.testing.assert_allclose(found[2], 4 - 20 / 6, rtol=1e-6)
    np.testing.assert_allclose(found[1], 0, atol=1e-6)
    np.testing.assert_allclose(found[3], 0, atol=1e-6)


def test_items_have_their_speakers(tmp_path: Path) -> None:
    run(tmp_path, tmp_path, recorded(tmp_path, TEXTS, "pq"), **BOTH)
    train = read_json(tmp_path / "fit" / "train.items.json")
    assert [item["speaker"] for item in train] == list("pqpqp")
    test = read_json(tmp_path / "test" / "test.items.json")
    assert [item["speaker"] for item in test] == [
        *(f"clean/{one}" for one in "pqpq"), *(f"other/{one}" for one in "pqp")]
    # A speaker of two conditions is one cluster: what he says is not independent.
    assert clusters_of(tmp_path / "test", [item["id"] for item in test]) == [
        *"pqpqpqp"]


OWN = {"XQ": [["K", "S"], ["Z"]], "UNSAID": [["AH", "N"]]}


def test_words_that_the_corpus_lacks_are_cmus(tmp_path: Path) -> None:
    texts = {"a": ["XQ READ"], "b": ["READ XQ"], "c": ["NOWORDATALL"]}
    run(tmp_path, tmp_path, recorded(tmp_path, texts, lexicon=OWN), **LISTED, dictionary=True)
    assert read_json(tmp_path / "fit" / "lexicon.json") == {
        **OWN, "READ": [["R", "EH", "D"], ["R", "IY", "D"]]}


def test_a_word_of_both_dictionaries_is_said_as_the_corpus_says(tmp_path: Path) -> None:
    own = {"READ": [["R", "AY", "T"]]}
    texts = {"a": ["READ"], "b": ["READ"], "c": ["READ"]}
    run(tmp_path, tmp_path, recorded(tmp_path, texts, lexicon=own), **LISTED, dictionary=True)
    assert read_json(tmp_path / "fit" / "lexicon.json") == own


def test_equal_pronunciations_of_cmu_stand_there_once(tmp_path: Path) -> None:
    # CMU has two of them, which differ in a stress mark alone.
    texts = {"a": ["PERMIT"], "b": ["PERMIT"], "c": ["X"]}
    run(tmp_path, tmp_path, recorded(tmp_path, texts, lexicon={}), **LISTED, dictionary=True)
    (found,) = read_json(tmp_path / "fit" / "lexicon.json").values()
    assert len({tuple(phones) for phones in found}) == len(found) > 0
    assert {phone for phones in found for phone in phones} <= set(PHONES)


@pytest.mark.parametrize(("subset", "place"), [("a", "a1"), ("b", "b0")])
def test_a_word_of_no_dictionary_is_named(tmp_path: Path, subset: str, place: str) -> None:
    texts = {"a": ["XQ", "XQ"], "b": ["XQ"], "c": ["XQ"]}
    texts[subset][-1] = "XQ QXQX"
    texts["a"][0] += " QX"  # so that validation has no new character
    own = {**OWN, "QX": [["K"]]}
    with pytest.raises(UserError, match=rf"{place}\.wav: its transcript has the word 'QXQX', which "
                                        "neither the dictionary of .* nor CMU's has; mend the"):
        run(tmp_path, tmp_path, recorded(tmp_path, texts, lexicon=own), **LISTED, dictionary=True)
    assert not (tmp_path / "fit").exists()


def test_a_phone_that_is_none_is_named(tmp_path: Path) -> None:
    texts = {"a": ["XQ"], "b": ["XQ"], "c": ["XQ"]}
    with pytest.raises(UserError, match="has the phone 'AX' in the word 'XQ', which is none of"):
        run(tmp_path, tmp_path, listed(texts, lexicon={"XQ": [["K"], ["AX", "K"]]}), **LISTED,
            dictionary=True)


def test_a_dictionary_is_read_where_it_is_asked_for_alone() -> None:
    settings = {**FEATURES, **LISTED}
    assert Settings.model_validate(settings).reads() == ("utterances",)
    assert Settings.model_validate({**settings, "dictionary": True}).reads() == (
        "utterances", "lexicon")


def test_broken_audio_leaves_nothing_half_written(corpus: Path, tmp_path: Path) -> None:
    broken = tmp_path / "corpus"
    shutil.copytree(corpus, broken)
    victim = librispeech.utterances(broken, "train")[30].path
    victim.write_bytes(victim.read_bytes()[:100])
    with pytest.raises(UserError, match=victim.name):
        run(broken, tmp_path / "out")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    victim.unlink()
    with pytest.raises(UserError, match=rf"{victim.name} does not exist"):
        run(broken, tmp_path / "out")


def test_damaged_frames_are_named(features: Path, tmp_path: Path) -> None:
    for name in ("valid.frames.npy", "valid.offsets.npy"):
        shutil.copy(features / "fit" / name, tmp_path)
    path = tmp_path / "valid.frames.npy"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(UserError, match=r"valid\.frames\.npy is damaged"):
        Frames(tmp_path, "valid")
    with pytest.raises(UserError, match="run the features stage"):
        Frames(tmp_path, "train")


def test_utterances_of_different_dimensions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected 3 features a frame, got 2"):
        write_frames(tmp_path, "x", [np.zeros((4, 3), np.float32), np.zeros((4, 2), np.float32)])
    assert list(tmp_path.iterdir()) == []
