"""Votes and summed probabilities of several answers, by hand and against all alignments."""

import itertools
from collections.abc import Iterator, Sequence

import jiwer
import numpy as np
import pytest

from pipeline.tasks.asr.shared.combination import (
    Likely,
    Scored,
    Slot,
    SureWord,
    aligned,
    least_risk,
    rover,
    summed,
    transition_network,
)


def sure(text: str, *confidences: float) -> list[SureWord]:
    words = text.split()
    return [SureWord(word, confidence) for word, confidence in
            zip(words, confidences or [1.0] * len(words), strict=True)]


def texts(network: Sequence[Slot]) -> list[str]:
    """What stands in each slot, - for nothing."""
    return [" ".join("-" if one is None else one.word for one in slot) for slot in network]


def text(words: Sequence[SureWord]) -> str:
    return " ".join(word.word for word in words)


def voted(*answers: list[SureWord], frequency: float = 1.0, nothing: float = 0.0,
          **sureness: str) -> str:
    return text(rover(answers, frequency, nothing, **sureness))  # type: ignore[arg-type]


def test_three_answers_worked_out_by_hand() -> None:
    answers = [sure("A B C D"), sure("A X C E D"), sure("B C E D")]
    assert texts(transition_network(answers)) == ["A A -", "B X B", "C C C", "- E E", "D D D"]
    assert voted(*answers) == "A B C E D"


def test_a_word_that_none_had_before_opens_a_slot_for_all() -> None:
    network = transition_network([sure("B"), sure(""), sure("A B"), sure("A B C")])
    assert texts(network) == ["- - A A", "B - B B", "- - - C"]


def test_a_slot_that_somebody_left_empty_is_passed_by_for_nothing() -> None:
    # C fits the last slot for nothing, the first one only for the price of another word.
    network = transition_network([sure("A C"), sure("C"), sure("C")])
    assert texts(network) == ["A - -", "C C C"]
    # Z for A costs 4, as does Z for C; passing by A is free, passing by C costs 3.
    assert texts(transition_network([sure("A C"), sure("C"), sure("Z")])) == ["A - -", "C C Z"]


def test_the_majority_wins_and_of_equal_votes_the_first_answer() -> None:
    assert voted(sure("A B"), sure("A C"), sure("A C")) == "A C"
    assert voted(sure("A B"), sure("A C")) == "A B"
    assert voted(sure("A C"), sure("A B")) == "A C"
    assert voted(sure("A"), sure("A B")) == "A", "the first one has none there"
    assert voted(sure("A B"), sure("A")) == "A B"


def test_confidences_count_by_what_frequency_leaves() -> None:
    answers = [sure("B", 0.9), sure("C", 0.4), sure("C", 0.6)]
    # B: 1/3 and 0.9; C: 2/3 and 0.5 on average, 0.6 at most.
    assert voted(*answers, frequency=1.0) == "C"
    assert voted(*answers, frequency=0.0) == "B"
    for frequency, sureness, expected in ((0.5, "average", ("B", 0.5 / 3 + 0.45)),
                                          (0.6, "average", ("C", 0.4 + 0.2)),
                                          (0.5, "maximum", ("C", 1 / 3 + 0.3)),
                                          (0.4, "maximum", ("B", 0.4 / 3 + 0.54))):
        (found,) = rover(answers, frequency, 0.0, sureness)  # type: ignore[arg-type]
        assert found == (expected[0], pytest.approx(expected[1]))


def test_no_word_has_a_confidence_too() -> None:
    answers = [sure("A B", 0.9, 0.5), sure("A", 0.9), sure("A", 0.9)]
    # B: 0.3 * 1/3 + 0.7 * 0.5 = 0.45; nothing: 0.3 * 2/3 + 0.7 * its confidence.
    assert voted(*answers, frequency=0.3, nothing=0.35) == "A B"
    assert voted(*answers, frequency=0.3, nothing=0.36) == "A"


def test_answers_that_agree_are_the_answer() -> None:
    for one in (sure("A B A"), sure("")):
        assert rover([one] * 3, 0.5, 0.2) == [(word.word, 1.0) for word in one]
        assert rover([one], 0.5, 0.2) == [(word.word, 1.0) for word in one]
    assert rover([sure("A", 0.5)] * 2, 0.5, 0.0) == [("A", 0.75)]


def alignments(slots: int, words: int) -> Iterator[list[tuple[int | None, int | None]]]:
    """Every way to walk through slots and words in order."""
    if not slots and not words:
        yield []
    for slot, word in ((1, 1), (1, 0), (0, 1)):
        if slot <= slots and word <= words:
            for before in alignments(slots - slot, words - word):
                yield [*before, (slots - 1 if slot else None, words - 1 if word else None)]


