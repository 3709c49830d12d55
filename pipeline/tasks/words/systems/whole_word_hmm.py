"""A hidden Markov model for each word, as digits were recognised before networks (Rabiner 1989).

Each word is a few states from left to right with mixtures of Gaussians
(`pipeline.hmm.whole_words`), trained by Baum-Welch or by Viterbi training while the mixtures grow
from one Gaussian a state. An answer is the word that makes the recording likeliest, weighed by how
often it was said in training. Its probabilities follow by Bayes' rule, of likelihoods raised to a
power: a model takes frames for independent that are not, so it is too sure, and the power with the
least log-loss on validation data makes up for it.

Gaussians with diagonal covariances want uncorrelated dimensions: where features are log-mel, the
cosine transform makes cepstra of them (Davis and Mermelstein 1980).

Where a track has folds there is a set of models for each, as with networks
(`pipeline.tasks.words.shared.classifier`). Nothing is drawn at random, so a second training gives
the same system.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from pipeline.audio.frames import Frames
from pipeline.audio.front_end import with_deltas
from pipeline.entries import SystemSettings
from pipeline.errors import UserError
from pipeline.hmm.gmm import Floats, Ids, Mixtures
from pipeline.hmm.whole_words import (
    Recordings,
    Schedule,
    WholeWords,
    expected,
    flat_start,
    log_likelihoods,
    train,
)
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Curve, Run, System
from pipeline.tasks.words.shared.folds import answering, folds_of, names

_VARIANCE_SHARE = 0.01
_LEAST_FRAMES = 10.0
_POWERS = (1.0, 0.7, 0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01)
_LEAST = 1e-6  # a probability, in the choice of a power
_DECIMALS = 6


class Settings(SystemSettings):
    """How large the models are and how they are trained."""

    states: int = Field(ge=1, le=50, description="of a word; no recording may have fewer frames")
    gaussians: int = Field(ge=1, description="of a state, where it has frames enough for them")
    passes: int = Field(ge=1, le=200)
    expectation: Literal["baum-welch", "viterbi"] = Field(
        description="over all paths, or on the best path of each recording")
    coefficients: int = Field(ge=0, description="cepstra of a frame of log-mel; 0: frames as is")
    slopes: int = Field(ge=0, le=2, description="how often slopes are taken of frames")


@dataclass(frozen=True)
class _Models:
    """The models of one fold, log P(word) [W], -inf of one that was never said, and the `power`."""

    words: WholeWords
    priors: Floats
    power: float = 1.0

    def scores(self, frames: Floats) -> Floats:
        """log P(word, frames) of one recording [T, D], [W].

        It is that of the word alone where there are too few frames for any.
        """
        found = log_likelihoods(self.words, frames)
        return self.priors + (found if found.max() > -np.inf else 0.0)

    def probabilities(self, frames: Floats) -> Floats:
        """P(word | frames) of one recording [T, D], [W]."""
        return _softmax(self.power * self.scores(frames))

    def calibrated(self, heard: Sequence[Floats], words: Ids) -> "_Models":
        """With the power that makes these recordings' words most probable."""
        scores = np.array([self.scores(frames) for frames in heard])

        def nats(power: float) -> float:
            right = _softmax(power * scores)[np.arange(len(words)), words]
            return -float(np.log(np.maximum(right, _LEAST)).sum())

        return replace(self, power=min(_POWERS, key=nats))


def _softmax(scores: Floats) -> Floats:
    found: Floats = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return found / found.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class _Part:
    """Recordings of a split, those of one fold: frames [T, D] and the word of each."""

    split: str
    heard: Sequence[Floats]
    words: Ids


