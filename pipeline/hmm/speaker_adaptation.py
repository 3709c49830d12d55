"""A transform for each speaker, in recognition and, with them in place, in training.

In recognition a first answer says which states a speaker's frames are in, and his transform follows
from that. In speaker-adaptive training (Anastasakos et al. 1996, "A Compact Model for Speaker-
Adaptive Training"; with constrained transforms Gales 1998) every training speaker has one as well,
so the model need not hold what differs between speakers: transforms and model are estimated in
turn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pipeline.hmm.fmllr import (
    FmllrStatistics,
    applied,
    estimated,
    log_volume,
    unchanged,
)
from pipeline.hmm.gmm import Floats, Ids, Mixtures
from pipeline.hmm.training import Pass, Schedule, train
from pipeline.hmm.utterances import AcousticModel, Utterances, align


@dataclass(frozen=True)
class Adaptation:
    """Which frames count for a transform, and how many there have to be.

    `silence` are the tied states of silence, whose frames count `silence_weight` each, 0 to 1: a
    room sounds alike, whoever is silent there. A speaker of fewer than `least_frames`, weighted so,
    is left as he is.
    """

    silence: frozenset[int]
    silence_weight: float = 0.0
    least_frames: float = 500.0

    def weights(self, states: Ids) -> Floats:
        """Of frames in these states, [T]; 0 where a state is negative."""
        quiet = np.isin(states, sorted(self.silence))
        return np.where(states < 0, 0.0, np.where(quiet, self.silence_weight, 1.0))


def speaker_transforms(mixtures: Mixtures, utterances: Utterances, speakers: Ids, states: Ids,
                       adaptation: Adaptation, before: Floats | None = None) -> Floats:
    """The transform of each speaker, [speakers, D, D + 1].

    `utterances` have frames as they were recorded, `speakers` [U] are numbered from 0, `states` [F]
    are those of an alignment, negative for none. `before` are the transforms that are in use, which
    tell Gaussians of a state apart; at first none.
    """
    dimension = utterances.frames.shape[1]
    count = int(speakers.max()) + 1
    in_use = np.tile(unchanged(dimension), (count, 1, 1)) if before is None else before
    weights = adaptation.weights(states)
    of_frames = np.repeat(speakers, np.diff(utterances.offsets))
    found = np.empty_like(in_use)
    for speaker in range(count):
        own = np.flatnonzero(of_frames == speaker)
        frames = utterances.frames[own]
        statistics = FmllrStatistics.aligned(mixtures, frames, states[own], weights[own],
                                             applied(in_use[speaker], frames))
        found[speaker] = estimated(statistics, adaptation.least_frames)
    return found


def adapted(utterances: Utterances, speakers: Ids, transforms: Floats) -> Utterances:
    """The same utterances with the frames of each speaker transformed."""
    frames = np.empty(utterances.frames.shape)
    for utterance, speaker in enumerate(speakers):
        own = slice(utterances.offsets[utterance], utterances.offsets[utterance + 1])
        frames[own] = applied(transforms[speaker], utterances.frames[own])
    return replace(utterances, frames=frames)


@dataclass(frozen=True)
class Round:
    """A round of speaker-adaptive training: its transforms and passes.

    `log_volume` is that of all frames' transforms, in nats per frame: with it added, the passes'
    log-likelihoods are those of the frames as they were recorded.
    """

    transforms: Floats
    passes: tuple[Pass, ...]
    log_volume: float


def adaptive_training(model: AcousticModel, utterances: Utterances, speakers: Ids,
                      adaptation: Adaptation, rounds: int,
                      schedule: Schedule) -> Iterator[tuple[AcousticModel, Round]]:
    """The model after each round, in which speakers' transforms and then it were estimated.

    Arguments as `speaker_transforms` has them; `model` was trained on the frames as recorded. Each
    round trains as `schedule` says.
    """
    transforms: Floats | None = None
    now = utterances
    for _ in range(rounds):
        states = align(model, now).states
        transforms = speaker_transforms(model.mixtures, utterances, speakers, states, adaptation,
                                        transforms)
        now = adapted(utterances, speakers, transforms)
        passes = []
        for after, report in train(model, now, schedule):
            model = after
            passes.append(report)
        yield model, Round(transforms, tuple(passes),
                           mean_log_volume(transforms, speakers, utterances.offsets))


def mean_log_volume(transforms: Floats, speakers: Ids, offsets: Ids) -> float:
    """That of the speakers' transforms, in nats per frame of all utterances."""
    volumes = np.array([log_volume(transform) for transform in transforms])[speakers]
    lengths = np.diff(offsets)
    return float(volumes @ lengths / lengths.sum())
