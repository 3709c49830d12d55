"""Vocabulary, labels, and sentences that cannot be used."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.corpora.kinds import LabelledSentence
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import clusters_of
from pipeline.storage.files import read_json, sha256
from pipeline.storage.sequences import Sequences
from pipeline.tasks.sentence import features

SPLITS = {
    "train": ["2 The film", "0 the bad film", "1 bad Film", "4 good", "3 the film", "0 zzz"],
    "valid": ["4 good film"],
    "test": ["3 the good actor", "2 film", "0 bad"],
}


def corpus(**changes: list[str]) -> SimpleNamespace:
    def read(directory: Path, split: str) -> list[LabelledSentence]:
        lines = (SPLITS | changes)[split]
        return [LabelledSentence(f"{split}-{number}", line.split()[1:], line.split()[0], "simple",
                                 cluster=f"{split}-story")
                for number, line in enumerate(lines, start=1)]
    return SimpleNamespace(labelled=read, ceiling=lambda directory, split: 90.0)


def extracted(folder: Path, reader: SimpleNamespace | None = None, **changes: object) -> Path:
    settings = {"min_count": 1, "lowercase": True, "classes": "all"} | changes
    features.extract(features.Settings.model_validate(settings), Path("corpus"),
                     reader or corpus(), folder / "fit", folder / "test")
    return folder


def test_vocabulary_and_labels_are_those_of_training(tmp_path: Path) -> None:
    extracted(tmp_path)
    assert read_json(tmp_path / "fit/spec.json") == {
        "words": ["<unk>", "film", "the", "bad", "good", "zzz"],
        "labels": ["0", "1", "2", "3", "4"], "lowercase": True, "stories": False}
    assert [Sequences(tmp_path / "test", "test")[item] for item in range(3)] == [
        [2, 4, 0], [1], [3]]
    assert np.load(tmp_path / "test/test.labels.npy").tolist() == [3, 2, 0]
    assert np.load(tmp_path / "fit/valid.labels.npy").tolist() == [4]
    assert read_json(tmp_path / "test/items.json")[0] == {
        "id": "test-1", "text": "the good actor", "label": "3", "group": "simple", "facts": None}
    assert clusters_of(tmp_path / "test", ["test-1", "test-2", "test-3"]) == ["test-story"] * 3


def test_rare_words_and_case(tmp_path: Path) -> None:
    extracted(tmp_path, min_count=2, lowercase=False)
    assert read_json(tmp_path / "fit/spec.json")["words"] == ["<unk>", "film", "bad", "the"]


def test_polarity_leaves_out_neutral_sentences(tmp_path: Path) -> None:
    extracted(tmp_path, classes="polarity")
    spec = read_json(tmp_path / "fit/spec.json")
    assert spec["labels"] == ["negative", "positive"]
    assert np.load(tmp_path / "fit/train.labels.npy").tolist() == [0, 0, 1, 1, 0]
    assert [item["id"] for item in read_json(tmp_path / "test/items.json")] == ["test-1", "test-3"]
    # The ceiling is that of the five classes.
    assert read_json(tmp_path / "test/ceiling.json") == {}
    extracted(tmp_path)
    assert read_json(tmp_path / "test/ceiling.json") == {"accuracy": 90.0}


def test_test_sentences_change_nothing_that_training_reads(tmp_path: Path) -> None:
    extracted(tmp_path / "1")
    extracted(tmp_path / "2", corpus(test=["1 an unseen film"]))
    for path in (tmp_path / "1/fit").iterdir():
        assert sha256(path) == sha256(tmp_path / "2/fit" / path.name)
    assert not list((tmp_path / "1/fit").glob("test*"))


@pytest.mark.parametrize(("changes", "message"), [
    ({"valid": ["4"]}, "valid-1: the sentence is empty"),
    ({"test": ["3 fine", "5 film"]}, "test-2: the label is '5', which no training"),
    ({"valid": []}, "split 'valid' has no sentences"),
])
def test_what_cannot_be_used_is_named(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        extracted(tmp_path, corpus(**changes))
