"""Vocabulary, texts and the two halves of the test items."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.corpora.kinds import Analogy, Sentence, WordTests
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.tasks.embeddings import features
from pipeline.tasks.embeddings.shared.items import Items
from pipeline.tasks.embeddings.shared.text import read_ids
from tests.tasks.embeddings.conftest import TESTS


def test_rare_words_and_the_texts_own_unknown_words_are_counted_as_one() -> None:
    texts = [["b", "a", "<unk>"], ["c", "b", "a", "d"], ["c", "c"]]
    assert features.vocabulary(texts, 1) == {"<unk>": 1, "c": 3, "a": 2, "b": 2, "d": 1}
    assert features.vocabulary(texts, 2) == {"<unk>": 2, "c": 3, "a": 2, "b": 2}


def test_a_break_follows_each_sentence(extracted: Path) -> None:
    words = read_json(extracted / "fit" / "spec.json")["words"]
    ids = read_ids(extracted / "fit", "valid", len(words))
    assert [words[number] if number >= 0 else "|" for number in ids[:14]] == [
        "the", "cat", "sees", "|", "a", "dog", "sees", "the", "cat", "|", "cats", "see", "dogs",
        "|"]
    assert words[ids[14]] == "<unk>" and words[ids[0]] == "the"


def test_test_items_are_not_among_the_training_data(extracted: Path) -> None:
    assert {path.relative_to(extracted / "fit").as_posix()
            for path in (extracted / "fit").rglob("*") if path.is_file()} == {
        "spec.json", "train.npy", "valid.npy", "validation/clusters.json", "validation/items.json"}
    halves = [Items.read(extracted / part) for part in ("fit/validation", "test")]
    # "see" has no mate, "cow" is not in the text.
    assert [half.words for half in halves] == [["a", "cats", "dogs", "sees"],
                                               ["cat", "dog", "horse", "the"]]
    assert [half.analogies for half in halves] == [
        [TESTS.analogies[0], TESTS.analogies[1], TESTS.analogies[3]], [TESTS.analogies[2]]]
    assert [half.pairs for half in halves] == [[], TESTS.pairs]
    assert halves[1].rare == {"horse"}
    assert read_json(extracted / "test" / "ceiling.json") == {"neighbours": 100.0}


def test_mates_share_a_class_and_are_in_the_vocabulary(extracted: Path) -> None:
    items = Items.read(extracted / "test")
    assert items.mates("cat") == {"dog", "horse"}
    assert items.mates("horse") == {"cat", "dog", "sees"}
    assert items.alike("horse", "sees") and not items.alike("cat", "sees")
    assert items.alike("unicorn", "unicorn") and not items.alike("unicorn", "cat")


def test_no_first_pair_is_in_both_halves_of_real_questions(mirror: Path) -> None:
    from pipeline.corpora import word_vectors

    tests = WordTests({}, word_vectors._analogies(mirror / "word_eval/questions-words.txt"), [])
    halves = [features.items(tests, {"<unk>": 0}, 1, half) for half in (0, 1)]
    firsts = [{(item.section, item.a, item.b) for item in half.analogies} for half in halves]
    assert not firsts[0] & firsts[1]
    assert sum(len(half.analogies) for half in halves) == 19_544
    assert len(set(halves[1].ids)) == len(halves[1].ids) > 8000


def test_a_text_without_neighbours_is_refused(tmp_path: Path) -> None:
    reader = SimpleNamespace(sentences=lambda directory, split: [
        Sentence(split, ["a"], cluster="b")] * 3)
    with pytest.raises(UserError, match="no sentence of split 'train' has two words"):
        features.extract(features.Settings(min_count=1, rare_below=1), tmp_path, reader, tmp_path,
                         tmp_path)
    assert not list(tmp_path.iterdir())


def test_damaged_features_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train\.npy cannot be read"):
        read_ids(tmp_path, "train", 5)
    np.save(tmp_path / "train.npy", np.array([3, 5, -1], np.int32))
    with pytest.raises(UserError, match="expected word ids below 5"):
        read_ids(tmp_path, "train", 5)
    (tmp_path / "items.json").write_text("{}")
    with pytest.raises(UserError, match="items.json holds no test items"):
        Items.read(tmp_path)


def test_no_two_questions_have_one_id() -> None:
    questions = [Analogy("s", "a-b", "c", "d", "e"), Analogy("s", "a", "b-c", "d", "e"),
                 Analogy("s/x", "a", "b", "c", "d"), Analogy("s", "x/a", "b", "c", "d"),
                 Analogy("s", "a\\", "b", "c", "d"), Analogy("s", "a\\-b", "c", "d", "e")]
    ids = Items(set(), analogies=questions).ids
    assert len(set(ids)) == len(questions)
    assert Items(set(), analogies=[Analogy("s", "a", "b", "c", "d")]).ids == ["s/a-b-c-d"]
