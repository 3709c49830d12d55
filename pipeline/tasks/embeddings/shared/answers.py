"""How vectors of words answer the test items, whatever they were learnt with.

Likeness is the cosine. Answers are words of the vocabulary other than <unk>; those of an analogy
are not among the question's own three words (3CosAdd, Mikolov et al. 2013, "Linguistic
Regularities in Continuous Space Word Representations").
"""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.kinds import Analogy, RatedPair
from pipeline.entries import VariantSettings
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import System
from pipeline.tasks.embeddings.shared.items import Items
from pipeline.tasks.embeddings.shared.text import UNKNOWN

NEIGHBOURS = 10
Vectors = NDArray[np.float64]


class WordVectors(System):
    """A system whose result is a vector for each word of `spec["words"]`."""

    @abstractmethod
    def vectors(self) -> Vectors:
        """The words' vectors, shape [words, dimensions]."""

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        """Answers to the items of `data`, no answer where a word of the item has no vector.

        {"id", "neighbours": [words]} of a probe, {"id", "answer": word} of an analogy,
        {"id", "cosine": number} of a pair, {"id", "neighbours", "cosines": [numbers]} of a word
        that is asked for.
        """
        items = Items.read(data)
        space = Space(self.spec["words"], self.vectors())
        found: list[dict[str, Any]] = [
            *({"neighbours": near} for near in space.neighbours(items.words, NEIGHBOURS)),
            *({"answer": word} for word in space.analogies(items.analogies)),
            *({"cosine": cosine} for cosine in space.cosines(items.pairs)),
            *(space.asked(word) for word in items.asked)]
        for identity, answer in zip(items.ids, found, strict=True):
            yield {"id": identity,
                   **{name: value for name, value in answer.items() if value is not None}}


class Space:
    """Words as points on the unit sphere; a zero vector stays zero and is like nothing."""

    def __init__(self, words: list[str], vectors: Vectors) -> None:
        self.words = words
        self.ids = {word: number for number, word in enumerate(words)}
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self.points = vectors / np.where(lengths > 0, lengths, 1.0)

    def neighbours(self, words: list[str], count: int) -> list[list[str]]:
        """The words nearest to each of `words`, nearest first, all of which have vectors."""
        found = []
        for row in (self.ids[word] for word in words):
            likeness = self._likeness(self.points[row], [row])
            nearest = np.argsort(-likeness, kind="stable")[:count]
            found.append([self.words[index] for index in nearest])
        return found

    def asked(self, word: str) -> dict[str, Any]:
        """`neighbours` of a word and their `cosines`; nothing of one that has no vector."""
        if word not in self.ids or word == UNKNOWN:
            return {}
        (near,) = self.neighbours([word], min(NEIGHBOURS, len(self.words) - 2))
        return {"neighbours": near, "cosines": [self._cosine(word, other) for other in near]}

    def analogies(self, questions: list[Analogy]) -> list[str | None]:
        """The word nearest to b - a + c, of unit vectors."""
        return [self._analogy(item.a, item.b, item.c) for item in questions]

    def _analogy(self, *words: str) -> str | None:
        """b - a + c of the words a, b and c."""
        if not self.ids.keys() >= {*words}:
            return None
        ids = [self.ids[word] for word in words]
        a, b, c = self.points[ids]
        return self.words[int(self._likeness(b - a + c, ids).argmax())]

    def cosines(self, pairs: list[RatedPair]) -> list[float | None]:
        """The cosine of each pair, to six decimals."""
        return [self._cosine(first, second) if {first, second}.issubset(self.ids) else None
                for first, second in (item.words for item in pairs)]

    def _cosine(self, first: str, second: str) -> float:
        return round(float(self.points[self.ids[first]] @ self.points[self.ids[second]]), 6)

    def _likeness(self, target: Vectors, excluded: list[int]) -> Vectors:
        """Dot products [words] with one point; the `excluded` words and <unk> come last.

        Of one point and not of many at once, because their number would decide how each is rounded.
        """
        likeness: Vectors = self.points @ target
        likeness[[*excluded, self.ids[UNKNOWN]]] = -np.inf
        return likeness
