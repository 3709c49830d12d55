"""The generated languages: exact probabilities, one derivation a string, marks, translations."""

import math
import statistics
from collections import Counter, defaultdict
from dataclasses import fields
from random import Random

import numpy as np
import pytest

from pipeline.corpora.twins.grammar import english, verb_final
from pipeline.corpora.twins.grammar.invented import shared_names
from pipeline.corpora.twins.grammar.lexicon import FULL, OCCUPATIONS, Lexicon, plural, verb
from pipeline.corpora.twins.grammar.rules import build
from pipeline.corpora.twins.grammar.synchronous import (
    Child,
    Grammar,
    leaves,
    log_probability,
    translation,
)
from tests.corpora.twins.chart import inside, parses

TRAIN, TEST = 20_000, 2_500


@pytest.fixture(scope="module")
def text() -> list[english.Derivation]:
    return english.generate(TRAIN + TEST, 1)


def plain(words: list[str]) -> list[str]:
    """Words as the rules have them."""
    return ["a" if word == "an" else word for word in words]


def test_a_toy_grammar_by_hand() -> None:
    grammar = Grammar("S")
    grammar.add("S", 3, "N sees/VBZ N", "1 wa 3 o miru")
    grammar.add("S", 1, "N sleeps/VBZ", "1 wa neru")
    grammar.add("N", 1, "john/NNP", "jon")
    grammar.add("N", 4, "mary/NNP", "meri")
    tree = parses(grammar, ["mary", "sees", "john"])[0]
    assert log_probability(tree) == pytest.approx(math.log(3 / 4 * 4 / 5 * 1 / 5))
    assert inside(grammar, ["john", "sleeps"]) == pytest.approx(1 / 4 * 1 / 5)
    assert translation(tree) == ["meri", "wa", "jon", "o", "miru"]
    drawn = Random(1)
    counts = Counter(" ".join(leaf.word.text for leaf in leaves(grammar.sample(drawn)))
                     for _ in range(4000))
    assert counts["mary sees mary"] / 4000 == pytest.approx(12 / 25, abs=0.04)


def test_probability_is_that_of_the_string(text: list[english.Derivation]) -> None:
    grammar = english.grammar()
    for item in text[:250]:
        assert math.log(inside(grammar, plain(item.words))) == pytest.approx(
            item.log_probability, rel=1e-12)


def test_words_with_several_tags_do_not_give_a_string_two_derivations() -> None:
    # Only homographs, so that every sentence is full of them.
    homographs = Lexicon(
        occupations="cook guard guide judge", things="will can saw bill book plan watch painting",
        body="back hand", thing_adjectives="back left open clean",
        thing_verbs="open clean back book see,saw,seen paint",
        person_verbs="guard guide judge bill watch", plain_verbs="cook dance",
        wishing_verbs="plan,planned,planned,planning hope", saying_verbs="hope say,said,said",
        standing_verbs="leave,left,left stand,stood,stood", directions="back away",
        modals="will can")
    grammar, drawn = build(homographs), Random(3)
    for _ in range(400):
        tree = grammar.sample(drawn)
        words = [leaf.word.text for leaf in leaves(tree)]
        if len(words) <= 25:
            assert math.log(inside(grammar, words)) == pytest.approx(log_probability(tree),
                                                                     rel=1e-12), words


def test_no_probability_is_lost(text: list[english.Derivation]) -> None:
    """P(length) by convolution sums to one and agrees with the lengths of what is drawn."""
    rules, longest = english.grammar().rules, 70
    unit = np.eye(longest + 1)
    lengths = {symbol: np.zeros(longest + 1) for symbol in rules}
    for _ in range(40):
        for symbol, expansions in rules.items():
            total = np.zeros(longest + 1)
            for rule in expansions:
                part = unit[0] * rule.probability
                for child in rule.children:
                    factor = lengths[child.symbol] if isinstance(child, Child) else unit[1]
                    part = np.convolve(part, factor)[: longest + 1]
                total += part
            lengths[symbol] = total
    exact = lengths["TOP"]
    assert exact.sum() == pytest.approx(1.0, abs=1e-4)
    mean = float(exact @ np.arange(longest + 1))
    drawn = [len(item.words) for item in text]
    assert statistics.mean(drawn) == pytest.approx(mean, abs=4 * statistics.stdev(drawn)
                                                   / len(drawn) ** 0.5)


