"""Expectation maximisation of mixtures of Gaussians, and how they grow.

One pass collects sufficient statistics (how often each Gaussian was, and the sums of x and x^2
there), and the next mixtures follow from them (Bilmes 1998, "A Gentle Tutorial of the EM Algorithm
and its Application to Parameter Estimation for Gaussian Mixture and Hidden Markov Models"). The
likelihood of the frames never falls, floors of variances aside.

Mixtures begin with one Gaussian a state and grow by splitting. Frequent states get more Gaussians,
in proportion to a power of how frequent they are: 0.2 in the recipes of Kaldi (Povey et al. 2011,
"The Kaldi Speech Recognition Toolkit"; `GetSplitTargets` in its hmm/ and gmm/ libraries).
"""

import heapq
from dataclasses import dataclass
from typing import Self

import numpy as np

from pipeline.hmm.gmm import Floats, Frames, Ids, Mixtures, by_state, grouped
from pipeline.hmm.transitions import log_sum

SPLIT_DEVIATIONS = 0.2
OCCUPANCY_POWER = 0.2


@dataclass(frozen=True)
class Statistics:
    """Of each Gaussian: expected frames `occupancy` [G], their sum and sum of squares [G, D]."""

    occupancy: Floats
    first: Floats
    second: Floats

    @classmethod
    def none(cls, mixtures: Mixtures) -> Self:
        return cls(np.zeros(len(mixtures.weights)), np.zeros_like(mixtures.means),
                   np.zeros_like(mixtures.means))

    def add(self, mixtures: Mixtures, frames: Frames, states: Ids,
            posteriors: Floats) -> Floats:
        """Add frames [T, D] that are in `states` with `posteriors` [T, states], in place.

        A frame counts for a Gaussian by the posterior of its state times P(Gaussian | x, state).
        Returns log p(x | s) [T, states]. No state stands twice in `states`.
        """
        gaussians, shares, densities = in_gaussians(mixtures, frames, states, posteriors)
        x = frames.astype(np.float64)
        self.occupancy[gaussians] += shares.sum(axis=1)
        self.first[gaussians] += shares @ x
        self.second[gaussians] += shares @ (x * x)
        return densities

    def of_states(self, mixtures: Mixtures) -> Floats:
        """Expected frames of each state, [S]."""
        return np.add.reduceat(self.occupancy, mixtures.offsets[:-1])


def in_gaussians(mixtures: Mixtures, frames: Frames, states: Ids,
                 posteriors: Floats) -> tuple[Ids, Floats, Floats]:
    """How much of each frame [T, D] is in each Gaussian of `states`.

    By the `posteriors` of states [T, states]. Returns these Gaussians [chosen], their shares
    [chosen, T], which sum to the posteriors, and log p(x | s) [T, states].
    """
    gaussians = mixtures.gaussians_of(states)
    counts = mixtures.counts[states]
    components = mixtures.log_components(frames, gaussians)
    densities = log_sum(by_state(components, counts), axis=1)
    with np.errstate(divide="ignore"):
        in_state = np.log(posteriors.T) - densities
    shares = np.exp(components + np.repeat(in_state, counts, axis=0))
    return gaussians, shares, densities.T


def add_aligned(statistics: Statistics, mixtures: Mixtures, frames: Frames,
                states: Ids) -> float:
    """Add frames [T, D] each of which is in one state [T], in place; negative: in none.

    Returns the sum of log p(x | s). Frames of one state are taken together.
    """
    total = 0.0
    for state, rows in grouped(states):
        total += statistics.add(mixtures, frames[rows], np.array([state]),
                                np.ones((len(rows), 1))).sum()
    return total


def single_gaussians(frames: Frames, states: Ids, count: int, floor: Floats) -> Mixtures:
    """One Gaussian for each of `count` states, of the frames [T, D] that are in it by `states` [T].

    A negative state is none. `floor` [D] is the least variance. A state without frames gets the
    Gaussian of all that are in some state. Raises ValueError where none is.
    """
    inside = states >= 0
    if not inside.any():
        raise ValueError("no frame is in a state: every transcript has more states than frames")
    x, owners = frames[inside].astype(np.float64), states[inside]
    everywhere = Mixtures(np.ones(1), x.mean(axis=0)[None], np.maximum(x.var(axis=0), floor)[None],
                          np.array([0, 1]))
    start = Mixtures(np.ones(count), np.repeat(everywhere.means, count, axis=0),
                     np.repeat(everywhere.variances, count, axis=0), np.arange(count + 1))
    statistics = Statistics.none(start)
    add_aligned(statistics, start, x, owners)
    return maximised(start, statistics, floor, 0.0)