def price(slot: Slot | None, word: SureWord | None) -> int:
    if slot is None:
        return 3
    said = ["" if one is None else one.word for one in slot]
    if word is None:
        return 0 if "" in said else 3
    return 0 if word.word in said else 4


@pytest.mark.parametrize("seed", range(30))
def test_no_alignment_is_cheaper_and_nothing_is_lost(seed: int) -> None:
    random = np.random.default_rng(seed)
    answers = [sure(" ".join(random.choice(list("ABC"), random.integers(0, 5)))) for _ in range(3)]
    network = transition_network(answers[:2])
    found = aligned(network, answers[2])
    cheapest = min(
        sum(price(None if slot is None else network[slot],
                  None if word is None else answers[2][word]) for slot, word in one)
        for one in alignments(len(network), len(answers[2])))
    assert sum(itertools.starmap(price, found)) == cheapest
    assert [slot for slot, _ in found if slot is not None] == network
    for place, answer in enumerate(answers):
        assert [slot[place] for slot in transition_network(answers) if slot[place]] == answer
    assert all(any(slot) and len(slot) == 3 for slot in transition_network(answers))


@pytest.mark.parametrize("seed", range(10))
def test_votes_are_the_best_choice_of_every_slot(seed: int) -> None:
    """Against the sum of votes of every way through the network."""
    random = np.random.default_rng(seed)
    answers = [[SureWord(word, confidence) for word, confidence in zip(
        random.choice(list("ABC"), 4).tolist(), random.random(4).tolist(), strict=True)]
        for _ in range(3)]
    network = transition_network(answers)

    def votes(way: tuple[str, ...]) -> float:
        total = 0.0
        for slot, word in zip(network, way, strict=True):
            mine = [0.3 if one is None else one.confidence for one in slot
                    if ("" if one is None else one.word) == word]
            total += 0.4 * len(mine) / 3 + 0.6 * sum(mine) / len(mine)
        return total

    ways = itertools.product(*({"" if one is None else one.word for one in slot}
                               for slot in network))
    best = max(ways, key=votes)
    assert text(rover(answers, 0.4, 0.3)) == " ".join(word for word in best if word)


@pytest.mark.parametrize(("answers", "frequency", "nothing"), [
    ([], 0.5, 0.5), ([sure("A")], 1.5, 0.5), ([sure("A")], 0.5, -0.1),
    ([sure("A", 1.1)], 0.5, 0.5), ([sure("A", float("nan"))], 0.5, 0.5)])
def test_what_cannot_be_voted_on_is_an_error(answers: list, frequency: float,
                                             nothing: float) -> None:
    with pytest.raises(ValueError, match=r"no answer|between 0 and 1"):
        rover(answers, frequency, nothing)


def test_probabilities_of_lists_are_averaged() -> None:
    lists = [[Scored(("A",), 2 * np.log(0.6) - 900), Scored(("B",), 2 * np.log(0.4) - 900)],
             [Scored(("B",), 2 * np.log(0.7) + 5), Scored((), 2 * np.log(0.3) + 5)]]
    found = summed(lists, 0.5)
    assert [one.words for one in found] == [("B",), ("A",), ()]
    assert [one.probability for one in found] == pytest.approx([0.55, 0.3, 0.15])
    for wrong in ([], [lists[0], []]):
        with pytest.raises(ValueError, match="needs a hypothesis"):
            summed(wrong, 1.0)


def test_least_risk_is_not_always_the_likeliest() -> None:
    likely = [Likely(("X", "Y", "Z"), 0.4), Likely(("A", "B", "C"), 0.3),
              Likely(("A", "B", "D"), 0.3)]
    # Risks: 0.6 * 3 = 1.8, and 0.4 * 3 + 0.3 = 1.5 twice.
    assert least_risk(likely) == ("A", "B", "C")
    assert least_risk([likely[0]]) == ("X", "Y", "Z")
    with pytest.raises(ValueError, match="no hypothesis"):
        least_risk([])


@pytest.mark.parametrize("seed", range(10))
def test_no_hypothesis_has_fewer_errors_to_expect(seed: int) -> None:
    random = np.random.default_rng(seed)
    chosen = {tuple(random.choice(list("ABC"), random.integers(1, 5)).tolist()) for _ in range(3)}
    likely = [Likely(words, float(share)) for words, share in zip(
        sorted(chosen), random.dirichlet(np.ones(len(chosen))), strict=True)]

    def risk(words: tuple[str, ...]) -> float:
        total = 0.0
        for other in likely:
            found = jiwer.process_words(" ".join(other.words), " ".join(words))
            total += other.probability * (
                found.substitutions + found.deletions + found.insertions)
        return total

    assert risk(least_risk(likely)) == pytest.approx(min(risk(one.words) for one in likely))
