"""Training of acoustic models from transcripts alone: expectation, maximisation, growth.

Nobody has said where phones begin. At first the frames of an utterance are divided equally among
the states of its transcript (flat start; Young et al., "The HTK Book", section 8.3), then each
model finds better paths for the next, while its mixtures grow from one Gaussian a state.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.hmm.gmm import Floats, Ids
from pipeline.hmm.gmm_training import (
    grown,
    maximised,
    shared_out,
    single_gaussians,
    variance_floor,
)
from pipeline.hmm.graphs import NOWHERE
from pipeline.hmm.phones import TiedStates
from pipeline.hmm.transcripts import likeliest_chain
from pipeline.hmm.utterances import (
    AcousticModel,
    Alignment,
    Expected,
    Utterances,
    align,
    expected,
    expected_aligned,
)

STAY_RANGE = (0.01, 0.99)  # no state is left at once or stays for ever, whatever was seen


@dataclass(frozen=True)
class Schedule:
    """How a model is trained.

    Pass p, from 1, has `gaussians` at its end when p is `growing` or more, and before that a share
    of the way there. "viterbi" aligns anew in each pass of `realigned`, and in the first if there
    is no alignment yet; "baum-welch" sums over all paths in every pass. Variances are at least
    `variance_share` of those of all frames; a Gaussian of fewer than `least_frames` is removed, and
    mixtures with fewer for each do not grow.
    """

    passes: int
    gaussians: int
    growing: int
    realigned: frozenset[int]
    expectation: Literal["viterbi", "baum-welch"] = "viterbi"
    variance_share: float = 0.01
    least_frames: float = 10.0


@dataclass(frozen=True)
class Pass:
    """What a pass found of the model that it began with; log-likelihood in nats per frame."""

    number: int
    log_likelihood: float
    gaussians: int
    left_out: int


def flat_start(utterances: Utterances, tied: TiedStates, variance_share: float) -> AcousticModel:
    """A model of single Gaussians from frames divided equally among the states of transcripts."""
    floor = variance_floor(utterances.frames, variance_share)
    return AcousticModel(tied, single_gaussians(utterances.frames, equal_division(utterances),
                                                len(tied.stay), floor))


def equal_division(utterances: Utterances) -> Ids:
    """The state of each frame [F] when the likeliest chain of nodes is divided equally.

    It is NOWHERE in an utterance with fewer frames than its chain has nodes.
    """
    states = np.full(len(utterances.frames), NOWHERE)
    for utterance, graph in enumerate(utterances.graphs):
        start, end = utterances.offsets[utterance : utterance + 2]
        chain = likeliest_chain(graph)
        if end - start >= len(chain):
            divided = np.arange(end - start) * len(chain) // (end - start)
            states[start:end] = graph.emits[chain[divided]]
    return states


def train(model: AcousticModel, utterances: Utterances,
          schedule: Schedule) -> Iterator[tuple[AcousticModel, Pass]]:
    """The model after each pass, and what the pass found of the one before.

    Raises ValueError when no utterance has a path: transcripts have more states than frames.
    """
    floor = variance_floor(utterances.frames, schedule.variance_share)
    first = len(model.mixtures.weights)
    alignment: Alignment | None = None
    for number in range(1, schedule.passes + 1):
        if schedule.expectation == "baum-welch":
            found = expected(model, utterances)
        else:
            if alignment is None or number in schedule.realigned:
                alignment = align(model, utterances)
            found = expected_aligned(model, utterances, alignment)
        if found.frames == 0:
            raise ValueError("no transcript has a path through its frames: it has more states")
        report = Pass(number, found.log_likelihood / found.frames, len(model.mixtures.weights),
                      found.left_out)
        share = min(number / max(schedule.growing, 1), 1.0)
        model = updated(model, found, floor, schedule.least_frames,
                        round(first + (schedule.gaussians - first) * share))
        yield model, report


def updated(model: AcousticModel, found: Expected, floor: Floats, least: float,
            gaussians: int) -> AcousticModel:
    """The model that makes what was expected most likely, with up to `gaussians` if it had fewer.

    A state that nobody saw stays as it was. `floor` [D] and `least` are those of `maximised`.
    """
    occupancy = found.statistics.of_states(model.mixtures)
    seen = occupancy > 0
    stay = np.log(np.clip(found.stays / np.where(seen, occupancy, 1.0), *STAY_RANGE))
    mixtures = maximised(model.mixtures, found.statistics, floor, least)
    return AcousticModel(model.tied.with_stay(np.where(seen, stay, model.tied.stay)),
                         grown(mixtures, shared_out(occupancy, gaussians, least)))
