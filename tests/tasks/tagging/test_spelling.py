"""The unknown-word model by hand, and hand-written features."""

import numpy as np
import pytest

from pipeline.tasks.tagging.shared.spelling import SuffixModel, endings, shape
from pipeline.tasks.tagging.shared.templates import ABSENT, TEMPLATES, FeatureSet
from pipeline.tasks.tagging.shared.text import Text


@pytest.mark.parametrize("form, expected", [
    ("Mid-1990s", "Xx-9x"), ("USA", "X"), ("dog", "x"), ("3.14", "9.9"), ("McDonald", "XxXx"),
    ("a.b.c.d.e", "x.x.x."), (":)", ":)")])
def test_shapes(form: str, expected: str) -> None:
    assert shape(form) == expected


def test_endings_go_from_general_to_special() -> None:
    assert list(endings("Walked", 2)) == ["", "Xx\t", "Xx\td", "Xx\ted"]
    assert list(endings("a", 3)) == ["", "x\t", "x\ta"]


def test_the_suffix_model_by_hand() -> None:
    # Tags of -ed: 3 past, 1 noun ("bed"); of -s: 2 nouns. All lower case.
    counts = np.array([[0.0, 1], [0, 1], [0, 1], [1, 0], [1, 0], [1, 0]])
    model = SuffixModel.fit(["walked", "jumped", "barked", "bed", "cats", "dogs"], counts, 2)
    prior = np.array([4 / 8, 4 / 8])
    # Both tags are equally frequent: their standard deviation, the weight of shorter endings, is 0.
    assert model.probabilities[0] == pytest.approx(prior)
    rows = model.rows(["talked", "birds", "x", "Talked", "42"], 2)
    found = model.probabilities[rows]
    assert found[0] == pytest.approx([0.25, 0.75])
    assert found[1] == pytest.approx([1.0, 0.0])  # "ds" was seen once: "s" it is
    assert found[2] == pytest.approx([0.5, 0.5])
    assert rows[3] == rows[4] == 0  # no capital or digit was seen at all


def test_longer_endings_are_smoothed_by_shorter_ones() -> None:
    counts = np.array([[3.0, 0], [0, 1]])
    model = SuffixModel.fit(["eda", "xxb"], counts, 1)
    prior = np.array([4 / 6, 2 / 6])
    theta = np.std(prior, ddof=1)
    shape_only = (np.array([0.75, 0.25]) + theta * prior) / (1 + theta)
    with_letter = (np.array([1.0, 0.0]) + theta * shape_only) / (1 + theta)
    assert model.probabilities[model.rows(["a", "z"], 1)] == pytest.approx(
        np.stack([with_letter, shape_only]))
    assert model.probabilities.sum(axis=1) == pytest.approx(1.0)


def values(features: FeatureSet, row: np.ndarray) -> dict[str, str]:
    """What each feature of a word stands for."""
    names = [None, *((template.name, value) for template in TEMPLATES
                     for value in features.values[template.name])]
    return dict(names[feature] for feature in row if feature != ABSENT)


def test_features_of_a_word_look_around_within_its_sentence() -> None:
    text = Text.of([["The", "old", "man", "sleeps"], ["Dogs", "bark"]])
    features = FeatureSet.fit(text, min_count=1)
    found = features.of(text)
    assert found.shape == (6, len(TEMPLATES)) and found.max() == len(features) - 1
    old = values(features, found[1])
    assert old["form"] == "old" and old["word -1"] == "the" and old["word +2"] == "sleeps"
    assert old["word -2"] == "\n" and old["shape -1"] == "Xx" and old["suffix 3 +1"] == "man"
    assert old["words -1 0"] == "the\told" and old["words -1 +1"] == "the\tman"
    assert (old["prefix 2"], old["suffix 2"]) == ("ol", "ld") and "suffix 4" not in old
    dogs = values(features, found[4])
    assert dogs["word -1"] == "\n" and dogs["word +1"] == "bark" and dogs["word"] == "dogs"


def test_rare_and_unknown_values_are_absent() -> None:
    text = Text.of([["a", "cat"], ["a", "dog"]])
    features = FeatureSet.fit(text, min_count=2)
    assert features.values["word"] == ["a"] and features.values["words -1 0"] == ["\n\ta"]
    unknown = FeatureSet.fit(text, 1).of(Text.of([["zebra"], []]))
    known = values(FeatureSet.fit(text, 1), unknown[0])
    assert "word" not in known and known["shape"] == "x" and known["suffix 1"] == "a"
    assert unknown.shape == (1, len(TEMPLATES))
    assert FeatureSet.fit(text, 1).of(Text.of([[]])).shape == (0, len(TEMPLATES))


def test_two_pairs_of_words_are_one_feature_only_where_both_words_are_the_same() -> None:
    """A treebank's word may hold a space, or be nothing but a no-break space."""
    text = Text.of([["a b", "c"], ["a", "b c"], ["\xa0", "\xa0 \xa0"], ["\xa0 \xa0", "\xa0"]])
    features = FeatureSet.fit(text, min_count=1)
    second = features.of(text)[1::2, [template.name for template in TEMPLATES].index("words -1 0")]
    assert ABSENT not in second and len(set(second.tolist())) == 4
