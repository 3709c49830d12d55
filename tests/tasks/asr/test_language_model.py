"""Language models score characters or words as their n-grams do; a lexicon forbids others."""

import math
from itertools import product

import numpy as np
import pytest

from pipeline.ngram.kneser_ney import estimate
from pipeline.ngram.model import NgramModel
from pipeline.ngram.witten_bell import estimate as witten_bell
from pipeline.nn.ctc import PrefixModel, prefix_beam_search, prefix_n_best, string_log_probability
from pipeline.tasks.asr.shared.language_model import (
    CharacterModel,
    LexiconModel,
    WeightedModel,
    WordModel,
    totals,
)

TEXTS = ["A B", "A C A", "B A"]
SYMBOLS = [" ", "A", "B", "C"]


def gains(model: PrefixModel, text: str) -> tuple[list[float], float]:
    """What the model says of each symbol of a text, and of its end."""
    state, found = np.array([model.start()]), []
    for character in text:
        gain, state = model.extend(state, np.array([SYMBOLS.index(character) + 1]))
        found.append(float(gain[0]))
    return found, float(model.finish(state)[0])


def total(model: PrefixModel, text: str) -> float:
    found, end = gains(model, text)
    return sum(found) + end


def test_word_model_scores_words_where_they_end() -> None:
    model = WordModel(TEXTS, SYMBOLS, order=2, alpha=0.7, beta=0.3)
    # Words A, B, C are 0, 1, 2; 3 is any other word, 4 the end.
    oracle = estimate(np.array([0, 1, 4, 0, 2, 0, 4, 1, 0, 4]), types=5, end=4, order=2)
    logs = [oracle.log_probability((oracle.start,), 0), oracle.log_probability((0,), 3),
            oracle.log_probability((3,), 4)]
    found, end = gains(model, "A BC ")
    assert found == pytest.approx([0, 0.7 * logs[0] + 0.3, 0, 0, 0.7 * logs[1] + 0.3])
    assert end == pytest.approx(0.7 * logs[2])


def test_word_model_closes_the_last_word_at_the_end() -> None:
    model = WordModel(TEXTS, SYMBOLS, order=2, alpha=1.0, beta=0.0)
    assert total(model, "A B") == pytest.approx(total(model, "A B "))
    assert total(model, "A B") == pytest.approx(total(model, " A   B"))
    assert total(model, "A B") != pytest.approx(total(model, "A C"))


def test_letters_that_begin_no_word_go_on_to_be_one_unknown_word() -> None:
    texts = ["AB C", "AB AB", "C"]
    model = WordModel(texts, SYMBOLS, order=2, alpha=1.0, beta=0.0)
    oracle = estimate(np.array([0, 1, 3, 0, 0, 3, 1, 3]), types=4, end=3, order=2)
    unknown = (oracle.log_probability((oracle.start,), 2) + oracle.log_probability((2,), 0)
               + oracle.log_probability((0,), 3))
    # One that only begins a word, one that goes on behind a word, one that begins none.
    for word in ("A", "ABC", "ABAB", "BAC"):
        assert total(model, f"{word} AB") == pytest.approx(unknown)


def test_character_model_scores_each_character() -> None:
    model = CharacterModel(TEXTS, SYMBOLS, order=3, alpha=0.5, beta=0.25)
    tokens = [number for text in TEXTS for number in (*(" ABC".index(c) + 1 for c in text), 5)]
    oracle = estimate(np.array(tokens), types=6, end=5, order=3)
    found, end = gains(model, "BA A")
    contexts = [(oracle.start,), (oracle.start, 3), (3, 2), (2, 1)]
    assert found == pytest.approx([0.5 * oracle.log_probability(context, symbol) + 0.25
                                   for context, symbol in zip(contexts, (3, 2, 1, 2),
                                                              strict=True)])
    assert end == pytest.approx(0.5 * oracle.log_probability((1, 2), 5))


def test_a_language_model_decides_what_the_sound_leaves_open() -> None:
    # B and C are equally loud; after A the training texts have B three times as often.
    emissions = np.log(np.array([[0.01, 0.01, 0.97, 0.005, 0.005], [0.97, 0.0075, 0.0075, 0.0075,
                                 0.0075], [0.02, 0.01, 0.01, 0.475, 0.485]]))
    texts = ["AB", "AB", "AB", "AC"]
    for alpha, answer in ((0.0, [2, 4]), (1.0, [2, 3])):
        model = CharacterModel(texts, SYMBOLS, order=2, alpha=alpha, beta=0.0)
        assert prefix_beam_search(emissions, model, beam=50, least_posterior=0.0) == answer


