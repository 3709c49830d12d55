"""Vocabulary, streams and items."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.corpora.kinds import Sentence
from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.tasks.language_model import features
from pipeline.tasks.language_model.shared.items import Item, read_items
from pipeline.tasks.language_model.shared.stream import Stream


def test_vocabulary_is_ordered_by_frequency_then_spelling() -> None:
    texts = [["b", "a", "<unk>"], ["c", "b", "a", "d"], ["c", "c"]]
    assert features.vocabulary(texts, 1) == ["<unk>", "<eos>", "c", "a", "b", "d"]
    assert features.vocabulary(texts, 2) == ["<unk>", "<eos>", "c", "a", "b"]


def test_streams_close_each_sentence_and_mark_unknown_words(extracted: Path) -> None:
    words = read_json(extracted / "fit" / "spec.json")["words"]
    test = Stream.read(extracted / "test", "test")
    assert test.tokens.dtype == np.int32
    assert [words[token] for token in test.tokens] == [
        "the", "cat", "<unk>", "the", "dog", "sees", "<unk>", "<eos>", "the", "dog", "<eos>",
        "<eos>", "a", "<unk>", "sees", "<eos>"]
    assert test.lengths.tolist() == [8, 3, 1, 4]


def test_test_data_and_training_data_are_apart(extracted: Path) -> None:
    assert {path.name for path in (extracted / "fit").iterdir()} == {
        "spec.json", "train.tokens.npy", "train.lengths.npy", "valid.tokens.npy",
        "valid.lengths.npy"}
    assert read_json(extracted / "test" / "ceiling.json") == {"perplexity": 4.5}
    assert read_items(extracted / "test") == [
        Item("test-0", 8, [6]), Item("test-1", 3, []), Item("test-2", 1, []),
        Item("test-3", 4, [])]


def test_a_real_corpus_has_no_ceiling_and_no_marks(tmp_path: Path) -> None:
    reader = SimpleNamespace(sentences=lambda directory, split: [Sentence(split, ["a"])],
                             ceiling=lambda directory, split: None)
    features.extract(features.Settings(min_count=1), tmp_path, reader, tmp_path, tmp_path)
    assert read_json(tmp_path / "ceiling.json") == {}
    assert read_items(tmp_path) == [Item("test", 2, [])]


@pytest.mark.parametrize("found, message", [
    ([], "no sentences"), ([Sentence("s-7", ["a", "<eos>"])], "s-7.*<eos>")])
def test_text_that_cannot_be_a_stream_is_refused(tmp_path: Path, found: list[Sentence],
                                                 message: str) -> None:
    reader = SimpleNamespace(sentences=lambda directory, split: found,
                             ceiling=lambda directory, split: None)
    with pytest.raises(UserError, match=message):
        features.extract(features.Settings(min_count=1), tmp_path, reader, tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_stream_is_named(extracted: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="split 'train' cannot be read"):
        Stream.read(tmp_path, "train")
    Stream(np.zeros(4, np.int32), np.array([3], np.int32)).write(tmp_path, "train")
    with pytest.raises(UserError, match="4 tokens, its sentences 3"):
        Stream.read(tmp_path, "train")
