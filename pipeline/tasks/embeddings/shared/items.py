"""The items that vectors are tested on, as they are stored, and what a right answer is.

`words` are probes for their neighbours, `analogies` questions, `pairs` rated by people. Words of
one class can stand for each other, so any of them answers what one of them answers; an ambiguous
word is in several classes, and one shared class is enough. Without classes a question has one
answer.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from pipeline.corpora.kinds import Analogy, RatedPair
from pipeline.errors import UserError
from pipeline.storage.files import read_json, write_json


@dataclass(frozen=True)
class Items:
    """Test items; `known` words are those that the vectors' vocabulary has.

    `rare` are the probes that the training text has seldom. `asked` are words that a user wants
    the neighbours of; they are no test.
    """

    known: set[str]
    words: list[str] = field(default_factory=list)
    rare: set[str] = field(default_factory=set)
    analogies: list[Analogy] = field(default_factory=list)
    pairs: list[RatedPair] = field(default_factory=list)
    classes: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @cached_property
    def _class_of(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for name, words in self.classes.items():
            for word in words:
                found.setdefault(word, set()).add(name)
        return found

    def alike(self, word: str, other: str) -> bool:
        """Whether the two are one word or have a class in common."""
        classes = self._class_of
        return word == other or not classes.get(word, set()).isdisjoint(classes.get(other, set()))

    def mates(self, word: str) -> set[str]:
        """The known words that share a class with `word`, itself left out."""
        found = {mate for name in self._class_of.get(word, ()) for mate in self.classes[name]}
        return (found & self.known) - {word}

    def has(self, *words: str) -> bool:
        """Whether the vectors' vocabulary has all of the words."""
        return self.known.issuperset(words)

    @property
    def ids(self) -> list[str]:
        """Of probes, analogies, pairs and asked words, in this order."""
        return [*(f"word/{word}" for word in self.words),
                *(f"{item.section}/" + "-".join(map(_apart, (item.a, item.b, item.c, item.d)))
                  for item in self.analogies),
                *(f"{item.source}/{number:03d}" for number, item in enumerate(self.pairs, 1)),
                *(f"asked/{number}" for number in range(len(self.asked)))]

    @property
    def clusters(self) -> dict[str, str]:
        """By the ids of `ids`: questions that begin with the same pair, all else by itself."""
        pairs = [f"{item.section}/{_apart(item.a)}-{_apart(item.b)}" for item in self.analogies]
        found = {identity: identity for identity in self.ids}
        found |= zip(self.ids[len(self.words) :], pairs, strict=False)
        return found

    def write(self, directory: Path) -> None:
        write_json(directory / "items.json", {
            "known": sorted(self.known), "words": self.words, "rare": sorted(self.rare),
            "analogies": [list(vars(item).values()) for item in self.analogies],
            "pairs": [[item.source, *item.words, item.rating] for item in self.pairs],
            "classes": self.classes, **({"asked": self.asked} if self.asked else {})})

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Raises UserError when the file is missing or damaged."""
        record = read_json(directory / "items.json")
        try:
            return cls(set(record["known"]), record["words"], set(record["rare"]),
                       [Analogy(*item) for item in record["analogies"]],
                       [RatedPair(source, (first, second), rating)
                        for source, first, second, rating in record["pairs"]],
                       record["classes"], record.get("asked", []))
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{directory / 'items.json'} holds no test items ({error!r}); run the "
                            "features stage again") from None


def _apart(word: str) -> str:
    """A word in an id of several, so that no other words have the same id."""
    return re.sub(r"[-/\\]", r"\\\g<0>", word)
