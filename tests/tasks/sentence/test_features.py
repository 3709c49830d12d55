"""Vocabulary, labels, and sentences that cannot be used."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.corpora import babi, sst
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
    settings = {"min_count": 1, "lowercase": True, "classes": "all", "phrases": False} | changes
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


def test_phrases_are_learnt_from_and_change_nothing_that_is_tested(tmp_path: Path) -> None:
    """Same vocabulary, validation and test items: only what is learnt from differs."""
    reader = corpus()
    sentences = reader.labelled(Path("corpus"), "train")
    reader.phrases = lambda directory: [
        *sentences, replace(sentences[1], words=["bad"]), replace(sentences[0], words=["unheard"])]
    plain, phrased = (extracted(tmp_path / str(use), reader, phrases=use) for use in (False, True))
    assert np.load(phrased / "fit/train.labels.npy").tolist() == [2, 0, 1, 4, 3, 0, 0, 2]
    assert Sequences(phrased / "fit", "train")[7] == [0]
    differing = {path.name for path in plain.rglob("*") if path.is_file()
                 and sha256(path) != sha256(phrased / path.relative_to(plain))}
    assert differing and all(name.startswith("train.") for name in differing)


def test_a_corpus_without_labelled_phrases_is_refused_before_a_run() -> None:
    wanted = features.Settings(min_count=1, lowercase=True, classes="all", phrases=True)
    assert any("phrases" in problem for problem in wanted.reader_problems(babi))
    assert not list(wanted.reader_problems(sst))
    assert not list(wanted.model_copy(update={"phrases": False}).reader_problems(babi))
