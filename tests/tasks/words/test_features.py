"""Cuts by hand, the draw of items, normalisation, and corpora that do not fit the settings."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pydantic import TypeAdapter, ValidationError

from pipeline.audio.frames import Frames
from pipeline.audio.front_end import FrontEnd, audio_features
from pipeline.corpora import fsdd, librispeech
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.tasks.words.features import Settings, extract, made_of
from tests.tasks.words.spoken import FEATURES, FRONT_END, ITEMS, RATE, SENTENCES, write_corpus

AUDIO = TypeAdapter(FrontEnd).validate_python(FRONT_END)
DIGITS = {**FEATURES, "front_end": {**FRONT_END, "sample_rate": 8000, "high_hz": 3900.0},
          "items": {"units": "word-recordings"}, "valid": "valid"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def made(corpus: Path, folder: Path, reader: Any = librispeech, **changes: Any) -> Path:
    settings = Settings.model_validate({**FEATURES, **changes})
    extract(settings, corpus, reader, folder / "fit", folder / "test")
    return folder


def items(**changes: Any) -> dict[str, Any]:
    return {**ITEMS, **changes}


def labels(folder: Path, split: str) -> list[str]:
    if split == "test":
        gold = read_json(folder / "test" / "gold.json")
        return [gold[item["id"]] for item in read_json(folder / "test" / "test.items.json")]
    return [item["label"] for item in read_json(folder / "fit" / f"{split}.items.json")]


def test_a_phone_is_cut_with_what_is_heard_around_it(corpus: Path, tmp_path: Path) -> None:
    folder = made(corpus, tmp_path, items=items(context={"seconds": 0.05}))
    samples, _ = soundfile.read(
        corpus / "LibriSpeech/test/31/1/31-1-0000.flac", dtype="float32")
    # BAA DEE: B from 0.04 to 0.12 s, so 0.01 s before its cut is silence; D from 0.24 s.
    expected = {"31-1-0000-000": np.concatenate([np.zeros(160, np.float32), samples[:2720]]),
                "31-1-0000-002": samples[round(0.19 * RATE) : round(0.37 * RATE)]}
    found = dict(zip((item["id"] for item in read_json(folder / "test/test.items.json")),
                     Frames(folder / "test", "test"), strict=True))
    for identity, heard in expected.items():
        assert np.array_equal(found[identity], audio_features(AUDIO, heard))
    assert len(found) == 2 * len(SENTENCES) * 4


@pytest.mark.parametrize(("frames", "middle"), [(15, {7}), (4, {1, 2}), (1, {0})])
def test_a_window_lies_around_the_end_of_its_phone(frames: int, middle: set[int],
                                                   tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", click=True)
    folder = made(corpus, tmp_path / "features", items=items(
        context={"frames": frames}, labels=["B", "D", "G"], before="vowels-and-approximants"))
    found = list(Frames(folder / "test", "test"))
    assert len(found) == 2 * 6 and {len(each) for each in found} == {frames}
    assert {int(each.sum(axis=1).argmax()) for each in found} <= middle


def test_what_may_follow_a_phone(corpus: Path, tmp_path: Path) -> None:
    everything = made(corpus, tmp_path / "a")
    voiced = made(corpus, tmp_path / "b", items=items(before="vowels-and-approximants"))
    # A vowel is followed by a pause here, and a consonant by its vowel.
    assert {*labels(everything, "test")} == {"AA", "B", "D", "G", "IY", "S"}
    assert {*labels(voiced, "test")} == {"B", "D", "G", "S"}


def test_labels_are_those_with_enough_items(corpus: Path, tmp_path: Path) -> None:
    # Of four sentences by two speakers: G 2 times, D and S 4, B 6, the vowels 8.
    folder = made(corpus, tmp_path, items=items(least=4))
    assert read_json(folder / "fit/spec.json")["labels"] == ["AA", "B", "D", "IY", "S"]
    assert read_json(folder / "test/labels.json") == ["AA", "B", "D", "IY", "S"]
    for split in ("train", "valid", "test"):
        assert "G" not in labels(folder, split)


@pytest.mark.parametrize("label", ["BB", "B ", " B", "b", "B\n", "SIL", ""])
def test_a_label_is_a_phone_and_nothing_else(label: str) -> None:
    with pytest.raises(ValidationError, match="labels"):
        Settings.model_validate({**FEATURES, "items": items(labels=[label])})


def test_a_draw_keeps_so_many_of_each_label_and_hangs_on_its_seed(
        corpus: Path, tmp_path: Path) -> None:
    most = {"train": 3, "test": 2}
    drawn = [made(corpus, tmp_path / str(number), items=items(most=most, seed=seed))
             for number, seed in enumerate([1, 1, 2])]
    counted = labels(drawn[0], "train")
    assert {label: counted.count(label) for label in set(counted)} == {
        "AA": 3, "B": 3, "D": 3, "G": 2, "IY": 3, "S": 3}
    counted = labels(drawn[0], "test")
    assert {counted.count(label) for label in set(counted)} == {2}
    assert len(labels(drawn[0], "valid")) == len(SENTENCES) * 4
    one, again, other = ((folder / "fit/train.items.json").read_bytes() for folder in drawn)
    assert one == again != other
    order = [item["id"] for item in read_json(drawn[0] / "fit/train.items.json")]
    assert order == sorted(order)


def test_right_labels_stand_apart_from_what_systems_read(corpus: Path, tmp_path: Path) -> None:
    folder = made(corpus, tmp_path)
    for item in read_json(folder / "test/test.items.json"):
        assert item.keys() == {"id", "speaker"} and item["id"].startswith(item["speaker"])
    clusters = read_json(folder / "test/clusters.json")
    assert {*clusters.values()} == {"31", "32"}
    assert clusters.keys() == read_json(folder / "test/gold.json").keys()


def test_the_spec_holds_statistics_of_the_training_frames(corpus: Path, tmp_path: Path) -> None:
    folder = made(corpus, tmp_path)
    spec, frames = read_json(folder / "fit/spec.json"), Frames(folder / "fit", "train")
    rows = np.concatenate([np.asarray(each, np.float64) for each in frames])
    assert spec["mean"] == pytest.approx(rows.mean(axis=0))
    assert spec["deviation"] == pytest.approx(rows.std(axis=0))
    assert spec["dimension"] == 12 and spec["hop"] == 0.01 and spec["folds"] == []
    assert spec["longest"] == pytest.approx(0.08 + 2 * 0.03)


def test_normalisation() -> None:
    random = np.random.default_rng(3)
    samples = random.normal(0, 0.05, RATE // 2).astype(np.float32)
    louder = 4 * samples
    plain = made_of(samples, AUDIO, "none", "x")
    level, again = (made_of(each, AUDIO, "level", "x") for each in (samples, louder))
    assert level == pytest.approx(again, abs=0.02) and level.mean() == pytest.approx(0, abs=1e-5)
    assert np.diff(level, axis=0) == pytest.approx(np.diff(plain, axis=0), abs=1e-4)
    assert np.ptp(level.mean(axis=0)) > 1  # the features keep their own means
    mean = made_of(samples, AUDIO, "mean", "x")
    assert mean.mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert mean.std(axis=0) == pytest.approx(plain.std(axis=0), abs=1e-5)
    both = made_of(samples, AUDIO, "mean-and-deviation", "x")
    assert both.mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert both.std(axis=0) == pytest.approx(1, abs=1e-4)


def test_a_level_is_that_of_log_mel_alone() -> None:
    for front_end in ({**FRONT_END, "deltas": 1},
                      {**FRONT_END, "kind": "mfcc", "coefficients": 5}):
        with pytest.raises(ValidationError, match="normalise: level is for log-mel"):
            Settings.model_validate({**FEATURES, "front_end": front_end, "normalise": "level"})


@pytest.mark.parametrize(("changes", "message"), [
    ({"items": items(labels=["B", "M"])}, "0 training items of 'M', and 1 are wanted"),
    ({"items": items(labels=["B", "G"], least=3)}, "2 training items of 'G', and 3 are wanted"),
    ({"items": items(least=100)}, "0 labels have 100 training items"),
    ({"items": items(labels=["B"])}, "1 labels have 1 training items"),
    ({"valid": "train"}, r"item 11-1-0000-000 is in the training data as well"),
    ({"held_out": "speakers"}, "nobody has to hold out speaker '31'"),
    ({"items": items(context={"seconds": 0.0}), "front_end": {**FRONT_END, "dft_points": 2048}},
     "1280 samples are less than one DFT of 2048; take more context"),
    ({"items": {"units": "word-recordings"}}, None),
])
def test_what_does_not_fit_is_named(changes: dict[str, Any], message: str | None, corpus: Path,
                                    tmp_path: Path) -> None:
    if message is None:  # sentences as words: those of the test were learnt
        assert {*labels(made(corpus, tmp_path, **changes), "test")} == {*SENTENCES}
        return
    with pytest.raises(UserError, match=message):
        made(corpus, tmp_path, **changes)


def test_phones_need_times(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", times=False)
    with pytest.raises(UserError, match=r"11-1-0000\.flac: nothing says when its phones"):
        made(corpus, tmp_path / "features")


def digits(directory: Path) -> Path:
    """Two speakers' recordings 0, 5 and 10 of three digits, as noise of different lengths."""
    folder, random = directory / "fsdd" / "recordings", np.random.default_rng(1)
    folder.mkdir(parents=True)
    for number in (0, 5, 10):
        for digit in "024":
            for speaker in ("ada", "bob"):
                soundfile.write(folder / f"{digit}_{speaker}_{number}.wav",
                                random.normal(0, 0.1, 1600 + 80 * int(digit)), 8000)
    return directory


def test_words_by_held_out_speaker(tmp_path: Path) -> None:
    folder = made(digits(tmp_path / "corpus"), tmp_path / "features", fsdd, **{
        **DIGITS, "held_out": "speakers"})
    spec = read_json(folder / "fit/spec.json")
    assert spec["folds"] == ["ada", "bob"] and spec["labels"] == ["0", "2", "4"]
    assert spec["context"] is None and spec["longest"] == (1600 + 320) / 8000
    assert read_json(folder / "test/gold.json") == {
        f"{digit}_{speaker}_0": digit for digit in "024" for speaker in ("ada", "bob")}
    # (1600 + 80 d - 320) // 80 + 1 frames of 10 ms.
    assert Frames(folder / "test", "test").lengths.tolist() == [17, 17, 19, 19, 21, 21]


def test_a_label_that_was_never_learnt_is_named(tmp_path: Path) -> None:
    corpus = digits(tmp_path / "corpus")
    path = corpus / "fsdd" / "recordings" / "0_ada_5.wav"
    shutil.copy(path, path.with_name("9_ada_5.wav"))
    with pytest.raises(UserError, match=r"9_ada_5\.wav: the label is '9', which no training item"):
        made(corpus, tmp_path / "features", fsdd, **DIGITS)
