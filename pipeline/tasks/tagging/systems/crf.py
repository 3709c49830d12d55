"""Conditional random field over features written by hand.

A log-linear model of the whole path of tags: each feature of a word has a weight for each tag, each
pair of neighbouring tags has one, and a path's probability is exp of the sum of its weights over
that of all paths (Lafferty, McCallum and Pereira 2001). Unlike a hidden Markov model it may look
at any part of the sentence, spelling and neighbours included, without modelling how words come
about. Its regularised likelihood is concave, so L-BFGS over the whole training text finds its
maximum without a learning rate (Sha and Pereira 2003, "Shallow Parsing with Conditional Random
Fields"). It computes with 64 bits: each line search multiplies what 32 would round away, so that
processors which sum in another order would end with other tags.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.nn.crf import LinearChainCRF
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Run, System
from pipeline.tasks.tagging.shared.answers import by_sentence
from pipeline.tasks.tagging.shared.tagger import Tagger
from pipeline.tasks.tagging.shared.templates import ABSENT, TEMPLATES, FeatureSet
from pipeline.tasks.tagging.shared.text import NO_TAG, Text

SENTENCES_AT_ONCE = 256
HISTORY = 8


class Settings(SystemSettings):
    """A conditional random field entry of `systems`."""

    min_count: int = Field(ge=1, description="rarer values of a template are no features")
    l2: float = Field(ge=0, description="half of it times the squared weights joins the loss")
    iterations: int = Field(ge=1, description="of L-BFGS")
    report_every: int = Field(ge=1, description="iterations between points of the curve")


class ConditionalRandomField(System, Tagger):
    """`weights` [features, tags] and the transitions in `crf`."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.features = FeatureSet({template.name: [] for template in TEMPLATES})
        self.crf = LinearChainCRF(len(spec["tags"])).double()
        self.weights = self._no_weights()

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        text, valid = Text.read(data, "train"), Text.read(data, "valid")
        self.features = FeatureSet.fit(text, self.settings.min_count)
        self.weights = self._no_weights()
        for parameter in self.crf.parameters():
            nn.init.zeros_(parameter)
        train, held_out = _Sentences(self.features, text), _Sentences(self.features, valid)
        curve: list[dict[str, float]] = []
        optimizer = torch.optim.LBFGS(
            self._parameters(), max_iter=min(self.settings.report_every, self.settings.iterations),
            history_size=HISTORY, line_search_fn="strong_wolfe",
            tolerance_grad=0.0, tolerance_change=0.0)
        for step in range(0, self.settings.iterations, self.settings.report_every):
            optimizer.step(lambda: self._backward(train, optimizer))
            point = {"step": step + self.settings.report_every, "epoch": len(curve) + 1,
                     "loss": self._loss(train), "validation_loss": self._loss(held_out)}
            curve.append(point)
            if run.logger is not None:
                run.logger.log_metrics({name: value for name, value in point.items()
                                        if name != "step"}, step=point["step"])
            print(f"iteration {point['step']}/{self.settings.iterations}  loss "
                  f"{point['loss']:.4f}  validation loss {point['validation_loss']:.4f}",
                  flush=True)
        return curve

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        text = Text.read(data, "test")
        return by_sentence(self.tag(text), text, self.spec["tags"], data)

    @torch.no_grad()
    def tag(self, text: Text) -> NDArray[np.int64]:
        """Tags [all words] of the best path of each sentence."""
        found = np.zeros(len(text.words), np.int64)
        sentences = _Sentences(self.features, text, at_once=1)
        emissions = self._emissions(sentences)
        for places, mask, rows in sentences.batches:
            paths, _ = self.crf.decode(_padded(emissions[rows], mask), mask)
            found[places[mask].numpy()] = paths[mask].numpy()
        return found

    def _no_weights(self) -> nn.Parameter:
        return nn.Parameter(torch.zeros(len(self.features), len(self.spec["tags"]),
                                        dtype=torch.float64))

    def _parameters(self) -> list[nn.Parameter]:
        return [self.weights, *self.crf.parameters()]

    def _emissions(self, sentences: "_Sentences") -> Tensor:
        """[words of all sentences in the order of the batches, tags]."""
        return functional.embedding_bag(sentences.features, self.weights, mode="sum",
                                        padding_idx=ABSENT)

    def _backward(self, sentences: "_Sentences", optimizer: torch.optim.Optimizer) -> Tensor:
        """Loss a word with regularisation; its gradient is left in the parameters."""
        optimizer.zero_grad()
        emissions = self._emissions(sentences)
        leaf = emissions.detach()
        gradient = torch.zeros_like(leaf)
        total = 0.0
        for places, mask, rows in sentences.batches:
            part = leaf[rows].requires_grad_()
            loss = self.crf.loss(_padded(part, mask), sentences.tags[places], mask).sum()
            loss.backward()
            assert part.grad is not None
            gradient[rows] = part.grad
            total += float(loss.detach())
        emissions.backward(gradient)
        words = len(sentences.features)
        penalty = 0.0
        for parameter in self._parameters():
            penalty += 0.5 * self.settings.l2 * float(parameter.detach().square().sum())
            assert parameter.grad is not None
            parameter.grad.add_(parameter.detach(), alpha=self.settings.l2).div_(words)
        return torch.tensor((total + penalty) / words, dtype=torch.float64)

    @torch.no_grad()
    def _loss(self, sentences: "_Sentences") -> float:
        """Negative log-likelihood in nats a word, of the sentences whose tags all have numbers."""
        emissions = self._emissions(sentences)
        total, words = 0.0, 0
        for places, mask, rows in sentences.batches:
            tags = sentences.tags[places]
            scored = ((tags != NO_TAG) | ~mask).all(1)
            if scored.any():
                losses = self.crf.loss(_padded(emissions[rows], mask)[scored], tags[scored],
                                       mask[scored])
                total += float(losses.sum())
                words += int(mask[scored].sum())
        return total / max(words, 1)

    def transition_scores(self) -> tuple[str, NDArray[np.float64]]:
        return "score", self.crf.table()

    def tensors(self) -> Mapping[str, Tensor]:
        return {"weights": self.weights, **self.crf.state_dict(prefix="crf.")}

    def texts(self) -> Mapping[str, Any]:
        return {"features": self.features.values}

    def load_texts(self, texts: Mapping[str, Any]) -> None:
        values = texts["features"]
        if set(values) != {template.name for template in TEMPLATES}:
            raise RuntimeError("features of other templates than those of this version")
        self.features = FeatureSet(values)

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        if tensors["weights"].shape != (len(self.features), len(self.spec["tags"])):
            raise RuntimeError(f"weights of shape {list(tensors['weights'].shape)} for "
                               f"{len(self.features)} features")
        self.weights = nn.Parameter(tensors["weights"])
        self.crf.load_state_dict({name.removeprefix("crf."): tensor
                                  for name, tensor in tensors.items() if name.startswith("crf.")})

    @property
    def parameters_count(self) -> int:
        return sum(parameter.numel() for parameter in self._parameters())