@pytest.mark.parametrize(("sentence", "marked"), [
    ("the keys that the man near the doors holds are old", {"are"}),
    ("the key near the door is old", set()),
    ("the key near the old door is red", {"is"}),
    ("the nurse that the man knows helps herself", {"helps", "herself"}),
    ("the nurse that the man knows helped herself", {"herself"}),
    ("john either opens the big red door or sleeps", {"or", "sleeps"}),
    ("john opens the big red door and sleeps", {"sleeps"}),
    ("if the man sells a car then the nurse laughs", {"then"}),
    ("mary opens the lamp before she sells her car", {"she"}),
    ("the man who opens the door works", set()),
    ("the man who opened the door works", {"works"}),
    ("the king raises his back because he is sad", set()),
    ("mary rarely sleeps before she sells her car", set()),
])
def test_marks_of_sentences_by_hand(sentence: str, marked: set[str]) -> None:
    (tree,) = parses(english.grammar(), sentence.split())
    assert {leaf.word.text for leaf, mark in zip(leaves(tree), english.marks(leaves(tree)),
                                                 strict=True) if mark} == marked


@pytest.mark.parametrize("sentence", [
    "the keys that the man near the doors holds is old", "the man near the doors work",
    "the woman helps himself", "the king raises her hand", "the men work before he sleeps",
    "if the man works", "the man either works", "the man neither works or sleeps",
    "the engineer helps himself because she is tired", "the man work"])
def test_what_does_not_agree_is_no_sentence(sentence: str) -> None:
    assert inside(english.grammar(), sentence.split()) == 0.0


def test_the_text_is_fit_for_its_purpose(text: list[english.Derivation]) -> None:
    train, test = text[:TRAIN], text[TRAIN:]
    types = Counter(word for item in train for word in item.words)
    assert len(types) >= 500
    assert {word for item in test for word in item.words} <= set(types)
    counts = np.array(sorted(types.values(), reverse=True), dtype=float)[9:500]
    slope = np.polyfit(np.log(np.arange(10, 501)[: len(counts)]), np.log(counts), 1)[0]
    assert -1.5 < slope < -0.7
    assert sum(sum(item.marked) for item in test) >= 500
    verbs = Counter(tag for item in train for tag, mark in zip(item.tags, item.marked, strict=True)
                    if mark)
    assert verbs["VBZ"] > 1000 and verbs["VBP"] > 1000
    tokens = sum(len(item.words) + 1 for item in test)
    perplexity = math.exp(-sum(item.log_probability for item in test) / tokens)
    assert 18 < perplexity < 40


def test_words_have_several_tags(text: list[english.Derivation]) -> None:
    tags = defaultdict(set)
    for item in text:
        for word, tag in zip(item.words, item.tags, strict=True):
            tags[word].add(tag)
    assert tags["back"] >= {"NN", "VB", "RB", "JJ"}
    assert tags["will"] == tags["can"] == {"MD", "NN"}
    assert tags["bill"] >= {"NN", "VB"} and tags["that"] == {"IN", "WDT"}
    assert tags["her"] == {"PRP", "PRP$"}


def test_a_seed_is_a_text_for_good(text: list[english.Derivation]) -> None:
    assert english.generate(50, 1) == text[:50]
    assert english.generate(50, 2) != text[:50]
    assert " ".join(text[0].words) == "the box that was old vanished"


def test_max_words_passes_longer_sentences_over(text: list[english.Derivation]) -> None:
    short = english.generate(100, 1, max_words=6)
    assert short == [item for item in text if len(item.words) <= 6][:100]


def test_an_stands_before_a_vowel_and_only_there(text: list[english.Derivation]) -> None:
    following = {article: {after for item in text for word, after in
                           zip(item.words, item.words[1:], strict=False) if word == article}
                 for article in ("a", "an")}
    assert {"engineer", "old", "honest", "umbrella"} <= following["an"]
    assert {"man", "useful"} <= following["a"]
    assert not following["a"] & following["an"]


def test_forms_of_words() -> None:
    assert [plural(noun) for noun in ("man", "box", "watch", "story", "key", "knife")] == [
        "men", "boxes", "watches", "stories", "keys", "knives"]
    assert vars(verb("carry")) == {"VB": "carry", "VBZ": "carries", "VBD": "carried",
                                   "VBN": "carried", "VBG": "carrying"}
    assert vars(verb("write,wrote,written")) == {"VB": "write", "VBZ": "writes", "VBD": "wrote",
                                                 "VBN": "written", "VBG": "writing"}
    assert vars(verb("run,ran,run,running"))["VBG"] == "running"


def test_the_past_of_a_verb_is_never_its_present() -> None:
    # "they hurt" would have two derivations.
    for field in fields(Lexicon):
        if field.name.endswith("verbs"):
            assert all(verb(entry).VB != verb(entry).VBD
                       for entry in getattr(FULL, field.name).split())


def test_the_example_of_the_lecture() -> None:
    (tree,) = parses(verb_final.grammar(), ["he", "wrote", "a", "letter", "to", "a", "friend"])
    words = {leaf.word.text: leaf.word.translation for leaf in leaves(tree)}
    assert translation(tree) == ["kano", "wa", "hitotsuno", words["friend"], "ni", "hitotsuno",
                                 words["letter"], "o", words["wrote"]]


@pytest.fixture(scope="module")
def pairs() -> list[verb_final.Pair]:
    return verb_final.generate_pairs(2_000, 1, 3, 40)


