"""One rotation for all states in which variances suffice: semi-tied covariances, or MLLT.

Gales 1999, "Semi-Tied Covariance Matrices for Hidden Markov Models", with one class of Gaussians;
Gopinath 1998 calls it the maximum likelihood linear transform. Diagonal covariances
take dimensions as uncorrelated within each Gaussian. No choice of features makes them so, but one
matrix A for all can come close: it maximises the likelihood of frames whose Gaussians have diagonal
covariances after x -> A x, log |det A| a frame for the change of volume included.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pipeline.hmm.gmm import Floats, Frames, Ids, Mixtures, grouped
from pipeline.hmm.gmm_training import in_gaussians

SWEEPS = 10  # over the rows of A, while variances stay as they are


@dataclass(frozen=True)
class Spreads:
    """Of each Gaussian: frames `occupancy` [G], their mean [G, D] and covariance [G, D, D]."""

    occupancy: Floats
    means: Floats
    covariances: Floats

    @classmethod
    def of(cls, mixtures: Mixtures, frames: Frames, states: Ids) -> Self:
        """From frames [F, D] each of which is in one state [F]; negative: in none.

        A Gaussian without frames has its old mean and variances.
        """
        occupancy = np.zeros(len(mixtures.weights))
        means = mixtures.means.copy()
        covariances = mixtures.variances[:, :, None] * np.eye(means.shape[1])
        for state, rows in grouped(states):
            x = frames[rows].astype(np.float64)
            gaussians, shares, _ = in_gaussians(mixtures, x, np.array([state]),
                                                np.ones((len(x), 1)))
            for gaussian, share in zip(gaussians, shares, strict=True):
                occupancy[gaussian] = share.sum()
                if occupancy[gaussian] > 0:
                    means[gaussian] = share @ x / occupancy[gaussian]
                    away = x - means[gaussian]
                    covariances[gaussian] = (away.T * share) @ away / occupancy[gaussian]
        return cls(occupancy, means, covariances)


def variances_in(spreads: Spreads, matrix: Floats, floor: float) -> Floats:
    """Variances [G, D] of the dimensions of A x, at least `floor`."""
    found = np.einsum("ij,gjk,ik->gi", matrix, spreads.covariances, matrix, optimize=True)
    return np.maximum(found, floor)


def log_likelihood(spreads: Spreads, matrix: Floats, variances: Floats) -> float:
    """That of the frames in nats for `matrix` A [D, D] and `variances` [G, D] of A x.

    Mixtures' weights aside.
    """
    own = variances_in(spreads, matrix, 0.0)
    terms = np.log(2 * np.pi * variances) + own / variances
    volume = np.linalg.slogdet(matrix)[1]
    return float(spreads.occupancy @ (volume - 0.5 * terms.sum(axis=1)))


def semi_tied(spreads: Spreads, rounds: int, floor: float = 1e-6) -> tuple[Floats, list[float]]:
    """The matrix A [D, D] and the log-likelihood per frame before and after each round.

    A round takes the variances that A leaves, then improves A row by row; neither step lowers the
    likelihood, a variance of less than `floor` aside.
    """
    matrix = np.eye(spreads.means.shape[1])
    frames = spreads.occupancy.sum()
    variances = variances_in(spreads, matrix, floor)
    found = [log_likelihood(spreads, matrix, variances) / frames]
    for _ in range(rounds):
        matrix = _improved(matrix, spreads, variances)
        variances = variances_in(spreads, matrix, floor)
        found.append(log_likelihood(spreads, matrix, variances) / frames)
    return matrix, found


def _improved(matrix: Floats, spreads: Spreads, variances: Floats) -> Floats:
    """A whose every row is the best while the others and the variances stay.

    With G_i the sum of covariances, weighted by frames over variances of dimension i, and c_i the
    cofactors of row i, that is c_i G_i^-1 sqrt(frames / c_i G_i^-1 c_i').
    """
    frames = spreads.occupancy.sum()
    size = len(matrix)
    shares = spreads.occupancy[:, None] / variances
    sums = (shares.T @ spreads.covariances.reshape(-1, size * size)).reshape(size, size, size)
    inverses = np.linalg.inv(sums)
    found = matrix.copy()
    for _ in range(SWEEPS):
        for row in range(size):
            # Column of the inverse: the cofactors, but for a factor that cancels.
            direction = np.linalg.inv(found)[:, row] @ inverses[row]
            length = direction @ np.linalg.inv(found)[:, row]
            found[row] = direction * np.sqrt(frames / length)
    return found


def rotated(mixtures: Mixtures, spreads: Spreads, matrix: Floats, floor: Floats) -> Mixtures:
    """The mixtures of A x that belong to `spreads`, variances at least `floor` [D]."""
    return Mixtures(mixtures.weights, spreads.means @ matrix.T,
                    np.maximum(variances_in(spreads, matrix, 0.0), floor), mixtures.offsets)