@pytest.mark.parametrize("kind", [CharacterModel, WordModel])
def test_a_score_is_linear_in_the_weights(kind: type[CharacterModel | WordModel]) -> None:
    model: WeightedModel = kind(TEXTS, SYMBOLS, order=2, alpha=0.5, beta=2.0)
    strings = [[2, 1, 3, 4], [2], []]  # "A BC", "A" and nothing
    fluency, units = (totals(model.weighted(*pair), strings) for pair in ((1.0, 0.0), (0.0, 1.0)))
    assert units.tolist() == ([4, 1, 0] if kind is CharacterModel else [2, 1, 0])
    assert totals(model, strings) == pytest.approx(0.5 * fluency + 2.0 * units)
    assert totals(model, strings) == pytest.approx([total(model, "A BC"), total(model, "A"),
                                                    total(model, "")])


LEXICON = ["A", "AB", "CAB", "B"]


def bigram() -> NgramModel:
    """Over the lexicon's words and the end, 4: "CAB A", "A AB", "AB", "CAB AB"."""
    return witten_bell(np.array([2, 0, 4, 0, 1, 4, 1, 4, 2, 1, 4]), types=5, end=4, order=2)


def lexicon_model(alpha: float = 0.8, beta: float = -0.4) -> LexiconModel:
    return LexiconModel(bigram(), LEXICON, SYMBOLS, alpha, beta)


def test_a_lexicon_scores_its_sentences_by_the_bigram() -> None:
    model, oracle = lexicon_model(), bigram()
    for words in [(), (1,), (2, 0), (3, 3, 2)]:
        path = (oracle.start, *words, 4)
        logs = sum(oracle.log_probability((a,), b)
                   for a, b in zip(path, path[1:], strict=False))
        assert total(model, " ".join(LEXICON[word] for word in words)) == pytest.approx(
            0.8 * logs - 0.4 * len(words))


@pytest.mark.parametrize(("text", "forbidden"), [
    (" ", 0), ("C", None), ("CA", None), ("CB", 1), ("CA ", 2), ("A  ", 2), ("A ", None),
    ("ABA", 2), ("AC", 1), ("BB", 1)])
def test_a_lexicon_forbids_what_it_does_not_spell(text: str, forbidden: int | None) -> None:
    found, end = gains(lexicon_model(), text)
    assert [place for place, gain in enumerate(found) if gain == -math.inf] == (
        [] if forbidden is None else [forbidden])
    assert end == -math.inf or forbidden is not None


@pytest.mark.parametrize("seed", range(8))
def test_a_search_within_a_lexicon_ranks_its_sentences(seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 1.5, (7, 5))
    emissions = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    model = lexicon_model()
    scores = {}
    for count in range(5):
        for words in product(LEXICON, repeat=count):
            text = " ".join(words)
            sound = string_log_probability(emissions, [SYMBOLS.index(c) + 1 for c in text])
            if sound > -math.inf:
                scores[text] = sound + total(model, text)
    (found,) = prefix_n_best([emissions], model, 10_000, 0.0, count=10_000)
    texts = ["".join(SYMBOLS[symbol - 1] for symbol in one.symbols) for one in found]
    assert texts == sorted(scores, key=scores.__getitem__, reverse=True)
    assert [one.score for one in found] == pytest.approx([scores[text] for text in texts])


def test_a_lexicon_of_one_word_hears_nothing_else() -> None:
    # The sound says "B" clearly, twice with a gap.
    emissions = np.log(np.array([[0.1, 0.1, 0.1, 0.6, 0.1], [0.6, 0.1, 0.1, 0.1, 0.1]] * 2))
    model = LexiconModel(witten_bell(np.array([0, 1]), 2, 1, 1), ["CA"], SYMBOLS, 0.0, 50.0)
    assert prefix_beam_search(emissions, model, 100, 0.0) == [4, 2]


@pytest.mark.parametrize(("words", "said"), [
    (["A", "AD"], "no symbol writes 'D' of the word 'AD'"), (["A B"], "no symbol writes ' '"),
    (["A", ""], "the word '' is empty"), (["A", "B", "A"], "the word 'A' is empty, or there twice"),
])
def test_words_that_cannot_be_a_lexicon_are_refused(words: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LexiconModel(bigram(), words, SYMBOLS, 1.0, 0.0)
