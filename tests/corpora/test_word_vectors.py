"""Text with lists of words: the publishers' counts, the twin's classes and questions, damage."""

from collections import Counter
from pathlib import Path

import pytest

from pipeline.corpora import penn_treebank, word_vectors
from pipeline.corpora.kinds import Analogy, RatedPair
from pipeline.corpora.twins.grammar import english, word_classes
from pipeline.errors import UserError

TWIN = word_vectors.Settings(module="word_vectors", twin=word_vectors.TwinSettings(
    seed=5, train=60, valid=20, test=1, questions=30))


@pytest.fixture
def twin(tmp_path: Path) -> Path:
    word_vectors.prepare(TWIN, tmp_path, None)
    return tmp_path


def test_the_lists_have_their_published_counts(mirror: Path, tmp_path: Path) -> None:
    word_vectors.prepare(word_vectors.Settings(module="word_vectors", twin=None), tmp_path, mirror)
    tests = word_vectors.word_tests(tmp_path)
    assert Counter(pair.source for pair in tests.pairs) == {"wordsim353": 353, "simlex999": 999}
    assert tests.pairs[1] == RatedPair("wordsim353", ("tiger", "cat"), 7.35)
    assert len(tests.analogies) == 19_544 and len(set(tests.analogies)) == 19_544
    assert len({item.section for item in tests.analogies}) == 14
    assert tests.analogies[0] == Analogy("capital-common-countries", "athens", "greece",
                                         "baghdad", "iraq")
    assert tests.classes == {}
    assert word_vectors.sentences(tmp_path, "valid") == penn_treebank.sentences(tmp_path, "valid")


def test_the_twin_has_the_grammars_text_classes_and_questions(twin: Path) -> None:
    assert [item.words for item in word_vectors.sentences(twin, "train")] == [
        item.words for item in english.generate(60, 5)]
    tests = word_vectors.word_tests(twin)
    assert tests.classes == word_classes.classes() and tests.pairs == []
    questions = Counter(item.section for item in tests.analogies)
    assert questions == dict.fromkeys(word_classes.relations(), 30)


def test_words_of_a_class_are_drawn_from_one_symbol() -> None:
    """Tags and text of 3,000 sentences: a word's tags are those that its classes allow."""
    tags: dict[str, set[str]] = {}
    for sentence in english.generate(3000, 2):
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            tags.setdefault(word, set()).add(tag)
    classes = word_classes.classes()
    expected = {"N[thing]": "NN", "N[either]": "NN", "N[things]": "NNS", "NAME[man]": "NNP",
                "VBG.plain": "VBG", "PASSIVE": "VBN", "JJ.person": "JJ", "MODAL": "MD"}
    for name, tag in expected.items():
        assert all(tag in tags[word] for word in classes[name] if word in tags), name
    assert set(classes["DET.s"]) == {"the", "a", "an", "this", "every", "another"}
    assert {"engineer", "nurse", "friend"} < set(classes["N[either]"])
    assert "engineer" not in classes["N[man]"] and len(classes["N[man]"]) == 8


def test_relations_leave_ambiguous_words_out() -> None:
    relations = word_classes.relations()
    assert ("child", "children") in relations["plural"]
    assert ("knife", "knives") in relations["plural"]
    assert ("take", "took") in relations["past-tense"]
    assert ("king", "queen") in relations["gender"]
    words = {word for pairs in relations.values() for pair in pairs for word in pair}
    assert words.isdisjoint({"can", "will", "bill", "cook", "saw", "left"})


def test_a_question_asks_for_a_word_that_is_not_like_its_second() -> None:
    classes = [set(words) for words in word_classes.classes().values()]
    for questions in word_classes.questions(50, 1).values():
        assert len(set(questions)) == len(questions)
        for _, b, _, d in questions:
            assert not any({b, d} <= words for words in classes)


def test_the_same_seed_writes_the_same_bytes(twin: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    word_vectors.prepare(TWIN, other, None)
    for path in other.iterdir():
        assert path.read_bytes() == (twin / path.name).read_bytes()


@pytest.mark.parametrize(("name", "content", "message"), [
    ("questions-words.txt", "a b c d\n", r"questions-words.txt, line 1: expected ': section'"),
    ("questions-words.txt", ": one\na b c d\na b c\n", "questions-words.txt, line 3"),
    ("word-classes.txt", "N a b\nV\n", "word-classes.txt, line 2"),
    ("wordsim353.tsv", "# words\na\tb\t1.5\na\tb\n", "wordsim353.tsv, line 3: expected two words"),
    ("simlex999.txt", "a\tb\tmuch\n", "simlex999.txt, line 1"),
])
def test_damage_is_named(twin: Path, name: str, content: str, message: str) -> None:
    if name.startswith(("wordsim", "simlex")):
        (twin / "word-classes.txt").unlink()
        for list_name in ("wordsim353.tsv", "simlex999.txt"):
            (twin / list_name).write_text("a\tb\t1\n")
    (twin / name).write_text(content)
    with pytest.raises(UserError, match=message):
        word_vectors.word_tests(twin)


def test_a_missing_list_is_named(twin: Path) -> None:
    (twin / "questions-words.txt").unlink()
    with pytest.raises(UserError, match="questions-words.txt does not exist"):
        word_vectors.word_tests(twin)


def test_no_question_is_asked_twice() -> None:
    for relation, found in word_classes.questions(10_000, seed=1).items():
        assert len(set(found)) == len(found) > 0, relation
