"""What a search has found, scored again by a language model that could not take part in it.

An LSTM remembers whole sentences, so no two paths of a search that say different words ever meet
again, and a network of its states has no end. The usual way out is two passes (Mikolov et al. 2010,
"Recurrent neural network based language model"): an n-gram model searches, and the best hypotheses
of its lattice are put into a new order. Their sound counts as before; the language model becomes
the mixture of both, word by word: P(word) = mix * P_recurrent + (1 - mix) * P_ngram. A mixture of
probabilities is one itself, whereas a weighted sum of logarithms is not, and it forgives: where one
model takes a word for impossible the other one is heard, but for its share.

How much the mixture counts beside the sound, what a word adds and how the two models are mixed are
chosen together on validation utterances, from lists that the n-gram's own chosen weights have made,
as those of test utterances are.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.decoding.grammar import Grammar
from pipeline.decoding.lattice import Lattice
from pipeline.decoding.nbest import Hypothesis, n_best
from pipeline.decoding.network import Weights
from pipeline.decoding.oracle import fewest_errors
from pipeline.entries import Entry
from pipeline.storage.words import words_in
from pipeline.tasks.asr.shared.grids import Tried
from pipeline.tasks.asr.shared.lattice_paths import path_of
from pipeline.tasks.asr.shared.recogniser import Recogniser, Scores, weights_of
from pipeline.tasks.asr.shared.recurrent_lm import RecurrentLm, RecurrentSettings

Floats = NDArray[np.float64]


class Rescoring(Entry):
    """How hypotheses are scored again; weights of language model and words have the search's grid.
    """

    count: int = Field(ge=1, description="hypotheses of an utterance that are scored again")
    mixes: list[Annotated[float, Field(ge=0, le=1)]] = Field(
        min_length=1, description="the grid of the recurrent model's share of a probability")
    recurrent: RecurrentSettings


@dataclass(frozen=True)
class Listed:
    """N hypotheses of an utterance, best first by the search's own score, in parts.

    `acoustic` [N] is what is neither language model nor words. `ngram` and `recurrent` are
    log-probabilities in nats of all words, and of ends where the utterance was searched to its end;
    `owners` says which hypothesis each belongs to.
    """

    words: tuple[tuple[int, ...], ...]
    acoustic: Floats
    ngram: Floats
    recurrent: Floats
    owners: NDArray[np.int64]

    def language(self, mix: float) -> Floats:
        """log P of each hypothesis by the mixture, [N]."""
        with np.errstate(divide="ignore"):
            logs = np.logaddexp(np.log(1 - mix) + self.ngram, np.log(mix) + self.recurrent)
        return np.bincount(self.owners, logs, minlength=len(self.words)).astype(np.float64)

    def scores(self, weights: Weights, mix: float) -> Floats:
        """The new score of each hypothesis, [N]."""
        return self._of_sound(weights) + weights.language * self.language(mix)

    def best(self, mix: float, all_weights: Iterable[Weights]) -> list[int]:
        """The best hypothesis under one mix and each of many weights."""
        language = self.language(mix)
        return [int((self._of_sound(weights) + weights.language * language).argmax())
                for weights in all_weights]

    def _of_sound(self, weights: Weights) -> Floats:
        return self.acoustic + weights.word * np.array([len(words) for words in self.words])


@dataclass(frozen=True)
class Rescorer:
    """The first pass with its chosen weights and its grammar, and the model of the second."""

    first: Recogniser
    grammar: Grammar
    recurrent: RecurrentLm
    count: int

    def listed(self, scores: Scores) -> tuple[Listed, Lattice]:
        """The hypotheses of an utterance [T, states], and the lattice that they come from."""
        found, lattice = self.first.heard(scores)
        hypotheses = n_best(lattice, self.first.weights, self.count)
        return self._parts(hypotheses, found.finished), lattice

    def tried(self, utterances: Iterable[Scores], references: Sequence[str],
              mixes: Sequence[float]) -> list[Tried]:
        """The word errors of every "mix" with every pair of the search's grid."""
        decoding = self.first.decoding
        pairs = [Weights(1.0, language, word) for language in decoding.language_weights
                 for word in decoding.word_scores]
        errors = np.zeros((len(mixes), len(pairs)), np.int64)
        total = 0
        for scores, reference in zip(utterances, references, strict=True):
            found, _ = self.listed(scores)
            wanted = words_in(reference)
            total += len(wanted)
            own = np.array([fewest_errors(wanted, [self._text(words)])[0]
                            for words in found.words])
            errors += [own[found.best(mix, pairs)] for mix in mixes]
        return [Tried({"language": pair.language, "word": pair.word, "mix": mix}, int(count), total)
                for mix, row in zip(mixes, errors, strict=True)
                for pair, count in zip(pairs, row, strict=True)]

    def answers(self, utterances: Iterable[Scores], chosen: Tried) -> Iterator[dict[str, Any]]:
        """Text, words with times and confidences, and other hypotheses with their new scores."""
        for scores in utterances:
            found, lattice = self.listed(scores)
            again = found.scores(weights_of(chosen), chosen["mix"])
            order = np.argsort(-again, kind="stable")
            best = found.words[order[0]]
            surety = list_confidences([found.words[place] for place in order], again[order],
                                      1.0 / max(chosen["language"], 1.0))
            path = path_of(lattice, best)
            yield {"hypothesis": " ".join(self._text(best)),
                   "words": [{"word": word, "begin": round(start * self.first.frame_seconds, 3),
                              "end": round(end * self.first.frame_seconds, 3),
                              "confidence": round(confidence, 3)}
                             for word, start, end, confidence in zip(
                                 self._text(best), path.starts, path.ends, surety, strict=True)],
                   "alternatives": [{"text": " ".join(self._text(found.words[place])),
                                     "score": round(float(again[place]), 3)}
                                    for place in order[: self.first.decoding.alternatives]]}

    def _parts(self, hypotheses: Sequence[Hypothesis], finished: bool) -> Listed:
        weights = self.first.weights
        logs = self.recurrent.log_probabilities([self._text(one.words) for one in hypotheses])
        # Where the search was cut off within the utterance nothing is known of a sentence's end.
        counts = [len(one.words) + finished for one in hypotheses]
        return Listed(
            tuple(one.words for one in hypotheses),
            np.array([one.score - weights.language * one.language - weights.word * len(one.words)
                      for one in hypotheses]),
            np.concatenate([grammar_logs(self.grammar, one.words)[:count]
                            for one, count in zip(hypotheses, counts, strict=True)]),
            np.concatenate([row[:count] for row, count in zip(logs, counts, strict=True)]),
            np.repeat(np.arange(len(hypotheses)), counts))

    def _text(self, words: Sequence[int]) -> list[str]:
        return [self.first.network.words[word] for word in words]


def grammar_logs(grammar: Grammar, words: Sequence[int]) -> Floats:
    """log P of each word of a sentence and of its end, [words + 1]."""
    state = grammar.start
    logs = np.empty(len(words) + 1)
    for place, word in enumerate(words):
        logs[place] = grammar.log_probability[state, word]
        state = int(grammar.following[state, word])
    logs[-1] = grammar.end[state]
    return logs


def list_confidences(hypotheses: Sequence[Sequence[int]], scores: Floats,
                     scale: float) -> list[float]:
    """The probability of each word of the first hypothesis, 0 to 1, by all of the list.

    A hypothesis' probability is its share of exp(scale * score); a word's is the sum over those
    that have it, too, where they are aligned with the first one by fewest word errors.
    """
    from rapidfuzz.distance import Levenshtein

    shares = np.exp(scale * (scores - scores.max()))
    shares /= shares.sum()
    found = np.zeros(len(hypotheses[0]))
    for words, share in zip(hypotheses, shares, strict=True):
        same = [range(step.src_start, step.src_end)
                for step in Levenshtein.opcodes(hypotheses[0], words) if step.tag == "equal"]
        found[list(itertools.chain.from_iterable(same))] += share
    return np.minimum(found, 1.0).tolist()
