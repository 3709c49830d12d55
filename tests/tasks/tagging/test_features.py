"""What training gets, what evaluation gets, and batches."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.corpora.kinds import TaggedSentence
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.tasks.tagging import features
from pipeline.tasks.tagging.shared.batching import SentenceBatches
from pipeline.tasks.tagging.shared.text import NO_TAG, Text
from pipeline.tasks.tagging.shared.vocabulary import UNKNOWN, Vocabulary, normalised

from .conftest import READER, TEXTS


def test_training_gets_training_and_validation_alone(extracted: Path) -> None:
    assert {path.name.split(".")[0] for path in (extracted / "fit").iterdir()} == {
        "spec", "train", "valid"}
    spec = read_json(extracted / "fit" / "spec.json")
    assert spec["tags"] == [".", "DT", "MD", "NN", "NNP", "NNS", "VB", "VBP", "VBZ"]
    assert spec["forms"][:3] == ["the", ".", "Mary"] and spec["counts"][:3] == [60, 48, 24]
    assert "horse" not in spec["forms"]


def test_a_text_comes_back(extracted: Path) -> None:
    text = Text.read(extracted / "fit", "valid")
    tags = read_json(extracted / "fit" / "spec.json")["tags"]
    assert [text.forms[word] for word in text.words[:8]] == [
        "the", "dogs", "will", "bark", ".", "Oh", "the", "cat"]
    assert [tags[tag] if tag != NO_TAG else None for tag in text.tags[:8]] == [
        "DT", "NNS", "MD", "VBP", ".", None, "DT", "NN"]
    assert text.lengths.tolist() == [5, 3, 2] * 3
    places, mask = text.places(np.array([2, 0]))
    assert places.tolist() == [[8, 9, 0, 0, 0], [0, 1, 2, 3, 4]]
    assert mask.sum(axis=1).tolist() == [2, 5]


def test_the_test_set_has_its_tags_for_the_scorer_alone(extracted: Path) -> None:
    text = Text.read(extracted / "test", "test")
    assert set(text.tags.tolist()) == {NO_TAG}
    items = read_json(extracted / "test" / "items.json")
    assert items[0] == {"id": "test-0", "tags": ["DT", "NN", "MD", "VB", "."],
                        "known": [True, False, True, True, True]}
    assert items[1] == {"id": "test-1", "tags": [], "known": []}
    assert read_json(extracted / "test" / "ceiling.json") == {}


def test_new_tags_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    features.extract(features.Settings(column="upos", generated=True), tmp_path, READER, tmp_path,
                     tmp_path)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("dev: 3 words have a tag that training never saw (UH)")
    assert printed[1].startswith("test: 2 words") and "each counts as an error" in printed[1]
    assert read_json(tmp_path / "ceiling.json")["accuracy"] == 100.0


def test_a_split_without_words_is_refused(tmp_path: Path) -> None:
    reader = SimpleNamespace(tagged=lambda directory, split, column: [
        TaggedSentence("s", ["a"] if split == "train" else [], ["DT"] if split == "train" else [],
                       cluster="d")])
    with pytest.raises(UserError, match="split 'dev' has no words"):
        features.extract(features.Settings(column="xpos", generated=False), tmp_path, reader,
                         tmp_path, tmp_path)


def test_a_damaged_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train.forms.json does not exist"):
        Text.read(tmp_path, "train")
    Text.of([["a", "b"]]).write(tmp_path, "train")
    np.save(tmp_path / "train.tags.npy", np.zeros(1, np.int32))
    with pytest.raises(UserError, match="'train' has 2 words, 1 tags, and sentences of 2 words"):
        Text.read(tmp_path, "train")
    (tmp_path / "train.tags.npy").write_bytes(b"")
    with pytest.raises(UserError, match="'train' cannot be read"):
        Text.read(tmp_path, "train")


def test_the_vocabulary_keeps_letters_that_numbers_lose() -> None:
    spec = {"forms": ["The", "the", "1990", "cat"], "counts": [2, 5, 1, 1]}
    vocabulary = Vocabulary(spec)
    assert normalised("The-99") == "the-00"
    assert vocabulary.numbers(["THE", "2024", "dog", "cat"]).tolist() == [1, 2, UNKNOWN, 3]
    assert vocabulary.counts.tolist() == [0, 7, 1, 1]
    letters, lengths = vocabulary.spelling(["Tea", "x", "c" * 50])
    # The letters in code-point order: 0 1 9 T a c e h t.
    assert letters[0, :3].tolist() == [4, 7, 5] and letters[1, 0] == UNKNOWN
    assert lengths.tolist() == [3, 1, 20] and letters.shape == (3, 20)
    head_and_tail = "https://" + "?" * 30 + "a" * 12
    assert vocabulary.spelling([head_and_tail])[0][0, 8:].tolist() == [5] * 12


def test_batches_have_every_sentence_once_and_no_empty_one(extracted: Path) -> None:
    vocabulary = Vocabulary(read_json(extracted / "fit" / "spec.json"))
    text = Text.of([line.replace("/", " ").split()[::2] for line in TEXTS["train"][:10]] + [[]])
    batches = SentenceBatches(text, vocabulary, 4, seed=1)
    plans = [batches.plan(0), batches.plan(0), batches.plan(1)]
    assert [part.tolist() for part in plans[0]] == [part.tolist() for part in plans[1]]
    assert [part.tolist() for part in plans[0]] != [part.tolist() for part in plans[2]]
    assert sorted(np.concatenate(plans[0]).tolist()) == list(range(10))
    for batch in map(batches.load, plans[0]):
        mask, forms = batch["mask"], batch["forms"]
        words = text.words[batch["places"][mask].numpy()]
        letters, _ = vocabulary.spelling([text.forms[word] for word in words])
        found = batch["letters"][forms[mask]].numpy()
        assert np.array_equal(found, letters[:, : found.shape[1]])
        assert batch["words"][mask].tolist() == vocabulary.numbers(
            [text.forms[word] for word in words]).tolist()
