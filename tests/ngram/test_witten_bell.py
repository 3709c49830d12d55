"""The vectorised estimator against the paper's formula over dictionaries, and on AN4."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora import an4
from pipeline.entries import CorpusSettings
from pipeline.ngram.model import NgramModel
from pipeline.ngram.witten_bell import estimate
from tests.ngram.corpora import END, START, random_sentences, stream

WORDS = ["<unk>", END, *"abcdefghijklmnop"]


def textbook(sentences: Sequence[Sequence[str]], context: tuple[str, ...], word: str) -> float:
    """Chen and Goodman 1999, section 2.4, by counting what follows the context."""
    lower = textbook(sentences, context[1:], word) if context else 1 / len(WORDS)
    followers: Counter[str] = Counter()
    for sentence in sentences:
        tokens = [START, *sentence, END]
        followers.update(tokens[place] for place in range(max(1, len(context)), len(tokens))
                         if tuple(tokens[place - len(context):place]) == context)
    if not followers:
        return lower
    total, types = sum(followers.values()), len(followers)
    return (followers[word] + types * lower) / (total + types)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [3, 60])
def test_every_probability_is_the_papers(order: int, count: int) -> None:
    sentences = random_sentences(count, seed=order)
    model = estimate(stream(sentences, WORDS), len(WORDS), 1, order)
    ids = {START: model.start, **{word: number for number, word in enumerate(WORDS)}}
    for sentence in [*random_sentences(4, seed=99), sentences[0], ["<unk>", "a"]]:
        context: tuple[str, ...] = (START,)
        for word in (*sentence, END):
            found = model.log_probability([ids[item] for item in context], ids[word])
            used = context[-(order - 1):] if order > 1 else ()
            assert np.exp(found) == pytest.approx(textbook(sentences, used, word), rel=1e-5)
            context = (*context, word)


def test_by_hand() -> None:
    """Of "a a b", ids 2 2 3, and its end: unigram of a = (2 + 3/5) / (4 + 3); after a one a, one b,
    so p(a | a) = (1 + 2 * 13/35) / (2 + 2)."""
    model = estimate(np.array([2, 2, 3, 1]), 5, 1, 2)
    assert np.exp(model.log_probability((4,), 2)) == pytest.approx(13 / 35)
    assert np.exp(model.log_probability((2,), 2)) == pytest.approx((1 + 26 / 35) / 4)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_probabilities_after_any_context_sum_to_one(order: int) -> None:
    model = estimate(stream(random_sentences(20, seed=5), WORDS), len(WORDS), 1, order)
    for context in ((model.start,), (2,), (model.start, 2), (2, 3, 4), (0,)):
        assert np.exp(model.distribution(context)).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("tokens, order, message", [
    ([2, 3], 2, "not closed"), ([], 2, "not closed"), ([2, 7, 1], 2, "outside 0 .. 4"),
    ([-1, 1], 2, "outside"), ([2, 1], 0, "at least 1")])
def test_what_is_no_text_is_refused(tokens: list[int], order: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimate(np.array(tokens, dtype=np.int32), 5, 1, order)


@pytest.fixture(scope="module")
def corpus(real_corpus: Callable[[CorpusSettings], Path]) -> Path:
    return real_corpus(an4.Settings(module="an4"))


def test_an4_has_its_known_perplexities(corpus: Path) -> None:
    """All 948 training transcripts; 101 words of the dictionary and the end, which is predicted."""
    words = [END, *sorted(an4.lexicon(corpus))]
    texts = {split: [item.text.split() for item in an4.utterances(corpus, split)]
             for split in ("train", "valid", "test")}
    training, test = (stream(sentences, words) for sentences in (
        texts["train"] + texts["valid"], texts["test"]))
    assert len(words) == 102 and len(test) == 773 + 130

    def perplexity(model: NgramModel) -> float:
        return float(np.exp(-model.score(test).mean()))

    assert [perplexity(estimate(training, 102, 0, order)) for order in (1, 2, 3)] == pytest.approx(
        [40.67, 20.52, 18.98], abs=0.005)


def test_the_packaged_model_gives_every_word_one_probability(corpus: Path) -> None:
    """10^2.0253 = 106 of them, the end among them; two words of the dictionary it does not know."""
    text = (corpus / "an4" / "etc" / "an4.lm").read_text()
    unigrams = text.split("\n\\1-grams:\n")[-1].split("\\2-grams:")[0]
    logs = {word: log for log, word, _ in map(str.split, unigrams.strip().split("\n"))}
    assert len(logs) == 107 and {"</s>", "<UNK>"} <= logs.keys()
    assert set(an4.lexicon(corpus)) - logs.keys() == {"NOVEMBER", "THIRTEEN"}
    assert {log for word, log in logs.items() if word != "<s>"} == {"-2.0253"}
