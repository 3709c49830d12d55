"""An acoustic model with the features that it hears, and how it is trained from transcripts alone.

The traditional flow in three steps, each of which aligns the data for the next (Young et al., "The
HTK Book"; Povey et al. 2011, "The Kaldi Speech Recognition Toolkit"). Monophones start from equal
division and hear cepstra with slopes. Triphones are tied by decision trees over neighbours. Last,
slopes give way to the directions that tell tied states apart (LDA) and one rotation that makes them
uncorrelated within states (MLLT), with trees grown anew.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.audio.phones import CLASSES, PHONES
from pipeline.entries import Entry
from pipeline.errors import UserError
from pipeline.hmm.decision_trees import Limits
from pipeline.hmm.gmm import Floats, Frames, Ids, Mixtures
from pipeline.hmm.gmm_training import single_gaussians, variance_floor
from pipeline.hmm.lda import discriminants, spliced
from pipeline.hmm.phones import SIL, Monophones, TiedStates, Topology
from pipeline.hmm.semi_tied import Spreads, rotated, semi_tied
from pipeline.hmm.training import Pass, Schedule, flat_start, train
from pipeline.hmm.transcripts import Lexicon, spoken
from pipeline.hmm.tying import TiedTriphones, Units, tie
from pipeline.hmm.utterances import AcousticModel, Alignment, Utterances, align
from pipeline.storage.words import words_in
from pipeline.tasks.asr.shared.cepstra import Heard, with_slopes

SLOPES = 2
VARIANCE_SHARE = 0.01
_MLLT_ROUNDS = 5


class Growth(Entry):
    """Passes of Viterbi training in which mixtures grow until three quarters of them are done."""

    passes: int = Field(ge=1, le=100)
    gaussians: int = Field(ge=1, description="of all states together")

    def schedule(self) -> Schedule:
        """Paths are found anew in every second pass."""
        return Schedule(self.passes, self.gaussians, max(1, self.passes * 3 // 4),
                        frozenset(range(1, self.passes + 1, 2)), variance_share=VARIANCE_SHARE)


class Triphones(Growth):
    """Triphones with tied states."""

    states: int = Field(ge=10, description="tied states at most, those of silence included; no "
                                           "fewer than monophones have, a tree for each of theirs")
    least_frames: float = Field(ge=1, description="of a tied state")


class Discriminants(Growth):
    """LDA over spliced frames, and MLLT: what triphones hear instead of slopes."""

    context: int = Field(ge=1, le=10, description="frames on both sides that are spliced")
    dimensions: int = Field(ge=1)


class Flow(Entry):
    """How far the flow goes: a step is taken where its settings are given."""

    coefficients: int = Field(ge=1, description="mel cepstra of a frame")
    monophones: Growth
    triphones: Triphones | None
    discriminants: Discriminants | None

    @model_validator(mode="after")
    def _steps_follow(self) -> Self:
        if self.discriminants is not None and self.triphones is None:
            raise ValueError("discriminants tell tied states apart: give triphones as well")
        return self

    @property
    def most_states(self) -> int:
        """As many tied states as there can be."""
        roots = sum(topology().lengths.values())
        return roots if self.triphones is None else max(roots, self.triphones.states)


@dataclass(frozen=True)
class Acoustics:
    """A model and the features that it hears: slopes, or `projection` [D, spliced] of `context`."""

    model: AcousticModel
    projection: Floats | None = None
    context: int = 0

    def features(self, heard: Heard) -> NDArray[np.float64]:
        """What the model hears of cepstra, [F, D]."""
        return _features(heard, self.projection, self.context)

    def scores(self, frames: NDArray[np.float64]) -> Floats:
        """log p(frame | tied state) of features [T, D], [T, states]."""
        return self.model.mixtures.log_densities(frames)

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        mixtures = self.model.mixtures
        found = {"weights": mixtures.weights, "means": mixtures.means,
                 "variances": mixtures.variances, "offsets": mixtures.offsets,
                 "stay": np.asarray(self.model.tied.stay)}
        if self.projection is not None:
            found["projection"] = self.projection
        return {f"{prefix}.{name}": torch.from_numpy(np.ascontiguousarray(array))
                for name, array in found.items()}

    def texts(self) -> dict[str, Any]:
        return {"context": self.context, "triphones": tied_to_json(self.model.tied)}

    @classmethod
    def restored(cls, prefix: str, tensors: Mapping[str, Tensor], texts: Mapping[str, Any]) -> Self:
        """What `tensors` and `texts` gave. Raises KeyError for anything else."""
        own = {name.removeprefix(f"{prefix}."): tensor.numpy() for name, tensor in tensors.items()
               if name.startswith(f"{prefix}.")}
        mixtures = Mixtures(own["weights"], own["means"], own["variances"], own["offsets"])
        return cls(AcousticModel(tied_of(texts["triphones"], own["stay"]), mixtures),
                   own.get("projection"), texts["context"])

    @property
    def parameters_count(self) -> int:
        mixtures, projection = self.model.mixtures, self.projection
        return (mixtures.weights.size + 2 * mixtures.means.size + len(self.model.tied.stay)
                + (0 if projection is None else projection.size))


def tied_to_json(tied: TiedStates) -> dict[str, Any] | None:
    """Trees of triphones; None of monophones, which follow from the phones."""
    return tied.to_json() if isinstance(tied, TiedTriphones) else None


def tied_of(stored: dict[str, Any] | None, stay: Floats) -> TiedStates:
    """What `tied_to_json` gave, with `stay` [states]."""
    tied = Monophones.of(topology()) if stored is None else TiedTriphones.from_json(stored)
    return tied.with_stay(stay)


def topology() -> Topology:
    """Three states for each of the 39 phones and for silence."""
    return Topology.of(PHONES)


def questions() -> dict[str, frozenset[str]]:
    """What trees ask of a neighbour: phonetic classes, single phones, and silence."""
    single = {phone: frozenset([phone]) for phone in (*PHONES, SIL)}
    return {**{name: frozenset(phones) for name, phones in CLASSES.items()}, **single}


class Training:
    """Training on utterances whose words `lexicon` has.

    `tell` is called after each pass with what it found of the model before, and what it made.
    """

    def __init__(self, heard: Heard, lexicon: Lexicon,
                 tell: Callable[[Pass, Acoustics], None]) -> None:
        self.heard, self.lexicon, self.tell = heard, lexicon, tell

    def utterances(self, tied: TiedStates, features: NDArray[np.float64]) -> Utterances:
        return Utterances(features, self.heard.offsets,
                          [item.graph for item in self._spoken(tied)])

    def through(self, flow: Flow) -> Acoustics:
        """All steps of the flow. Raises UserError when transcripts do not fit their frames."""
        found = self.monophones(flow.monophones)
        if flow.triphones is not None:
            found = self.triphones(found, flow.triphones)
            if flow.discriminants is not None:
                found = self.discriminative(found, flow.triphones, flow.discriminants)
        return found

    def monophones(self, growth: Growth) -> Acoustics:
        """From equal division to mixtures. Raises UserError when no transcript fits its frames."""
        tied = Monophones.of(topology())
        utterances = self.utterances(tied, _features(self.heard, None, 0))
        try:
            start = flat_start(utterances, tied, VARIANCE_SHARE)
            return self._trained(Acoustics(start), utterances, growth.schedule())
        except ValueError as error:
            raise UserError(f"no acoustic model can be trained: {error}; transcripts and "
                            "recordings of the training subsets do not fit together") from None

    def triphones(self, before: Acoustics, settings: Triphones) -> Acoustics:
        """Triphones on the features of `before`, which aligns the data."""
        features = before.features(self.heard)
        units = self._units(before)
        model = self._tied(features, units, settings)
        return self._trained(replace(before, model=model), self.utterances(model.tied, features),
                             settings.schedule())

    def discriminative(self, before: Acoustics, triphones: Triphones,
                       settings: Discriminants) -> Acoustics:
        """Triphones on LDA and MLLT features, tied anew along the alignment of `before`."""
        units = self._units(before)
        states = units.states(before.model.tied)
        long = spliced(self.heard.frames, self.heard.offsets, settings.context)
        try:
            projection = discriminants(long, states, settings.dimensions)
        except ValueError as error:
            raise UserError(f"no discriminants can be found: {error}") from None
        features = long @ projection.T
        model = self._tied(features, units, triphones)
        owners = units.states(model.tied)
        spreads = Spreads.of(model.mixtures, features, owners)
        rotation, _ = semi_tied(spreads, _MLLT_ROUNDS)
        features = features @ rotation.T
        mixtures = rotated(model.mixtures, spreads, rotation,
                           variance_floor(features, VARIANCE_SHARE))
        start = Acoustics(replace(model, mixtures=mixtures), rotation @ projection,
                          settings.context)
        return self._trained(start, self.utterances(model.tied, features), settings.schedule())

    def _trained(self, start: Acoustics, utterances: Utterances, schedule: Schedule) -> Acoustics:
        found = start
        for model, report in train(start.model, utterances, schedule):
            found = replace(start, model=model)
            self.tell(report, found)
        return found

    def _units(self, acoustics: Acoustics) -> Units:
        tied = acoustics.model.tied
        transcripts = list(self._spoken(tied))
        utterances = Utterances(acoustics.features(self.heard), self.heard.offsets,
                                [item.graph for item in transcripts])
        return Units.of(utterances, transcripts, align(acoustics.model, utterances))

    def _tied(self, features: NDArray[np.float64], units: Units,
              settings: Triphones) -> AcousticModel:
        """Tied states with one Gaussian each."""
        floor = variance_floor(features, VARIANCE_SHARE)
        tied = tie(features, units, topology(), questions(),
                   Limits(settings.least_frames, settings.states), floor)
        return AcousticModel(tied, single_gaussians(features, units.states(tied), len(tied.stay),
                                                    floor))

    def _spoken(self, tied: TiedStates) -> Iterator[Any]:
        for text in self.heard.texts:
            yield spoken(words_in(text), self.lexicon, tied)


def alignment(acoustics: Acoustics, heard: Heard, texts: list[str], lexicon: Lexicon) -> Ids:
    """The tied state of each frame [F] along `texts`; negative in utterances without a path."""
    return _aligned(acoustics.model, acoustics.features(heard), heard, texts, lexicon).states


def loss_of(model: AcousticModel, features: Frames, heard: Heard,
            lexicon: Lexicon) -> float:
    """-log p(frame, path) in nats a frame, along the transcripts of `heard`, [F, D] `features`.

    Raises UserError where no transcript has a path through its frames.
    """
    scores = _aligned(model, features, heard, heard.texts, lexicon).scores
    found = scores > -np.inf
    if not found.any():
        raise UserError("no validation transcript has a path through its frames; transcripts and "
                        "recordings of the validation subset do not fit together")
    return float(-scores[found].sum() / np.diff(heard.offsets)[found].sum())


def _aligned(model: AcousticModel, features: Frames, heard: Heard, texts: list[str],
             lexicon: Lexicon) -> Alignment:
    graphs = [spoken(words_in(text), lexicon, model.tied).graph for text in texts]
    return align(model, Utterances(features, heard.offsets, graphs))


def _features(heard: Heard, projection: Floats | None, context: int) -> NDArray[np.float64]:
    if projection is None:
        return with_slopes(heard.frames, heard.offsets, SLOPES)
    return spliced(heard.frames, heard.offsets, context) @ projection.T