def variance_floor(frames: Frames, share: float) -> Floats:
    """`share` of the variance of all frames [T, D] together, [D]: a floor for those of states."""
    return share * frames.astype(np.float64).var(axis=0)


def maximised(mixtures: Mixtures, statistics: Statistics, floor: Floats,
              least: float) -> Mixtures:
    """The mixtures that `statistics` of them make most likely.

    No variance falls under `floor` [D]. A Gaussian expected fewer than `least` frames is removed,
    since so few say nothing of a variance; but the one with most stays in each state, and if that
    has too few as well, as it was.
    """
    occupancy, owners = statistics.occupancy, mixtures.owners
    enough = (occupancy >= least) & (occupancy > 0)
    kept = enough.copy()
    # Sorting is stable, so of equals the first leads its state.
    kept[np.lexsort((-occupancy, owners))[mixtures.offsets[:-1]]] = True
    divisor = np.where(enough, occupancy, 1.0)[:, None]
    means = np.where(enough[:, None], statistics.first / divisor, mixtures.means)
    variances = np.where(enough[:, None], statistics.second / divisor - means ** 2,
                         mixtures.variances)
    counts = np.bincount(owners[kept], minlength=len(mixtures.counts))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    masses = np.where(enough, occupancy, 1.0)[kept]
    weights = masses / np.repeat(np.add.reduceat(masses, offsets[:-1]), counts)
    return Mixtures(weights, means[kept], np.maximum(variances, floor)[kept], offsets)


def shared_out(occupancy: Floats, total: int, least: float,
               power: float = OCCUPANCY_POWER) -> Ids:
    """How many of `total` Gaussians each state gets, [S], by its frames `occupancy` [S].

    Each gets one; the next goes where occupancy^power is most for each Gaussian that is there (of
    equals, to the first), as long as each then has more than `least` frames. Where no state may
    have more, they are fewer than `total`.
    """
    counts = np.ones(len(occupancy), np.int64)
    shares = occupancy ** power
    queue = [(-shares[state], state) for state in range(len(occupancy))]
    heapq.heapify(queue)
    left = total - len(counts)
    while queue and left > 0:
        _, state = heapq.heappop(queue)
        if occupancy[state] > (counts[state] + 1) * least:
            counts[state] += 1
            left -= 1
            heapq.heappush(queue, (-shares[state] / counts[state], state))
    return counts


def grown(mixtures: Mixtures, counts: Ids) -> Mixtures:
    """Mixtures in which each state has at least `counts` [S] Gaussians.

    The Gaussian with the largest weight in the state is split, as often as needed: two of half the
    weight stand for it, their means 0.2 deviations to either side in every dimension.
    """
    parts = [_split(*one, int(count)) for one, count in zip(_states(mixtures), counts, strict=True)]
    offsets = np.concatenate([[0], np.cumsum([len(weights) for weights, _, _ in parts])])
    return Mixtures(np.concatenate([part[0] for part in parts]),
                    np.concatenate([part[1] for part in parts]),
                    np.concatenate([part[2] for part in parts]), offsets)


def _states(mixtures: Mixtures) -> list[tuple[Floats, Floats, Floats]]:
    """Weights, means and variances of each state."""
    cuts = mixtures.offsets[1:-1]
    return list(zip(np.split(mixtures.weights, cuts), np.split(mixtures.means, cuts),
                    np.split(mixtures.variances, cuts), strict=True))


def _split(weights: Floats, means: Floats, variances: Floats,
           count: int) -> tuple[Floats, Floats, Floats]:
    """One state's Gaussians, split until there are `count`."""
    while len(weights) < count:
        largest = int(weights.argmax())
        step = SPLIT_DEVIATIONS * np.sqrt(variances[largest])
        weights = np.append(weights, weights[largest] / 2)
        weights[largest] /= 2
        means = np.concatenate([means, means[largest][None] + step])
        means[largest] -= step
        variances = np.concatenate([variances, variances[largest][None]])
    return weights, means, variances
