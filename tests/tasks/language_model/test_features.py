"""Vocabulary, streams and items, in words and in characters."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.corpora.kinds import Line, Sentence
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.tasks.language_model import features
from pipeline.tasks.language_model.shared.items import Item, read_items, read_unit
from pipeline.tasks.language_model.shared.stream import Stream

WORDS = features.Settings(unit="word", min_count=1)
CHARACTERS = features.Settings(unit="character", min_count=1)


def test_vocabulary_is_ordered_by_frequency_then_spelling() -> None:
    texts = [["b", "a", "<unk>", "<eos>"], ["c", "b", "a", "d", "<eos>"], ["c", "c", "<eos>"]]
    assert features.vocabulary(texts, 1, "<eos>") == ["<unk>", "<eos>", "c", "a", "b", "d"]
    assert features.vocabulary(texts, 2, "<eos>") == ["<unk>", "<eos>", "c", "a", "b"]


def test_streams_close_each_sentence_and_mark_unknown_words(extracted: Path) -> None:
    words = read_json(extracted / "fit" / "spec.json")["vocabulary"]
    test = Stream.read(extracted / "test", "test")
    assert test.tokens.dtype == np.int32
    assert [words[token] for token in test.tokens] == [
        "the", "cat", "<unk>", "the", "dog", "sees", "<unk>", "<eos>", "the", "dog", "<eos>",
        "<eos>", "a", "<unk>", "sees", "<eos>"]
    assert test.lengths.tolist() == [8, 3, 1, 4]


def test_characters_are_all_of_the_text_newlines_included(characters: Path) -> None:
    spec = read_json(characters / "fit" / "spec.json")
    assert spec["unit"] == "character" and spec["vocabulary"][:3] == ["<unk>", "\n", " "]
    test = Stream.read(characters / "test", "test")
    text = "".join(spec["vocabulary"][token] for token in test.tokens)
    # No p, l, r or n[ot] in the training text: sleeps, horse.
    assert text == ("the cat that the dog sees s<unk>ee<unk>s\nthe dog\n\n"
                    "a ho<unk>se sees\n")
    assert test.lengths.tolist() == [33, 8, 1, 13]
    assert read_items(characters / "test")[0].marked == [26, 27, 28, 29, 30, 31]


def test_test_data_and_training_data_are_apart(extracted: Path) -> None:
    assert {path.name for path in (extracted / "fit").iterdir()} == {
        "spec.json", "train.tokens.npy", "train.lengths.npy", "valid.tokens.npy",
        "valid.lengths.npy"}
    assert read_unit(extracted / "test") == "word"
    assert read_items(extracted / "test") == [
        Item("test-0", 8, [6]), Item("test-1", 3, []), Item("test-2", 1, []),
        Item("test-3", 4, [])]


def test_the_ceiling_spreads_the_same_probability_over_words_or_characters(
        extracted: Path, characters: Path) -> None:
    # 32 bits in all: 2 for each of 16 words and ends, or 32 / 55 for each of 55 characters.
    assert read_json(extracted / "test" / "ceiling.json") == {"perplexity": pytest.approx(4.0)}
    assert read_json(characters / "test" / "ceiling.json") == {
        "bits_per_character": pytest.approx(32 / 55)}


def test_a_real_corpus_has_no_ceiling_and_no_marks(tmp_path: Path) -> None:
    reader = SimpleNamespace(sentences=lambda directory, split: [
        Sentence(split, ["a"], cluster="b")])
    features.extract(WORDS, tmp_path, reader, tmp_path, tmp_path)
    assert read_json(tmp_path / "ceiling.json") == {}
    assert read_items(tmp_path) == [Item("test", 2, [])]


@pytest.mark.parametrize("settings, found, message", [
    (WORDS, {"sentences": []}, "no sentences"),
    (WORDS, {"sentences": [Sentence("s-7", ["a", "<eos>"], cluster="b")]}, "s-7.*<eos>"),
    (WORDS, {"sentences": [Sentence("s-7", ["a", "<eos>"], place="text.txt, line 7",
                                    cluster="b")]},
     "^text.txt, line 7 holds the word <eos>"),
    (CHARACTERS, {"lines": [Line("l-3", "a\nb\n", [], cluster="b")]}, 
     "l-3.*newline before its end"),
    (CHARACTERS, {"lines": [Line("l-3", "", [], cluster="b")]}, "l-3.*empty")])
def test_text_that_cannot_be_a_stream_is_refused(tmp_path: Path, settings: features.Settings,
                                                 found: dict[str, list], message: str) -> None:
    reader = SimpleNamespace(**{kind: lambda directory, split, items=items: items
                                for kind, items in found.items()})
    with pytest.raises(UserError, match=message):
        features.extract(settings, tmp_path, reader, tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_stream_is_named(extracted: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="split 'train' cannot be read"):
        Stream.read(tmp_path, "train")
    Stream(np.zeros(4, np.int32), np.array([3], np.int32)).write(tmp_path, "train")
    with pytest.raises(UserError, match="4 tokens, its texts 3"):
        Stream.read(tmp_path, "train")
