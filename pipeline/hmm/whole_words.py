"""Whole-word hidden Markov models: each word a chain of states, all recordings trained together.

The recognisers of digits before phones were modelled (Rabiner 1989, "A Tutorial on Hidden Markov
Models and Selected Applications in Speech Recognition", sections IV and VI): a word is a few states
from left to right, each a mixture of Gaussians with diagonal covariances, and an unknown recording
is the word whose model makes it likeliest. Words are trained from recordings that hold one word
each, by sums over all paths (Baum-Welch) or by the best path of each (Viterbi training).

What a general graph of states pays for each frame (`pipeline.hmm.utterances`) is spared here: the
recursions are those of `pipeline.hmm.chains`, and what is expected of the Gaussians of a word is
one product of matrices, as is how likely its frames are.

F is the number of frames of all recordings, U that of recordings, W of words, S of the states of a
word, G of the Gaussians of a word and D that of dimensions. State j of word w is w S + j of all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np

from pipeline.hmm.chains import (
    LOGARITHMS,
    SUMS,
    Steps,
    backward,
    best_states,
    forward,
    trustworthy,
)
from pipeline.hmm.gmm import Floats, Frames, Ids, Mixtures, by_state
from pipeline.hmm.gmm_training import Statistics, grown, maximised, single_gaussians
from pipeline.hmm.training import STAY_RANGE
from pipeline.hmm.transitions import log_sum

Kind = Literal["viterbi", "baum-welch"]


@dataclass(frozen=True)
class WholeWords:
    """Models of W words: `stay` [W, S] is log P(stay in the state), under 0; W S mixtures."""

    stay: Floats
    mixtures: Mixtures

    def states_of(self, word: int) -> Ids:
        """The states of a word among those of all, [S]."""
        states = self.stay.shape[1]
        return np.arange(word * states, (word + 1) * states)

    @cached_property
    def passing(self) -> Floats:
        """log of the product over a word's states of P(leave) / P(stay), [W]."""
        return (np.log(-np.expm1(self.stay)) - self.stay).sum(axis=1)

    def gaussians_of(self, word: int) -> slice:
        """The Gaussians of a word's states among those of all."""
        states = self.states_of(word)
        return slice(self.mixtures.offsets[states[0]], self.mixtures.offsets[states[-1] + 1])

    @cached_property
    def weights(self) -> Floats:
        """What 1, x and x^2 are multiplied with, [all G, 1 + 2 D].

        Their sum is log w_g N(x; mu_g, v_g) P(stay): the mixtures' formula with how likely each
        state stays.
        """
        mixtures = self.mixtures
        precisions = 1 / mixtures.variances
        scaled = mixtures.means * precisions
        norms = (np.log(2 * np.pi * mixtures.variances) + mixtures.means * scaled).sum(axis=1)
        stay = np.repeat(self.stay.ravel(), mixtures.counts)
        constants = np.log(mixtures.weights) - 0.5 * norms + stay
        return np.concatenate([constants[:, None], scaled, -0.5 * precisions], axis=1)


def powers_of(frames: Frames) -> Floats:
    """1, x and x^2 of frames [F, D], [F, 1 + 2 D]."""
    dimensions = frames.shape[1]
    found = np.empty((len(frames), 1 + 2 * dimensions))
    found[:, 0] = 1.0
    found[:, 1 : 1 + dimensions] = frames
    np.square(found[:, 1 : 1 + dimensions], out=found[:, 1 + dimensions :])
    return found


