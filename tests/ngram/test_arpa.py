"""Our ARPA file as KenLM reads it."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.ngram import arpa
from pipeline.ngram.kneser_ney import estimate
from pipeline.storage.words import escaped, unescaped
from tests.ngram.corpora import END, random_sentences, stream

WORDS = ["<unk>", END, *"abcdefghijklmnop"]


@pytest.mark.parametrize("order", [2, 4])
def test_kenlm_reads_the_same_probabilities(tmp_path: Path, order: int) -> None:
    kenlm = pytest.importorskip(
        "kenlm", reason="KenLM is not installed, so our ARPA files go unchecked by another "
                        "reader: pip install kenlm")
    model = estimate(stream(random_sentences(150, seed=2), WORDS), len(WORDS), 1, order)
    arpa.write(tmp_path / "model.arpa", model, WORDS)
    read = kenlm.Model(str(tmp_path / "model.arpa"))
    assert read.order == order
    for sentence in [*random_sentences(40, seed=11), ["<unk>", "a", "<unk>", "b"], []]:
        theirs = [score for score, _, _ in read.full_scores(" ".join(sentence))]
        ours = model.score(stream([sentence], WORDS)) / np.log(10)
        assert ours == pytest.approx(theirs, abs=2e-6)


def test_sections_state_their_sizes(tmp_path: Path) -> None:
    model = estimate(np.array([2, 3, 1, 2, 1]), 4, 1, 2)
    arpa.write(tmp_path / "model.arpa", model, ["<unk>", "end", "a", "b"])
    lines = (tmp_path / "model.arpa").read_text().splitlines()
    assert lines[:3] == ["\\data\\", "ngram 1=5", "ngram 2=4"] and lines[-1] == "\\end\\"
    bigrams = [line.split("\t")[1] for line in lines[lines.index("\\2-grams:") + 1:]
               if "\t" in line]
    assert sorted(bigrams) == ["<s> a", "a </s>", "a b", "b </s>"]


ODD = ["<s>", "</s>", "<UNK>", "", "\\data\\", "\\end\\", r"\u0020", r"\e", " ", "\t", "\n", "\r",
       "two words", "a\u2028b", "2\u00a01/2", "\x85", "\ufeff", "\ud800",
       r"either\/or", "\u65e5\u672c"]


def test_every_word_comes_back_whoever_reads_the_file(tmp_path: Path) -> None:
    """Read by any of Python's ways to cut a text, and by KenLM where it is installed."""
    words = ["<unk>", "end", *ODD]
    text = np.array([*range(2, len(words)), 1, 5, 2, 3, 1])
    model = estimate(text, len(words), 1, 2)
    arpa.write(tmp_path / "model.arpa", model, words)
    lines = (tmp_path / "model.arpa").read_text("utf-8").splitlines()
    begins = lines.index("\\1-grams:") + 1
    unigrams = [line.split() for line in lines[begins : begins + len(words) + 1]]
    assert {len(fields) for fields in unigrams} == {3}
    assert [unescaped(word) for _, word, _ in unigrams] == ["<unk>", "</s>", *ODD, "<s>"]
    kenlm = pytest.importorskip("kenlm")
    read = kenlm.Model(str(tmp_path / "model.arpa"))
    theirs = [score for score, _, _ in read.full_scores(
        " ".join(escaped(word, arpa.RESERVED) for word in ODD))]
    ours = model.score(np.array([*range(2, len(words)), 1])) / np.log(10)
    assert ours == pytest.approx(theirs, abs=2e-6)


def test_words_that_do_not_fit_the_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected 4 words"):
        arpa.write(tmp_path / "model.arpa", estimate(np.array([2, 3, 1]), 4, 1, 2),
                   ["<unk>", END, "a"])
    assert not list(tmp_path.iterdir())
