"""What the features stage writes, and what it refuses."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.audio.frames import Frames, write_frames
from pipeline.audio.front_end import LogMel, audio_features, read_audio
from pipeline.corpora import librispeech
from pipeline.corpora.kinds import Utterance
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.tasks.asr.features import Settings, extract
from tests.tasks.asr.corpus import FEATURES


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
    run(corpus, tmp_path, normalise=True)
    frames = Frames(tmp_path / "fit", "valid")
    for index in range(len(frames)):
        np.testing.assert_allclose(frames[index].mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(frames[index].std(axis=0), 1, atol=1e-3)


def test_the_same_corpus_gives_the_same_bytes(corpus: Path, features: Path,
                                              tmp_path: Path) -> None:
    run(corpus, tmp_path)
    for path in sorted((features / "fit").iterdir()):
        assert path.read_bytes() == (tmp_path / "fit" / path.name).read_bytes()


def listed(texts: dict[str, list[str]]) -> SimpleNamespace:
    """A reader of a corpus whose recordings nobody gets to hear."""
    def utterances(directory: Path, subset: str) -> list[Utterance]:
        return [Utterance(f"{subset}{n}", "s", directory / f"{subset}{n}.wav", text)
                for n, text in enumerate(texts[subset])]

    return SimpleNamespace(utterances=utterances)


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
