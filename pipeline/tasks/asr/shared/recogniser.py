"""From scores of frames to words: one search for all acoustic models with a dictionary.

Dictionary, tied states and language model are one network, searched by a Viterbi beam; a word
lattice behind it gives confidences and other hypotheses. How much the language model counts beside
the sound, and what a word costs, is chosen on validation utterances: lattices are made once under
the first pair of weights, and the best path of each under every pair of a grid.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.decoding.composition import compose
from pipeline.decoding.grammar import Grammar
from pipeline.decoding.lattice import Lattice, confidences
from pipeline.decoding.lattice_building import word_lattice
from pipeline.decoding.lexicon import Lexicon
from pipeline.decoding.nbest import n_best
from pipeline.decoding.network import Network, Weights
from pipeline.decoding.oracle import fewest_errors
from pipeline.decoding.search import Beam, Search
from pipeline.decoding.trace import Recognition
from pipeline.decoding.word_times import timed_words
from pipeline.entries import Entry
from pipeline.hmm.phones import TiedStates
from pipeline.storage.words import words_in
from pipeline.tasks.asr.shared.grids import Tried

Scores = NDArray[np.floating]


class Decoding(Entry):
    """How words are searched; weights come from the grid."""

    beam: float = Field(gt=0, description="scores this far below the best are given up")
    most: int = Field(ge=1, description="states that are kept a frame")
    lattice_beam: float = Field(gt=0, description="words of paths this far below the best are kept")
    language_weights: list[float] = Field(min_length=1, description="the grid; the middle one is "
                                                                    "searched with on validation")
    word_scores: list[float] = Field(min_length=1, description="the grid of what a word adds")
    alternatives: int = Field(ge=1, description="hypotheses of an utterance, the best included")


@dataclass(frozen=True)
class Recogniser:
    """A network, how it is searched, and the weights of its parts."""

    network: Network
    decoding: Decoding
    weights: Weights
    frame_seconds: float
    _search: list[Search] = field(default_factory=list)

    @classmethod
    def of(cls, lexicon: Lexicon, grammar: Grammar, tied: TiedStates, decoding: Decoding,
           weights: Weights, frame_seconds: float) -> Self:
        return cls(compose(lexicon, grammar, tied), decoding, weights, frame_seconds)

    @property
    def search(self) -> Search:
        """The search, made when it is first asked for."""
        if not self._search:
            beam = Beam(self.decoding.beam, self.decoding.most, self.decoding.lattice_beam)
            self._search.append(Search(self.network, self.weights, beam))
        return self._search[0]

    def best(self, utterances: Sequence[Scores]) -> list[str]:
        """The words of utterances, each given as scores of tied states [T, states]."""
        return [self._text(found.words) for found in self.search.recognise(utterances)]

    def answers(self, utterances: Iterable[Scores]) -> Iterator[dict[str, Any]]:
        """Text, words with times and confidences, and other hypotheses with their scores."""
        for scores in utterances:
            found, lattice = self.heard(scores)
            surety = confidences(lattice, found, self.weights,
                                 1.0 / max(self.weights.language, 1.0))
            words = timed_words(found, self.network.words, self.frame_seconds, surety)
            yield {"hypothesis": self._text(found.words),
                   "words": [{"word": word.word, "begin": round(word.begin, 3),
                              "end": round(word.end, 3),
                              "confidence": round(float(word.confidence or 0.0), 3)}
                             for word in words],
                   "alternatives": [
                       {"text": self._text(other.words), "score": round(other.score, 3)}
                       for other in n_best(lattice, self.weights, self.decoding.alternatives)]}

    def tried(self, utterances: Sequence[Scores], references: Sequence[str]) -> list[Tried]:
        """The word errors of every pair of the grid, on lattices of this recogniser's weights."""
        lattices = [self.heard(scores)[1] for scores in utterances]
        wanted = [words_in(text) for text in references]
        return [self._errors(lattices, wanted, Weights(1.0, language, word))
                for language in self.decoding.language_weights
                for word in self.decoding.word_scores]

    def _errors(self, lattices: Sequence[Lattice], wanted: Sequence[Sequence[str]],
                weights: Weights) -> Tried:
        errors = 0
        for lattice, words in zip(lattices, wanted, strict=True):
            found = n_best(lattice, weights, 1)
            said = [self.network.words[word] for word in found[0].words] if found else []
            errors += fewest_errors(words, [said])[0]
        return Tried({"language": weights.language, "word": weights.word}, errors,
                     sum(map(len, wanted)))

    def heard(self, scores: Scores) -> tuple[Recognition, Lattice]:
        """What the search finds in an utterance [T, states], and the lattice behind it."""
        found = self.search.recognise([scores], lattices=True)[0]
        return found, word_lattice(self.search, scores, found.trace, self.decoding.lattice_beam)

    def _text(self, words: Sequence[int]) -> str:
        return " ".join(self.network.words[word] for word in words)


def middle(decoding: Decoding) -> Weights:
    """The weights with which the grid's lattices are made."""
    return Weights(1.0, decoding.language_weights[len(decoding.language_weights) // 2],
                   decoding.word_scores[len(decoding.word_scores) // 2])


def weights_of(tried: Tried) -> Weights:
    """What a search weighs with, of the weights "language" and "word" that were tried."""
    return Weights(1.0, tried["language"], tried["word"])
