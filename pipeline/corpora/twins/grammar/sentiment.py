"""Film reviews whose sentiment follows from their structure, as the embedded twin of a treebank.

Every adjective has a value from -2 to 2. Negation turns it round and weakens it, degree words
strengthen or weaken it, `but` and `although` say which of two clauses counts, and a denial far in
front of a clause turns round all of it: what Socher et al. 2013 collected their treebank for, and
what the words of a sentence without their order do not tell.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import TypeVar

T = TypeVar("T")

VALUES = (-2, -1, 0, 1, 2)

_ADJECTIVES = {
    2: "brilliant superb wonderful masterful dazzling exquisite unforgettable magnificent "
       "astonishing flawless thrilling glorious breathtaking stunning hilarious",
    1: "good pleasant likable charming solid decent clever warm lively touching amusing smart "
       "graceful honest engaging",
    -1: "bad dull weak bland clumsy predictable thin slow flat noisy shallow confusing stale "
        "awkward tame",
    -2: "awful terrible dreadful unbearable abysmal disastrous horrible worthless insulting "
        "atrocious laughable painful wretched hideous unwatchable",
}
_SUBJECTS = ("the film", "the movie", "the plot", "the script", "the acting", "the dialogue",
             "the camera work", "the music", "the first half", "the second half", "the ending",
             "the villain", "the lead actor", "the director 's cut", "the story", "the romance")
_ASIDES = ("", "", "", "", ", like the book ,", "that everybody talks about",
           "of this long evening", ", to say it in a word ,", "that won a prize in venice",
           ", at least in the cinema ,", "that took ten years to make")
_FACTS = ("was shot in paris", "runs for two hours", "is based on a novel", "opens in the spring",
          "cost ten million dollars", "is about a family in the north", "is set in the war",
          "follows two brothers", "came out last year", "begins with a train")
_DENIALS = ("nobody who saw it would say that", "i do not think that", "it is not true that",
            "only a fool would believe that", "no critic in his right mind would write that")


@dataclass(frozen=True)
class Review:
    """A sentence and its value from -2 to 2; `composed`: it has a negation, denial or contrast."""

    words: list[str]
    value: int
    composed: bool


def generate(count: int, seed: int) -> list[Review]:
    """Draw `count` different sentences; a larger count has the same beginning."""
    random = Random(seed)
    found: dict[str, Review] = {}
    while len(found) < count:
        text, value, composed = _sentence(random)
        found.setdefault(text, Review(text.split(), value, composed))
    return list(found.values())


_Part = tuple[str, int, bool]  # words, value, composed


def _sentence(random: Random) -> _Part:
    kind = _weighted(random, {"one": 5, "and": 2, "but": 3, "although": 2, "first": 2})
    text, value, composed = _clause(random)
    if kind == "one":
        return f"{text} .", value, composed
    other, other_value, other_composed = _clause(random)
    if kind == "and":
        return f"{text} and {other} .", _mean(value, other_value), composed or other_composed
    if kind == "but":
        return f"{text} , but {other} .", other_value, True
    if kind == "although":
        return f"although {text} , {other} .", other_value, True
    return f"{text} , although {other} .", value, True


def _mean(first: int, second: int) -> int:
    """Half the sum, rounded away from zero."""
    total = first + second
    return (total + (total > 0) - (total < 0)) // 2 if total % 2 else total // 2


def _clause(random: Random) -> _Part:
    denied = random.random() < 0.15
    text, value, composed = _statement(random)
    if denied:
        return f"{random.choice(_DENIALS)} {text}", _negated(value), True
    return text, value, composed


def _statement(random: Random) -> _Part:
    subject = f"{random.choice(_SUBJECTS)} {random.choice(_ASIDES)}".strip()
    if random.random() < 0.15:
        return f"{subject} {random.choice(_FACTS)}", 0, False
    value = random.choice([value for value in VALUES if value])
    adjective = _by_rank(random, _ADJECTIVES[value].split())
    words, change, composed = _weighted(random, _PREDICATES)
    return f"{subject} {words} {adjective}", change(value), composed


def _same(value: int) -> int:
    return value


def _stronger(value: int) -> int:
    return 2 * _sign(value)


def _weaker(value: int) -> int:
    return _sign(value)


def _negated(value: int) -> int:
    """`not brilliant` is no more than bad, and `not awful` no more than good."""
    return -_sign(value)


def _opposite(value: int) -> int:
    return -2 * _sign(value)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


# What stands before the adjective, what it does to its value, whether it is a negation: weights.
_PREDICATES: dict[tuple[str, Callable[[int], int], bool], int] = {
    ("is", _same, False): 8,
    ("is truly", _stronger, False): 2,
    ("is utterly", _stronger, False): 2,
    ("is a little", _weaker, False): 2,
    ("is somewhat", _weaker, False): 2,
    ("is not", _negated, True): 3,
    ("is never", _negated, True): 1,
    ("is hardly", _negated, True): 1,
    ("is not at all", _negated, True): 1,
    ("is anything but", _opposite, True): 2,
}


def _weighted(random: Random, weights: dict[T, int]) -> T:
    return random.choices(list(weights), list(weights.values()))[0]


def _by_rank(random: Random, words: Sequence[str]) -> str:
    """Zipf's law: the k-th word is k times rarer than the first."""
    return random.choices(words, cum_weights=list(
        accumulate(1 / rank for rank in range(1, len(words) + 1))))[0]
