"""What networks that write letters know of text, how they search with it and how far they trust it.

A string's score is log p(string | sound) + alpha log p(text) + beta (number of units), where units
are characters or words (Hannun et al. 2014). Both weights are chosen on validation utterances: the
search runs once under the middle pair of the grid, and every string that it kept is scored again
under each pair, its sound by the sum over all its alignments.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.decoding.oracle import fewest_errors
from pipeline.entries import VariantSettings
from pipeline.nn.ctc import Hypothesis, prefix_n_best, string_log_probability
from pipeline.storage.files import read_json
from pipeline.storage.words import words_in
from pipeline.tasks.asr.shared.grammars import ngrams
from pipeline.tasks.asr.shared.grids import Tried, best_of
from pipeline.tasks.asr.shared.language_model import (
    SPACE,
    CharacterModel,
    LexiconModel,
    WeightedModel,
    WordModel,
    totals,
)
from pipeline.tasks.asr.shared.vocabulary import Vocabulary

Emissions = NDArray[np.floating]


class Greedy(VariantSettings):
    """The most probable alignment, its repeats and blanks removed."""

    search: Literal["greedy"]
    language_model: Literal["none"]


class Searched(VariantSettings):
    """Prefix beam search with an n-gram language model of the training transcripts."""

    beam: int = Field(ge=1, le=10_000)
    least_posterior: float = Field(
        ge=0, lt=1, description="a less probable symbol begins in no frame")
    alphas: list[Annotated[float, Field(ge=0)]] = Field(
        min_length=1, description="the grid of the language model's weights; the middle one is "
                                  "searched with on validation")
    betas: list[float] = Field(min_length=1, description="the grid of what a unit adds")
    alternatives: int = Field(ge=1, description="hypotheses of an utterance, the best included")

    def middle(self) -> tuple[float, float]:
        """The pair under which the strings are found that all pairs are tried on."""
        return self.alphas[len(self.alphas) // 2], self.betas[len(self.betas) // 2]


class Beam(Searched):
    """Any string of symbols may be written; a unit is a character, or a word of any letters."""

    search: Literal["beam"]
    language_model: Literal["characters", "words"]
    order: int = Field(ge=1, le=20)


class Lexicon(Searched):
    """Words of the corpus's dictionary alone are written; a unit is a word."""

    search: Literal["lexicon"]
    language_model: Literal["unigram", "bigram", "trigram"]


Variant = Annotated[Greedy | Beam | Lexicon, Field(discriminator="search")]


@dataclass(frozen=True)
class Search:
    """A language model and how strings are searched with it, under no weights yet."""

    variant: Searched
    model: WeightedModel
    symbols: Sequence[str]

    def text(self, string: Sequence[int]) -> str:
        """Words with one space between them."""
        return " ".join(words_in("".join(self.symbols[symbol - 1] for symbol in string)))

    def answers(self, utterances: Sequence[Emissions],
                model: WeightedModel) -> Iterator[dict[str, Any]]:
        """The best text of each utterance and others, with their scores.

        Nothing where no word could be ended.
        """
        for hypotheses in self._strings(utterances, model):
            found: dict[str, float] = {}
            for one in hypotheses:
                found.setdefault(self.text(one.symbols), one.score)  # some differ in spaces alone
            listed = list(found.items())[: self.variant.alternatives]
            yield {"hypothesis": listed[0][0] if listed else "",
                   "alternatives": [{"text": text, "score": round(score, 3)}
                                    for text, score in listed]}

    def tried(self, utterances: Sequence[Emissions], references: Sequence[str]) -> list[Tried]:
        """The word errors of every pair of the grid on utterances [steps, symbols]."""
        wanted = [words_in(text) for text in references]
        found = self._strings(utterances, self.model.weighted(*self.variant.middle()))
        lists = [self._scored(emissions, [one.symbols for one in hypotheses], words)
                 for emissions, hypotheses, words in zip(utterances, found, wanted, strict=True)]
        words = sum(map(len, wanted))
        return [Tried({"language": alpha, "word": beta}, _errors(lists, alpha, beta), words)
                for alpha in self.variant.alphas for beta in self.variant.betas]

    def _scored(self, emissions: Emissions, strings: list[list[int]],
                wanted: list[str]) -> "_Scored":
        if not strings:
            return _Scored(np.zeros((1, 3)), [len(wanted)])
        parts = [np.array([string_log_probability(emissions, string) for string in strings]),
                 totals(self.model.weighted(1.0, 0.0), strings),
                 totals(self.model.weighted(0.0, 1.0), strings)]
        return _Scored(
            np.stack(parts, axis=1),
            [fewest_errors(wanted, [words_in(self.text(string))])[0] for string in strings])

    def _strings(self, utterances: Sequence[Emissions],
                 model: WeightedModel) -> list[list[Hypothesis]]:
        found = prefix_n_best(utterances, model, self.variant.beam, self.variant.least_posterior,
                              self.variant.beam)
        return [[one for one in hypotheses if one.score > -np.inf] for hypotheses in found]


