"""Mixtures of Gaussians with diagonal covariances: how likely a frame is in a state of speech.

Jurafsky and Martin, "Speech and Language Processing" (2nd ed. 2009), section 9.4.2. A state's
density is a sum over its components,

    p(x | s) = sum over g of w_g N(x; mu_g, diag(v_g)),

and the logarithm of one component is a weighted sum of a constant, x and x^2. So all components of
all states are one product of matrices. A diagonal of variances takes the dimensions as
uncorrelated, which the cosine transform of MFCC roughly makes them.

T is the number of frames, D that of dimensions, S that of states and G that of Gaussians.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.hmm.transitions import log_sum

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
Frames = NDArray[np.floating]


@dataclass(frozen=True)
class Mixtures:
    """Mixtures of S states; state s has the Gaussians `offsets[s]` to `offsets[s + 1]`.

    `weights` [G] sum to 1 in each state and are over 0, as are `variances` [G, D]; `means` [G, D],
    `offsets` [S + 1]. A state has at least one Gaussian, and each as many as it needs.
    """

    weights: Floats
    means: Floats
    variances: Floats
    offsets: Ids

    @property
    def counts(self) -> Ids:
        """How many Gaussians each state has, [S]."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> Ids:
        """The state of each Gaussian, [G]."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def gaussians_of(self, states: Ids) -> Ids:
        """The Gaussians of `states` one state after the other, [those of all]."""
        counts = self.counts[states]
        starts = self.offsets[states] - (np.cumsum(counts) - counts)
        return np.repeat(starts, counts) + np.arange(counts.sum())

    def log_components(self, frames: Frames, gaussians: Ids) -> Floats:
        """log w_g N(x; mu_g, v_g) of chosen Gaussians, [chosen, T], of frames [T, D].

        The constant holds mu^2 / v, and it, x mu / v and x^2 / 2v cancel: 64 bits lose nothing by
        that where means are a few thousand deviations from 0 or less.
        """
        x = frames.T.astype(np.float64)
        linear, constants = self._natural
        found = linear[gaussians] @ np.concatenate([x, x * x])
        found += constants[gaussians, None]
        return found

    def log_densities(self, frames: Frames, states: Ids | None = None) -> Floats:
        """log p(x | s) of all states, or of `states` in their order, [T, states]."""
        chosen = np.arange(len(self.counts)) if states is None else states
        components = self.log_components(frames, self.gaussians_of(chosen))
        return log_sum(by_state(components, self.counts[chosen]), axis=1).T

    @cached_property
    def _natural(self) -> tuple[Floats, Floats]:
        """What x and x^2 are multiplied with, [G, 2 D], and the constants, [G]."""
        precisions = 1 / self.variances
        scaled = self.means * precisions
        norms = np.log(2 * np.pi * self.variances).sum(axis=1)
        constants = np.log(self.weights) - 0.5 * (norms + (self.means * scaled).sum(axis=1))
        return np.concatenate([scaled, -0.5 * precisions], axis=1), constants


def by_state(components: Floats, counts: Ids) -> Floats:
    """Rows of Gaussians [G, T] as [states, most Gaussians of a state, T], -inf where none is.

    A sum over one axis is many times as fast as one over pieces of different length.
    """
    width = counts.max(initial=1)
    if len(components) == len(counts) * width:
        return components.reshape(len(counts), width, -1)
    found = np.full((len(counts), width, components.shape[1]), -np.inf)
    found[np.arange(width) < counts[:, None]] = components
    return found


def grouped(groups: Ids) -> Iterator[tuple[int, Ids]]:
    """Each group of `groups` [F] in order and the places that are in it; negative is none."""
    order = np.argsort(groups, kind="stable")
    order = order[groups[order] >= 0]
    found, starts = np.unique(groups[order], return_index=True)
    for group, start, end in zip(found.tolist(), starts, np.append(starts, len(order))[1:],
                                 strict=True):
        yield group, order[start:end]