class WholeWordHmm(System):
    """`models` are those of each fold."""

    settings: Settings
    models: Sequence[_Models]

    def fit(self, data: Path, run: Run) -> Curve:
        heard = {split: self._hear(data, split) for split in ("train", "valid")}
        found, curves = [], []
        for fold in folds_of(data):
            learnt = self._part(heard["train"], data, "train", fold.train)
            valid = self._part(heard["valid"], data, "valid", fold.valid)
            models, curve = self._fitted(*(self._recordings(part, data)
                                           for part in (learnt, valid)))
            found.append(models.calibrated(valid.heard, valid.words))
            curves.append(curve)
        self.models = found
        return [{"step": step + 1, **{name: float(np.mean([point[name] for point in points]))
                                      for name in ("loss", "validation_loss")}}
                for step, points in enumerate(zip(*curves, strict=True))]

    def predict(self, data: Path, variant: Any) -> Iterator[Prediction]:
        labels, folds = self.spec["labels"], names(self.spec)
        models = dict(zip(folds, self.models, strict=True))
        items = read_json(data / "test.items.json")
        for frames, item in zip(self._hear(data, "test"), items, strict=True):
            found = np.mean([models[fold].probabilities(frames)
                             for fold in answering(folds, item["speaker"])], axis=0)
            yield {"id": item["id"], "label": labels[int(found.argmax())],
                   "probabilities": dict(zip(labels, found.round(_DECIMALS).tolist(),
                                             strict=True))}

    def _fitted(self, recordings: Recordings, valid: Recordings) -> tuple[_Models, Curve]:
        """Models of one fold, and their losses in nats a frame; mixtures grow in the first half."""
        settings = self.settings
        model = flat_start(recordings, _VARIANCE_SHARE)
        schedule = Schedule(settings.passes, settings.gaussians, max(1, settings.passes // 2),
                            settings.expectation, _VARIANCE_SHARE, _LEAST_FRAMES)
        curve: Curve = []
        for after, report in train(model, recordings, schedule):
            model = after
            loss = -expected(model, valid, settings.expectation).log_likelihoods.sum()
            curve.append({"loss": -report.log_likelihood,
                          "validation_loss": float(loss) / len(valid.powers)})
        with np.errstate(divide="ignore"):
            priors = np.log(recordings.counts / recordings.counts.sum())
        return _Models(model, priors), curve

    def _hear(self, data: Path, split: str) -> list[Floats]:
        """What the models hear of each recording of a split, [T, D]."""
        return [self._heard(frames) for frames in Frames(data, split)]

    def _heard(self, frames: NDArray[np.float32]) -> Floats:
        from scipy.fft import dct

        static, wanted = np.asarray(frames), self.settings.coefficients
        if wanted > static.shape[1]:
            raise UserError(f"systems: {wanted} coefficients of {static.shape[1]} features a frame "
                            "are too many; set coefficients to as many or fewer")
        if wanted:
            static = dct(static, norm="ortho", axis=1)[:, :wanted].astype(np.float32)
        return with_deltas(static, self.settings.slopes).astype(np.float64)

    def _part(self, heard: Sequence[Floats], data: Path, split: str, rows: Ids) -> _Part:
        numbers = {label: number for number, label in enumerate(self.spec["labels"])}
        items = read_json(data / f"{split}.items.json")
        return _Part(split, [heard[row] for row in rows],
                     np.array([numbers[items[row]["label"]] for row in rows]))

    def _recordings(self, part: _Part, data: Path) -> Recordings:
        """Raises UserError where all recordings are shorter than a word."""
        offsets = np.cumsum([0, *map(len, part.heard)])
        try:
            return Recordings.of(np.concatenate(part.heard), offsets, part.words,
                                 len(self.spec["labels"]), self.settings.states)
        except ValueError as error:
            raise UserError(f"{data}, {part.split!r}: {error}; set the system's states to fewer, "
                            "or take more context in the track's features") from None

    def tensors(self) -> Mapping[str, Tensor]:
        return {f"{number}.{name}": torch.from_numpy(np.ascontiguousarray(array))
                for number, models in enumerate(self.models)
                for name, array in _arrays(models).items()}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        self.models = [_restored({name: tensors[f"{number}.{name}"].numpy() for name in
                                  ("weights", "means", "variances", "offsets", "stay", "priors",
                                   "power")})
                       for number in range(len(names(self.spec)))]

    @property
    def parameters_count(self) -> int:
        """Of one fold: weights, means and variances of Gaussians, stays, priors and the power."""
        return sum(array.size for name, array in _arrays(self.models[0]).items()
                   if name != "offsets")


def _arrays(models: _Models) -> dict[str, NDArray[Any]]:
    mixtures = models.words.mixtures
    return {"weights": mixtures.weights, "means": mixtures.means, "variances": mixtures.variances,
            "offsets": mixtures.offsets, "stay": models.words.stay, "priors": models.priors,
            "power": np.array([models.power])}


def _restored(arrays: Mapping[str, NDArray[Any]]) -> _Models:
    mixtures = Mixtures(*(arrays[name] for name in ("weights", "means", "variances", "offsets")))
    return _Models(WholeWords(arrays["stay"], mixtures), arrays["priors"],
                   float(arrays["power"][0]))
