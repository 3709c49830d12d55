"""The linear baselines: naive Bayes by hand, logistic regression against scikit-learn."""

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pipeline.errors import UserError
from pipeline.storage.arrays import write_array
from pipeline.storage.files import read_json, write_json
from pipeline.storage.sequences import Sequences, write_sequences
from pipeline.systems.base import Run
from pipeline.tasks.sentence.systems.bag_of_words import BagOfWords, Settings

VARIANTS = {"frequent": {"estimator": "most_frequent"},
            "bayes": {"estimator": "naive_bayes", "smoothing": 1.0},
            "logistic": {"estimator": "logistic", "penalty": 0.5}}


def new(spec: dict, **changes: object) -> BagOfWords:
    return BagOfWords(Settings.model_validate(
        {"track": "t", "model": "bag_of_words", "ngrams": 1, "min_count": 1,
         "variants": VARIANTS, **changes}), spec)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Words 1 to 3; label 0 of (1 2 1) and (2), label 1 of (3 2)."""
    write_json(tmp_path / "spec.json", {"words": ["<unk>", "x", "y", "z"], "labels": ["n", "p"]})
    write_sequences(tmp_path, "train", [[1, 2, 1], [2], [3, 2]])
    write_array(tmp_path / "train.labels.npy", np.array([0, 0, 1]))
    write_sequences(tmp_path, "test", [[1, 3], [0], [3, 3, 3]])
    write_json(tmp_path / "items.json", [{"id": name} for name in "abc"])
    return tmp_path


def fitted(folder: Path, **changes: object) -> BagOfWords:
    system = new(read_json(folder / "spec.json"), **changes)
    assert system.fit(folder, Run(seed=1, work=folder)) == []
    return system


def positive(system: BagOfWords, folder: Path, variant: str) -> list[float]:
    return [found["probabilities"]["p"]
            for found in system.predict(folder, system.settings.variants[variant])]


def test_naive_bayes_by_hand(tiny: Path) -> None:
    # Sets of words: n has {1, 2} and {2}, p has {2, 3}. With 1 added: n 2, 3, 1 of 6; p 1, 2, 2
    # of 5. Test (1 3): n 2/3 * 2/6 * 1/6, p 1/3 * 1/5 * 2/5; nothing known; (3): n 1/9, p 2/15.
    n, p = 2 / 3 * 2 / 6 * 1 / 6, 1 / 3 * 1 / 5 * 2 / 5
    expected = [p / (n + p), 1 / 3, (2 / 15) / (1 / 9 + 2 / 15)]
    assert positive(fitted(tiny), tiny, "bayes") == pytest.approx(expected, abs=1e-6)


def test_the_most_frequent_class_has_its_share(tiny: Path) -> None:
    assert positive(fitted(tiny), tiny, "frequent") == pytest.approx([1 / 3] * 3, abs=1e-6)


def test_logistic_regression_is_that_of_scikit_learn(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    sentences = [random.integers(0, 12, random.integers(1, 7)).tolist() for _ in range(60)]
    labels = np.array([(sum(words) + int(random.integers(3))) % 3 for words in sentences])
    write_json(tmp_path / "spec.json", {"words": list("0123456789xy"),
                                         "labels": list("abc")})
    write_json(tmp_path / "items.json", [{"id": str(i)} for i in range(60)])
    for split in ("train", "test"):
        write_sequences(tmp_path, split, sentences)
    write_array(tmp_path / "train.labels.npy", labels)
    presence = np.array([[word in words for word in range(12)] for words in sentences], float)
    reference = LogisticRegression(C=2.0, tol=1e-8, max_iter=5000).fit(presence, labels)
    system = fitted(tmp_path)
    found = np.array([list(answer["probabilities"].values())
                      for answer in system.predict(tmp_path, system.settings.variants["logistic"])])
    assert found == pytest.approx(reference.predict_proba(presence), abs=1e-4)


def test_pairs_and_triples_are_those_inside_a_sentence(tiny: Path) -> None:
    system = fitted(tiny, ngrams=3)
    # 1 2 3, 12 21 32, 121 in base 5 with words counted from 1.
    assert system.keys.tolist() == [2, 3, 4, 2 * 5 + 3, 3 * 5 + 2, 4 * 5 + 3,
                                    (2 * 5 + 3) * 5 + 2]
    write_sequences(tiny, "other", [[2, 1], [3, 2, 1, 2, 1], [0, 0]])
    assert system.bag(Sequences(tiny, "other")).toarray().tolist() == [
        [1, 1, 0, 0, 1, 0, 0], [1] * 7, [0] * 7]


def test_rare_n_grams_are_left_out(tiny: Path) -> None:
    # Word 2 alone stands in two sentences or more: twice in one sentence, as 1 does, is once.
    system = fitted(tiny, ngrams=3, min_count=2)
    assert system.keys.tolist() == [3]
    assert system.bag(Sequences(tiny, "train")).toarray().tolist() == [[1], [1], [1]]
    with pytest.raises(UserError, match="no n-gram stands in 4 training sentences"):
        fitted(tiny, min_count=4)


def test_order_needs_pairs(extracted: Path) -> None:
    # (a so ... so b): only a word beside a or b tells which comes first.
    spec = read_json(extracted / "fit/spec.json")
    accuracies = []
    for ngrams in (1, 2):
        system = new(spec, ngrams=ngrams)
        system.fit(extracted / "fit", Run(seed=1, work=extracted))
        labels = [item["label"] for item in read_json(extracted / "test/items.json")]
        found = [max(answer["probabilities"], key=answer["probabilities"].get) for answer
                 in system.predict(extracted / "test", system.settings.variants["logistic"])]
        accuracies.append(np.mean([a == b for a, b in zip(found, labels, strict=True)]))
    assert accuracies[0] < 0.75 and accuracies[1] == 1


def test_it_survives_saving_and_counts_its_parameters(tiny: Path, tmp_path: Path) -> None:
    system = fitted(tiny)
    system.save(tmp_path / "model")
    again = BagOfWords.load(tmp_path / "model")
    for name in VARIANTS:
        assert positive(again, tiny, name) == positive(system, tiny, name)
        assert all(math.isfinite(value) for value in positive(again, tiny, name))
    assert again.parameters_count == (3 + 1) * 2


def test_a_variant_that_was_not_fitted_is_named(tiny: Path) -> None:
    system = fitted(tiny)
    other = Settings.model_validate(system.settings.model_dump() | {
        "variants": {"new": {"estimator": "naive_bayes", "smoothing": 3.0}}})
    system.settings = other
    with pytest.raises(UserError, match="has not been fitted with this variant"):
        list(system.predict(tiny, other.variants["new"]))