def test_english_has_one_translation(pairs: list[verb_final.Pair]) -> None:
    for pair in pairs[:60]:
        found = parses(verb_final.grammar(), plain(pair.english))
        assert [translation(tree) for tree in found] == [pair.verb_final]


NEUTRAL = {"he": "they1", "she": "they1", "him": "they1", "her": "they1", "his": "they1",
           "himself": "self", "herself": "self"}


def test_the_way_back_is_ambiguous_in_gender_alone(pairs: list[verb_final.Pair]) -> None:
    ambiguous = 0
    for pair in [pair for pair in pairs if len(pair.english) < 12][:60]:
        found = {tuple(leaf.word.text for leaf in leaves(tree))
                 for tree in parses(verb_final.grammar(), pair.verb_final, verb_final=True)}
        assert tuple(plain(pair.english)) in found
        assert len({tuple(NEUTRAL.get(word, word) for word in words) for words in found}) == 1
        ambiguous += len(found) > 1
    assert ambiguous > 5


def test_pronouns_follow_the_table_of_occupations() -> None:
    drawn = Random(7)
    counts: dict[str, list[int]] = {}
    for _ in range(15_000):
        found = verb_final.references(leaves(verb_final.grammar().sample(drawn)))
        for item in found[:1]:  # later ones agree with the first
            counts.setdefault(item.occupation, []).append(item.masculine)
    for occupation, masculine in counts.items():
        share, size = OCCUPATIONS[occupation], len(masculine)
        assert statistics.mean(masculine) == pytest.approx(
            share, abs=4 * (share * (1 - share) / size) ** 0.5), occupation
    assert len(counts["engineer"]) > 100 and len(counts["nurse"]) > 100


def test_references_name_pronoun_and_occupation() -> None:
    sentence = "the engineer that the nurse knows helped herself because she sleeps"
    (tree,) = parses(verb_final.grammar(), sentence.split())
    assert verb_final.references(leaves(tree)) == [
        verb_final.Reference("engineer", "herself", 7), verb_final.Reference("engineer", "she", 9)]


def test_a_sentence_keeps_to_one_gender(pairs: list[verb_final.Pair]) -> None:
    # One engineer is not he and she; two different engineers may be.
    for pair in pairs:
        for occupation in {item.occupation for item in pair.references}:
            genders = {item.masculine for item in pair.references
                       if item.occupation == occupation}
            assert len(genders) <= max(1, pair.english.count(occupation))


def test_pairs_keep_to_their_length_and_differ() -> None:
    found = verb_final.generate_pairs(200, 4, 21, 30)
    assert all(21 <= len(pair.english) <= 30 for pair in found)
    assert len({tuple(pair.english) for pair in found}) == 200
    assert verb_final.generate_pairs(100, 4, 21, 30) == found[:100]


@pytest.mark.parametrize(("sentence", "best"), [
    ("the engineer helped herself", "the engineer helped himself"),
    ("the nurse helped himself because he sleeps", "the nurse helped herself because she sleeps"),
    ("the woman helped herself", "the woman helped herself"),
    ("mary finds her car", "mary finds her car"),
    ("she helps her", "he helps him"),
    ("the nurse raises his hand", "the nurse raises her hand"),
    ("they help her", "they help him")])
def test_the_likeliest_english_of_a_verb_final_sentence(sentence: str, best: str) -> None:
    (tree,) = parses(verb_final.grammar(), sentence.split())
    assert " ".join(verb_final.likeliest(leaves(tree))) == best


@pytest.mark.parametrize(("sentence", "occupation"), [
    ("the engineer helped herself", "engineer"),
    ("the nurse raises his hand because he sleeps", "nurse"),
    ("the engineer that the nurse knows helped herself", None),
    ("the nurse that the woman knows helped herself", None),
    ("the engineer helps him", None),
    ("the engineer sleeps", None),
    ("he helped himself", None)])
def test_sentences_that_leave_one_occupations_gender_open(sentence: str,
                                                          occupation: str | None) -> None:
    (tree,) = parses(verb_final.grammar(), sentence.split())
    assert verb_final.open_occupation(leaves(tree)) == occupation


def test_open_pairs_are_many_for_each_occupation(pairs: list[verb_final.Pair]) -> None:
    found = verb_final.generate_open_pairs(2, 5, 3, 15, known=pairs)
    occupations = Counter(pair.references[0].occupation for pair in found)
    assert occupations == dict.fromkeys(verb_final.LEXICON.occupations.split(), 2)
    assert not {tuple(pair.english) for pair in found} & {tuple(p.english) for p in pairs}


def test_shared_names_are_no_words_of_either_language(pairs: list[verb_final.Pair]) -> None:
    names = shared_names(20_000)
    assert len(set(names)) == 20_000
    assert not set(names) & {word for pair in pairs for word in pair.english + pair.verb_final}