@dataclass(frozen=True)
class Recordings:
    """Recordings of one word each, sorted by word; those shorter than a word's states are left out.

    `powers` [F, 1 + 2 D] are 1, x and x^2 of each frame, `offsets` [U + 1] where each recording
    begins, `cuts` [W + 1] at which recording each word's begin, `given` [U] which of those given
    each is.
    """

    powers: Floats
    offsets: Ids
    cuts: Ids
    given: Ids
    states: int
    left_out: int

    @classmethod
    def of(cls, frames: Frames, offsets: Ids, words: Ids, count: int, states: int) -> Self:
        """Of frames [F, D] cut at `offsets`, each of one of `count` words, for so many states.

        Raises ValueError where every recording is too short.
        """
        lengths = np.diff(offsets)
        enough = np.flatnonzero(lengths >= states)
        if not len(enough):
            raise ValueError(f"no recording has {states} frames, one for each state of its word")
        given = enough[np.argsort(words[enough], kind="stable")]
        own = np.concatenate([[0], np.cumsum(lengths[given])])
        rows = np.repeat(offsets[given] - own[:-1], lengths[given]) + np.arange(own[-1])
        return cls(powers_of(frames[rows]), own,
                   np.searchsorted(words[given], np.arange(count + 1)), given, states,
                   len(lengths) - len(enough))

    @property
    def frames(self) -> Floats:
        """The frames alone, [F, D]."""
        return self.powers[:, 1 : (self.powers.shape[1] + 1) // 2]

    @cached_property
    def lengths(self) -> Ids:
        return np.diff(self.offsets)

    @cached_property
    def steps(self) -> Steps:
        return Steps.of(self.offsets)

    def words(self) -> Iterator[tuple[int, slice]]:
        """Each word that has recordings, and its frames."""
        bounds = self.offsets[self.cuts].tolist()
        for word, (start, end) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
            if end > start:
                yield word, slice(start, end)

    @cached_property
    def counts(self) -> Ids:
        """How many recordings each word has, [W]."""
        return np.diff(self.cuts)

    def floor(self, share: float) -> Floats:
        """`share` of the variance of all frames together, [D]: a floor for those of Gaussians."""
        sums = np.ones(len(self.powers)) @ self.powers / len(self.powers)
        first, second = np.split(sums[1:], 2)
        return share * np.maximum(second - first * first, 0.0)

    def only(self, chosen: Ids) -> "Recordings":
        """Some of the recordings, named by their places here in ascending order."""
        rows = np.concatenate([np.arange(*self.offsets[place : place + 2])
                               for place in chosen.tolist()])
        return Recordings(self.powers[rows],
                          np.concatenate([[0], np.cumsum(self.lengths[chosen])]),
                          np.searchsorted(chosen, self.cuts), self.given[chosen], self.states,
                          len(self.given) - len(chosen))


@dataclass(frozen=True)
class Schedule:
    """How models are trained.

    Pass p, from 1, leaves each state `gaussians` when p is `growing` or more, and before that a
    share of the way there. Variances are at least `variance_share` of those of all frames; a
    Gaussian that is expected fewer than `least_frames` is removed.
    """

    passes: int
    gaussians: int
    growing: int
    expectation: Kind = "baum-welch"
    variance_share: float = 0.01
    least_frames: float = 0.0


@dataclass(frozen=True)
class Expected:
    """What a pass expects of all Gaussians; `log_likelihoods` [U], in the recordings' order.

    In Viterbi training they are those of frames and path.
    """

    statistics: Statistics
    log_likelihoods: Floats


@dataclass(frozen=True)
class Pass:
    """What a pass found of the models that it began with; log-likelihood in nats per frame."""

    number: int
    log_likelihood: float
    gaussians: int


def flat_start(recordings: Recordings, variance_share: float) -> WholeWords:
    """Single Gaussians of frames divided equally among the states of their words, [W, S]."""
    lengths, states = recordings.lengths, recordings.states
    words = np.repeat(np.arange(len(recordings.counts)), recordings.counts)
    inside = np.arange(len(recordings.powers)) - np.repeat(recordings.offsets[:-1], lengths)
    owners = np.repeat(words, lengths) * states + inside * states // np.repeat(lengths, lengths)
    count = len(recordings.counts) * states
    mixtures = single_gaussians(recordings.frames, owners, count,
                                recordings.floor(variance_share))
    occupancy = np.bincount(owners, minlength=count).astype(np.float64)
    return WholeWords(_stays(recordings, occupancy), mixtures)


def train(model: WholeWords, recordings: Recordings,
          schedule: Schedule) -> Iterator[tuple[WholeWords, Pass]]:
    """The models after each pass, and what the pass found of those before."""
    floor = recordings.floor(schedule.variance_share)
    first = int(model.mixtures.counts.max())
    for number in range(1, schedule.passes + 1):
        found = expected(model, recordings, schedule.expectation)
        report = Pass(number, float(found.log_likelihoods.sum()) / len(recordings.powers),
                      len(model.mixtures.weights))
        share = min(number / max(schedule.growing, 1), 1.0)
        model = updated(model, recordings, found, floor, schedule.least_frames,
                        round(first + (schedule.gaussians - first) * share))
        yield model, report


def updated(model: WholeWords, recordings: Recordings, found: Expected, floor: Floats,
            least: float, gaussians: int) -> WholeWords:
    """The models that make what was expected likeliest, with as many `gaussians` a state.

    The states of a word without recordings each keep a Gaussian and how likely they stay. `floor`
    [D] and `least` are those of `maximised`; no mixture grows to more Gaussians than it was
    expected `least` frames for each.
    """
    occupancy = found.statistics.of_states(model.mixtures)
    mixtures = maximised(model.mixtures, found.statistics, floor, least)
    counts = np.full(len(occupancy), gaussians)
    if least > 0:
        counts = np.minimum(counts, np.maximum(occupancy // least, 1).astype(np.int64))
    if (mixtures.counts < counts).any():
        mixtures = grown(mixtures, counts)
    stay = np.where(recordings.counts[:, None] > 0, _stays(recordings, occupancy), model.stay)
    return WholeWords(stay, mixtures)


def _stays(recordings: Recordings, occupancy: Floats) -> Floats:
    """log P(stay), [W, S], from expected frames [W S]: each recording leaves each state once."""
    frames = np.maximum(occupancy.reshape(-1, recordings.states), 1e-300)
    found: Floats = np.log(np.clip(1 - recordings.counts[:, None] / frames, *STAY_RANGE))
    return found


def expected(model: WholeWords, recordings: Recordings, kind: Kind = "baum-welch") -> Expected:
    """What the models expect of recordings, over all paths or on the best one of each."""
    statistics = Statistics.none(model.mixtures)
    found = _summed(model, recordings) if kind == "baum-welch" else _best(model, recordings)
    found.add_to(statistics, model, recordings)
    likelihoods = found.log_likelihoods
    lost = np.flatnonzero(np.isnan(likelihoods))
    if len(lost):
        others = recordings.only(lost)
        by_logarithms = _summed_as_logarithms(model, others)
        by_logarithms.add_to(statistics, model, others)
        likelihoods[lost] = by_logarithms.log_likelihoods
    return Expected(statistics, likelihoods)


def log_likelihoods(model: WholeWords, frames: Frames) -> Floats:
    """log P(frames | word) of one recording [T, D] for each word, [W], in nats.

    Always by logarithms: most words are improbable. -inf where there are fewer frames than states.
    """
    words, states = model.stay.shape
    if len(frames) < states:
        return np.full(words, -np.inf)
    logs = log_sum(by_state(model.weights @ powers_of(frames).T, model.mixtures.counts), axis=1)
    # The words are so many sequences side by side, each of as many frames.
    by_steps = logs.reshape(words, states, -1).transpose(1, 2, 0).reshape(states, -1)
    _, whole = forward(Steps.of(np.arange(words + 1) * len(frames)), by_steps, LOGARITHMS)
    return whole + model.passing


@dataclass(frozen=True)
class _Occupied:
    """How much of each frame is where.

    A Gaussian's share of a frame is its number in `parts` of its word, [S, most Gaussians of a
    state, frames], times that of its state in `states` [S, F]. `log_likelihoods` [U] are nan where
    nothing is known yet.
    """

    parts: list[Floats]
    states: Floats
    log_likelihoods: Floats

    def add_to(self, statistics: Statistics, model: WholeWords, recordings: Recordings) -> None:
        mixtures, count, dimensions = model.mixtures, recordings.states, len(statistics.first[0])
        for part, (word, own) in zip(self.parts, recordings.words(), strict=True):
            shares = part * self.states[:, None, own]
            sizes = mixtures.counts[word * count : (word + 1) * count]
            rows = (shares.reshape(-1, shares.shape[2]) if sizes.min() == shares.shape[1]
                    else shares[np.arange(shares.shape[1]) < sizes[:, None]])
            sums = rows @ recordings.powers[own]
            gaussians = model.gaussians_of(word)
            statistics.occupancy[gaussians] += sums[:, 0]
            statistics.first[gaussians] += sums[:, 1 : 1 + dimensions]
            statistics.second[gaussians] += sums[:, 1 + dimensions :]


def _components(model: WholeWords, recordings: Recordings, word: int, own: slice) -> Floats:
    """log w_g N(x; mu_g, v_g) P(stay), [S, most Gaussians of a state, frames], of a word's frames.
    """
    logs = model.weights[model.gaussians_of(word)] @ recordings.powers[own].T
    return by_state(logs, model.mixtures.counts[model.states_of(word)])


def _summed(model: WholeWords, recordings: Recordings) -> _Occupied:
    """Over all paths, where numbers can hold the sums; elsewhere nothing, and nan.

    In each frame all are divided by as much as makes the sum of no state's Gaussians more than 1.
    """
    steps = recordings.steps
    emitted = np.empty((recordings.states, len(recordings.powers)))
    ceilings = np.empty(emitted.shape[1])
    parts = []
    for word, own in recordings.words():
        logs = _components(model, recordings, word, own)
        ceilings[own] = logs.max(axis=(0, 1)) + np.log(logs.shape[1])
        logs -= ceilings[own]
        parts.append(np.exp(logs, out=logs))
        logs.sum(axis=1, out=emitted[:, own])
    emitted = emitted.take(steps.places, axis=1)
    arrivals, whole = forward(steps, emitted, SUMS)
    known = trustworthy(whole, recordings.lengths[steps.order], recordings.states)
    whole = np.where(known, whole, np.nan)
    arrivals *= backward(steps, emitted, 1 / whole, SUMS)
    states = arrivals.take(steps.columns, axis=1)
    likelihoods = np.add.reduceat(ceilings, recordings.offsets[:-1])
    likelihoods[steps.order] += np.log(whole)
    if not known.all():
        states[:, np.repeat(np.isnan(likelihoods), recordings.lengths)] = 0.0
    likelihoods += np.repeat(model.passing, recordings.counts)
    return _Occupied(parts, states, likelihoods)


def _summed_as_logarithms(model: WholeWords, recordings: Recordings) -> _Occupied:
    """Over all paths, whatever their probabilities; several times as slow."""
    steps, (parts, emitted) = recordings.steps, _in_states(model, recordings)
    arrivals, whole = forward(steps, emitted, LOGARITHMS)
    departures = backward(steps, emitted, -whole, LOGARITHMS)
    states = np.exp(arrivals + emitted + departures).take(steps.columns, axis=1)
    return _Occupied(parts, states, _likelihoods(model, recordings, whole))


def _best(model: WholeWords, recordings: Recordings) -> _Occupied:
    """On the best path of each recording."""
    steps, (parts, emitted) = recordings.steps, _in_states(model, recordings)
    path, scores = best_states(steps, emitted)
    states = np.zeros_like(emitted)
    states[path, steps.places] = 1.0
    return _Occupied(parts, states, _likelihoods(model, recordings, scores))


def _in_states(model: WholeWords, recordings: Recordings) -> tuple[list[Floats], Floats]:
    """Each word's P(Gaussian | x, state), and log p(x | state) P(stay) in the steps' order, [S, F].
    """
    emitted = np.empty((recordings.states, len(recordings.powers)))
    parts = []
    for word, own in recordings.words():
        logs = _components(model, recordings, word, own)
        if logs.shape[1] == 1:
            emitted[:, own] = logs[:, 0]
            parts.append(np.ones((len(logs), 1, 1)))
        else:
            emitted[:, own] = log_sum(logs, axis=1)
            parts.append(np.exp(logs - emitted[:, None, own]))
    return parts, emitted.take(recordings.steps.places, axis=1)


def _likelihoods(model: WholeWords, recordings: Recordings, ends: Floats) -> Floats:
    """In the recordings' order, [U], of what leads to their `ends` in the steps'."""
    found = np.empty(len(ends))
    found[recordings.steps.order] = ends
    return found + np.repeat(model.passing, recordings.counts)