@dataclass(frozen=True)
class _Scored:
    """Strings of an utterance: `parts` [strings, 3] are log p(string | sound), log p(text) and the
    number of units; `errors` are those of each.
    """

    parts: NDArray[np.float64]
    errors: list[int]


def _errors(lists: Sequence[_Scored], alpha: float, beta: float) -> int:
    """Word errors when the best string of each utterance is taken; of equal ones the earlier."""
    return sum(scored.errors[int(np.argmax(scored.parts @ [1.0, alpha, beta]))]
               for scored in lists)


@dataclass
class LetterVocabulary:
    """The training transcripts, the words of the dictionary where one is read, and `tried`, the
    grid of each variant, once it was chosen from.
    """

    transcripts: list[str]
    words: list[str]
    tried: dict[str, list[Tried]] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Path, spec: Mapping[str, Any], variants: Mapping[str, Any]) -> Self:
        """From a features folder. Raises UserError where a variant needs a dictionary it lacks."""
        if any(isinstance(variant, Lexicon) for variant in variants.values()):
            known = Vocabulary.of(data, spec)
            return cls(known.transcripts, sorted(known.pronunciations))
        return cls([item["text"] for item in read_json(data / "train.items.json")], [])

    def search(self, variant: Searched, symbols: Sequence[str]) -> Search:
        """The search of a variant, its language model estimated anew."""
        return Search(variant, self._model(variant, symbols), symbols)

    def weights(self, name: str) -> tuple[float, float]:
        """The chosen alpha and beta. Raises KeyError for a variant that was not chosen for."""
        best = best_of(self.tried[name])
        return best["language"], best["word"]

    def _model(self, variant: Searched, symbols: Sequence[str]) -> WeightedModel:
        alpha, beta = variant.middle()
        if isinstance(variant, Lexicon):
            # Words with letters that no training transcript has come last: they cannot be written.
            letters = set(symbols) - {SPACE}
            words = sorted(self.words, key=lambda word: not letters.issuperset(word))
            spelt = [word for word in words if letters.issuperset(word)]
            return LexiconModel(ngrams(variant.language_model, self.transcripts, words), spelt,
                                symbols, alpha, beta)
        if not isinstance(variant, Beam):
            raise TypeError(f"{type(variant).__name__} has no language model")
        kind = CharacterModel if variant.language_model == "characters" else WordModel
        return kind(self.transcripts, symbols, variant.order, alpha, beta)

    def texts(self) -> dict[str, Any]:
        return {"transcripts": self.transcripts, "words": self.words,
                "tried": {name: [pair.to_json() for pair in pairs]
                          for name, pairs in self.tried.items()}}

    @classmethod
    def restored(cls, texts: Mapping[str, Any]) -> Self:
        """What `texts` gave. Raises KeyError for anything else."""
        return cls(list(texts["transcripts"]), list(texts["words"]),
                   {name: [Tried.from_json(pair) for pair in pairs]
                    for name, pairs in texts["tried"].items()})
