"""One answer of several: what recognisers that err in different places make of their votes.

ROVER (Fiscus 1997, "A post-processing system to yield reduced word error rates: Recognizer output
voting error reduction") aligns answers one after the other into a network of slots, in each of
which every recogniser has said one word or none, and takes from each slot what gets most votes. A
vote counts by how many said so and how sure they were. Of several n-best lists the probabilities
can be summed instead, and the answer with the fewest errors to be expected taken: minimum Bayes
risk (Stolcke, Koenig and Weintraub 1997, "Explicit word error minimization in N-best list
rescoring").

Nothing here knows of systems: it is for whoever has answers of one utterance side by side, such as
an ensemble's members (`votes`).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

# As NIST's sclite aligns: a word for another costs less than one too many and one too few.
_OTHER, _UNPAIRED = 4, 3

Words = tuple[str, ...]


class SureWord(NamedTuple):
    """A word and the probability, 0 to 1, that it was said."""

    word: str
    confidence: float


# What every recogniser has said there, in their order; None for nothing.
Slot = tuple[SureWord | None, ...]


class Scored(NamedTuple):
    """A hypothesis of an n-best list and its score, a logarithm."""

    words: Words
    score: float


class Likely(NamedTuple):
    """A hypothesis and its probability."""

    words: Words
    probability: float


def rover(answers: Sequence[Sequence[SureWord]], frequency: float, nothing: float,
          sureness: Literal["average", "maximum"] = "average") -> list[SureWord]:
    """The words that get most votes, each with its votes as confidence.

    A word's votes are `frequency` times the share of answers that have it in the slot, and 1 -
    `frequency` times the average or the maximum of their confidences. Where some have no word, they
    vote for none with confidence `nothing`. All three are 0 to 1. Of equal votes those for what the
    earliest answer has are taken, so put the best recogniser first. Raises ValueError for no answer
    and for a number outside 0 to 1.
    """
    if not answers:
        raise ValueError("there is no answer to vote on")
    numbers = [frequency, nothing, *(word.confidence for words in answers for word in words)]
    if not all(0 <= number <= 1 for number in numbers):
        raise ValueError("confidences and the share of frequency are between 0 and 1")
    voted = (_voted(slot, frequency, nothing, sureness) for slot in transition_network(answers))
    return [found for found in voted if found is not None]


def transition_network(answers: Sequence[Sequence[SureWord]]) -> list[Slot]:
    """Slots in the order of time; in each, every answer has one of its words or none.

    An answer's words, those of all its slots in order, are what it was. Answers are aligned in
    their order, so another order may give another network.
    """
    network: list[Slot] = []
    for place, words in enumerate(answers):
        network = [(before or (None,) * place) + (after,)
                   for before, after in aligned(network, words)]
    return network


def aligned(network: Sequence[Slot],
            words: Sequence[SureWord]) -> list[tuple[Slot | None, SureWord | None]]:
    """Slots beside words, in order; None beside a slot that is passed by, or a word without slot.

    Nothing is paid for a word that the slot has, nor for passing by a slot in which an answer has
    no word; 4 for another word, 3 for passing by any other slot and for a word without one. Of
    equally cheap alignments that is taken which, from the end, pairs first.
    """
    pairs, passing = _costs(network, words)
    least = np.zeros((len(network) + 1, len(words) + 1), np.int64)
    least[1:, 0] = np.cumsum(passing)
    least[0] = _UNPAIRED * np.arange(len(words) + 1)
    for slot in range(len(network)):
        for word in range(len(words)):
            least[slot + 1, word + 1] = min(least[slot, word] + pairs[slot, word],
                                            least[slot, word + 1] + passing[slot],
                                            least[slot + 1, word] + _UNPAIRED)
    found: list[tuple[Slot | None, SureWord | None]] = []
    slot, word = len(network), len(words)
    while slot or word:
        if slot and word and (
                least[slot, word] == least[slot - 1, word - 1] + pairs[slot - 1, word - 1]):
            slot, word = slot - 1, word - 1
            found.append((network[slot], words[word]))
        elif slot and least[slot, word] == least[slot - 1, word] + passing[slot - 1]:
            slot -= 1
            found.append((network[slot], None))
        else:
            word -= 1
            found.append((None, words[word]))
    return found[::-1]


def summed(lists: Sequence[Sequence[Scored]], scale: float) -> list[Likely]:
    """The hypotheses of all lists, likeliest first; of equal ones those of earlier lists.

    In a list a hypothesis' probability is its share of exp(`scale` * score); over lists the mean is
    taken, so one that a list lacks has none there. Raises ValueError for no list and an empty one.
    """
    if not lists or not all(lists):
        raise ValueError("every list needs a hypothesis")
    total: dict[Words, float] = {}
    for hypotheses in lists:
        scores = scale * np.array([one.score for one in hypotheses])
        shares = np.exp(scores - scores.max())
        for one, share in zip(hypotheses, (shares / shares.sum() / len(lists)).tolist(),
                              strict=True):
            total[one.words] = total.get(one.words, 0.0) + share
    return [Likely(*pair) for pair in sorted(total.items(), key=lambda pair: -pair[1])]


def least_risk(hypotheses: Sequence[Likely]) -> Words:
    """The hypothesis with the fewest word errors to be expected, of equal ones the first.

    Errors are expected over all hypotheses by their probabilities. Raises ValueError for none.
    """
    from rapidfuzz.distance import Levenshtein

    if not hypotheses:
        raise ValueError("there is no hypothesis to choose from")
    risks = [sum(other.probability * Levenshtein.distance(one.words, other.words)
                 for other in hypotheses) for one in hypotheses]
    return hypotheses[int(np.argmin(risks))].words


def _costs(network: Sequence[Slot], words: Sequence[SureWord]) -> tuple[NDArray[np.int64],
                                                                        NDArray[np.int64]]:
    """What each pair of slot and word costs, and passing by each slot."""
    said = [{None if one is None else one.word for one in slot} for slot in network]
    pairs = np.array([[0 if word.word in known else _OTHER for word in words] for known in said],
                     np.int64).reshape(len(network), len(words))
    return pairs, np.array([0 if None in known else _UNPAIRED for known in said], np.int64)


def _voted(slot: Slot, frequency: float, nothing: float, sureness: str) -> SureWord | None:
    """What gets most votes in a slot; None for no word."""
    surenesses: dict[str | None, list[float]] = {}
    for one in slot:
        word, confidence = (None, nothing) if one is None else one
        surenesses.setdefault(word, []).append(confidence)
    votes: dict[str | None, float] = {}
    for word, confidences in surenesses.items():
        sure = max(confidences) if sureness == "maximum" else float(np.mean(confidences))
        votes[word] = frequency * len(confidences) / len(slot) + (1 - frequency) * sure
    best = max(votes, key=lambda word: votes[word])
    return None if best is None else SureWord(best, min(1.0, votes[best]))
