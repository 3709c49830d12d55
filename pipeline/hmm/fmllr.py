"""Adaptation to a speaker by an affine map of the features: constrained MLLR, or fMLLR.

Gales 1998, "Maximum Likelihood Linear Transformations for HMM-based Speech Recognition". A
speaker's frames become A x + b such that the model, trained on others, makes them most likely.
With w_i = [a_i b_i] a row, xi = [x 1], and each frame's Gaussians known, that maximises

    frames log |det A| - 1/2 sum over i of (w_i G_i w_i' - 2 w_i k_i')

where G_i sums xi' xi / v_i over frames and Gaussians, and k_i sums mu_i xi / v_i. Rows are improved
in turn, each in closed form.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.hmm.gmm import Floats, Frames, Ids, Mixtures, grouped
from pipeline.hmm.gmm_training import in_gaussians

SWEEPS = 20
AT_ONCE = 1000  # frames whose products xi' xi are held


@dataclass(frozen=True)
class FmllrStatistics:
    """What a speaker's frames say: how many, k [D, D + 1] and G [D, D + 1, D + 1]."""

    frames: float
    linear: Floats
    quadratic: Floats

    @classmethod
    def none(cls, dimension: int) -> "FmllrStatistics":
        return cls(0.0, np.zeros((dimension, dimension + 1)),
                   np.zeros((dimension, dimension + 1, dimension + 1)))

    def __add__(self, other: "FmllrStatistics") -> "FmllrStatistics":
        return FmllrStatistics(self.frames + other.frames, self.linear + other.linear,
                               self.quadratic + other.quadratic)

    @classmethod
    def of(cls, mixtures: Mixtures, frames: Frames, states: Ids, posteriors: Floats,
           adapted: Frames) -> "FmllrStatistics":
        """From frames [T, D] in `states` by `posteriors` [T, states], or a smaller weight.

        Which Gaussian of its state a frame is in is told by `adapted` [T, D], the frames as the
        model hears them now.
        """
        return cls._summed(frames, *_pulls(mixtures, adapted, states, posteriors))

    @classmethod
    def aligned(cls, mixtures: Mixtures, frames: Frames, states: Ids, weights: Floats,
                adapted: Frames) -> "FmllrStatistics":
        """From frames [T, D] in one state each [T], with weights [T]; a negative state is none."""
        precisions, targets = np.zeros((2, *frames.shape))
        total = 0.0
        for state, rows in grouped(np.where(weights > 0, states, -1)):
            precisions[rows], targets[rows], count = _pulls(
                mixtures, adapted[rows], np.array([state]), weights[rows, None])
            total += count
        return cls._summed(frames, precisions, targets, total)

    @classmethod
    def _summed(cls, frames: Frames, precisions: Floats, targets: Floats,
                count: float) -> "FmllrStatistics":
        x = np.concatenate([frames, np.ones((len(frames), 1))], axis=1, dtype=np.float64)
        dimension, size = precisions.shape[1], x.shape[1]
        quadratic = np.zeros((dimension, size * size))
        for start in range(0, len(x), AT_ONCE):
            part = x[start : start + AT_ONCE]
            products = (part[:, :, None] * part[:, None]).reshape(len(part), -1)
            quadratic += precisions[start : start + AT_ONCE].T @ products
        return cls(count, targets.T @ x, quadratic.reshape(dimension, size, size))


def _pulls(mixtures: Mixtures, adapted: Frames, states: Ids,
           posteriors: Floats) -> tuple[Floats, Floats, float]:
    """Sums of 1 / v and of mu / v over the Gaussians of each frame, [T, D], and frames in all."""
    gaussians, shares, _ = in_gaussians(mixtures, adapted, states, posteriors)
    precisions = 1 / mixtures.variances[gaussians]
    return (shares.T @ precisions, shares.T @ (precisions * mixtures.means[gaussians]),
            float(shares.sum()))


def unchanged(dimension: int) -> Floats:
    """The transform [D, D + 1] that leaves frames as they are."""
    return np.eye(dimension, dimension + 1)


def applied(transform: Floats, frames: Frames) -> Floats:
    """A x + b of frames [T, D]; `transform` is [A b], [D, D + 1]."""
    return frames @ transform[:, :-1].T + transform[:, -1]


def log_volume(transform: Floats) -> float:
    """log |det A|, which the log-density of an adapted frame lacks of that of the frame."""
    return float(np.linalg.slogdet(transform[:, :-1])[1])


def objective(transform: Floats, statistics: FmllrStatistics) -> float:
    """What `estimated` maximises, in nats; its difference between transforms has a meaning."""
    squares = np.einsum("ij,ijk,ik->", transform, statistics.quadratic, transform, optimize=True)
    return float(statistics.frames * log_volume(transform) - 0.5 * squares
                 + (transform * statistics.linear).sum())


def estimated(statistics: FmllrStatistics, least_frames: float, sweeps: int = SWEEPS) -> Floats:
    """The best transform [A b], [D, D + 1].

    It leaves frames as they are where there are fewer than `least_frames`, or they do not vary in
    every direction: then they do not say enough of it.
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    dimension, size = statistics.linear.shape
    transform = unchanged(dimension)
    if statistics.frames < least_frames:
        return transform
    try:
        inverses = [cho_solve(cho_factor(matrix), np.eye(size))
                    for matrix in statistics.quadratic]
    except LinAlgError:
        return transform
    for _ in range(sweeps):
        for row, inverse in enumerate(inverses):
            # Column of the inverse: the cofactors, but for a factor that cancels.
            cofactors = np.append(np.linalg.inv(transform[:, :-1])[:, row], 0.0)
            transform[row] = _row(cofactors, inverse, statistics.linear[row], statistics.frames)
    return transform


def _row(cofactors: Floats, inverse: Floats, linear: Floats, frames: float) -> Floats:
    """The best row while the others stay: (alpha p + k) G^-1, alpha the better of two roots.

    With p the cofactors: alpha^2 p G^-1 p' + alpha p G^-1 k' - frames = 0.
    """
    direction = inverse @ cofactors
    square, mixed = cofactors @ direction, linear @ direction
    root = np.sqrt(mixed ** 2 + 4 * square * frames)
    alphas = (np.array([1, -1]) * root - mixed) / (2 * square)
    gains = frames * np.log(np.abs(alphas * square + mixed)) - 0.5 * alphas ** 2 * square
    return inverse @ linear + alphas[gains.argmax()] * direction
