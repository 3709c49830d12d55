"""Hidden Markov model: tags as states, words as what they emit.

The most probable tags of a sentence maximise the product of P(tag | tags before) and
P(word | tag), both relative frequencies of the training text, and Viterbi's recursion finds them.
Three things make the counts usable (Brants 2000, "TnT: A Statistical Part-of-Speech Tagger"). The
orders of tag n-grams are interpolated. What is known of a word is completed by what its spelling
says (its shape and ending, and the same word in lower case),
P(t | w) = (C(w, t) + prior P(t | spelling of w)) / (C(w) + prior), which for an unknown word is its
spelling alone. And by Bayes P(w | t) is P(t | w) / P(t), times P(w), which no tag changes. The
variants look one (bigram) or two tags back (trigram).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.hmm.viterbi import Candidates, viterbi
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Run, System
from pipeline.tasks.tagging.shared.answers import by_sentence
from pipeline.tasks.tagging.shared.counts import (
    interpolated,
    tag_ngram_counts,
    word_tag_counts,
)
from pipeline.tasks.tagging.shared.spelling import SuffixModel
from pipeline.tasks.tagging.shared.tagger import Tagger
from pipeline.tasks.tagging.shared.text import Text

ORDERS = {"bigram": 2, "trigram": 3}
_TINY = 1e-300


class Variant(VariantSettings):
    """How many tags a transition is about."""

    transitions: Literal["bigram", "trigram"]


class Settings(SystemSettings):
    """A hidden Markov model entry of `systems`."""

    suffix: int = Field(ge=0, le=12, description="letters of the longest ending")
    rare: int = Field(ge=1, description="words up to this count teach the spelling of words")
    prior: float = Field(ge=0, description="weight of a word's spelling, in occurrences")
    candidates: int = Field(ge=1, description="tags kept for a word")
    least: float = Field(ge=0, lt=1, description="tags less probable for a word are not kept")
    variants: dict[str, Variant] = Field(min_length=1)


class HiddenMarkovModel(System, Tagger):
    """`transitions[order]` are log-probabilities, `counts` [forms, tags] those of words."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.transitions: dict[str, NDArray[np.float64]] = {}
        self.places = {form: row for row, form in enumerate(spec["forms"])}
        self.counts = np.zeros((0, 0))
        self.spelling = SuffixModel([], np.zeros((0, 0)))

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        text, tags = Text.read(data, "train"), len(self.spec["tags"])
        for name, order in ORDERS.items():
            with np.errstate(divide="ignore"):
                self.transitions[name] = np.log(interpolated(tag_ngram_counts(text, tags, order)))
        self.counts = word_tag_counts(text, self.spec["forms"], tags)
        rare = np.flatnonzero(self.counts.sum(axis=1) <= self.settings.rare)
        self.spelling = SuffixModel.fit([self.spec["forms"][row] for row in rare],
                                        self.counts[rare], self.settings.suffix)
        return []

    def predict(self, data: Path, variant: Variant) -> Iterator[Prediction]:
        text = Text.read(data, "test")
        found, _ = viterbi(self.transitions[variant.transitions], self.candidates(text.forms),
                           text.words, text.offsets)
        return by_sentence(found, text, self.spec["tags"], data)

    def candidates(self, forms: list[str]) -> Candidates:
        """log P(form | tag), less log P(form), of the tags that each form can have."""
        counts = self._counts_of(forms)
        seen = counts.sum(axis=1, keepdims=True)
        prior = np.where(seen > 0, self.settings.prior, 1.0)
        posterior = (counts + prior * self._spelt(forms)) / (seen + prior)
        likely = (posterior > 0) & (
            posterior >= self.settings.least * posterior.max(axis=1, keepdims=True))
        best = Candidates.of(np.where(likely, np.log(np.maximum(posterior, _TINY)), -np.inf),
                             self.settings.candidates)
        tags = self.counts.sum(axis=0) / self.counts.sum()
        return Candidates(best.states, best.scores - np.log(tags)[best.states], best.counts)

    def _spelt(self, forms: list[str]) -> NDArray[np.float64]:
        """P(tag | spelling of form): its shape and ending, and its like in lower case if known."""
        ending = self.spelling.probabilities[self.spelling.rows(forms, self.settings.suffix)]
        lower = self._counts_of([form.lower() for form in forms])
        like = lower.sum(axis=1, keepdims=True)
        alike = (like > 0) & np.array([form != form.lower() for form in forms], bool)[:, None]
        return np.where(alike, 0.5 * (ending + lower / np.maximum(like, 1.0)), ending)

    def _counts_of(self, forms: list[str]) -> NDArray[np.float64]:
        """Tags of each form in training, [forms, tags], zeros for an unknown form."""
        rows = np.array([self.places.get(form, -1) for form in forms], np.int64)
        counts = self.counts[rows]
        counts[rows < 0] = 0
        return counts

    def transition_scores(self) -> tuple[str, NDArray[np.float64]]:
        return "probability", np.exp(self.transitions["bigram"])

    def tensors(self) -> Mapping[str, Tensor]:
        forms, tags = np.nonzero(self.counts)
        arrays: dict[str, NDArray[Any]] = {
            "forms": forms, "tags": tags, "counts": self.counts[forms, tags],
            "spelling": self.spelling.probabilities.astype(np.float32)}
        arrays |= {f"transitions.{name}": table for name, table in self.transitions.items()}
        return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}

    def texts(self) -> Mapping[str, Any]:
        return {"endings": self.spelling.endings}

    def load_texts(self, texts: Mapping[str, Any]) -> None:
        self.spelling = SuffixModel(texts["endings"], np.zeros((0, 0)))

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        self.counts = np.zeros((len(self.spec["forms"]), len(self.spec["tags"])))
        self.counts[arrays["forms"], arrays["tags"]] = arrays["counts"]
        rows = (len(self.spelling.endings), len(self.spec["tags"]))
        if arrays["spelling"].shape != rows:
            raise RuntimeError(f"endings of shape {list(arrays['spelling'].shape)}, expected "
                               f"{list(rows)}")
        self.spelling = SuffixModel(self.spelling.endings, arrays["spelling"])
        self.transitions = {name: arrays[f"transitions.{name}"] for name in ORDERS}

    @property
    def parameters_count(self) -> int:
        """Transitions seen or interpolated, word-tag pairs, and tags of endings."""
        return (sum(int(np.isfinite(table).sum()) for table in self.transitions.values())
                + int((self.counts > 0).sum()) + self.spelling.probabilities.size)