class _Sentences:
    """A text's features and tags, and its sentences in batches of similar length, `at_once` each.

    `features` [words, templates] are in the order of the batches, so that a batch's words are the
    rows `rows`; `places` [sentences, longest] are those of the text, as `mask` is.
    """

    def __init__(self, features: FeatureSet, text: Text,
                 at_once: int = SENTENCES_AT_ONCE) -> None:
        order = np.argsort(text.lengths, kind="stable")
        order = order[text.lengths[order] > 0]
        self.tags = torch.from_numpy(text.tags.astype(np.int64))
        self.batches: list[tuple[Tensor, Tensor, slice]] = []
        words = [np.zeros(0, np.int64)]
        start = 0
        for first in range(0, len(order), at_once):
            places, mask = text.places(order[first : first + at_once])
            words.append(places[mask])
            self.batches.append((torch.from_numpy(places), torch.from_numpy(mask),
                                 slice(start, start + len(words[-1]))))
            start += len(words[-1])
        self.features = torch.from_numpy(features.of(text)[np.concatenate(words)])


def _padded(rows: Tensor, mask: Tensor) -> Tensor:
    """Rows [words, tags] of a batch as [sentences, longest, tags], zeros at padding."""
    return rows.new_zeros(*mask.shape, rows.shape[1]).index_put((mask,), rows)
