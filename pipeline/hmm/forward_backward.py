"""Forward-backward sums over all paths of hidden Markov models, many sequences at once.

Rabiner 1989 ("A Tutorial on Hidden Markov Models and Selected Applications in Speech
Recognition"), sections III.A and III.C: what the expectation step of Baum-Welch needs. Computed on
logarithms instead of his scaled probabilities, because the scores of continuous densities differ
by more than a float can hold between the states of one frame.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.hmm.transitions import Scores, Transitions, log_sum


@dataclass(frozen=True)
class Expectations:
    """What is expected of the hidden states of B sequences, given what they emitted.

    `log_likelihoods` [B] are in nats; -inf where no path is possible, and then nothing is
    expected. `posteriors` [B, T, S] are P(state at t), zero behind each end. `transitions`
    are expected numbers of transitions, [B, S, S] or [B, S, moves] as the model's scores are.
    """

    log_likelihoods: Scores
    posteriors: Scores
    transitions: Scores


def forward_backward(initial: Scores, transitions: Transitions, emissions: Scores,
                     lengths: NDArray[np.int64], final: Scores | float = 0.0) -> Expectations:
    """Expectations of B sequences of up to T symbols or frames.

    T is at least 1. `initial` [S] or [B, S] is log P(first state), `emissions` [B, T, S] log
    P(emitted | state), any number behind the `lengths` [B], `final` [S] or [B, S] log P(end | last
    state), by default 0: any state may be the last. An empty sequence has likelihood 1.
    """
    alphas = _alphas(initial, transitions, emissions)
    betas = _betas(transitions, emissions, lengths, final)
    whole = alphas + betas
    rows = np.arange(len(lengths))
    found = np.where(lengths > 0, log_sum(whole[rows, lengths - 1], axis=1), 0.0)
    # Subtracting 0 where no path is possible leaves -inf and not nan.
    total = np.where(np.isfinite(found), found, 0.0)
    inside = (np.arange(emissions.shape[1]) < lengths[:, None])[:, :, None]
    posteriors = np.exp(np.where(inside, whole - total[:, None, None], -np.inf))
    return Expectations(found, posteriors,
                        _transitions(transitions, alphas, emissions + betas, total, lengths))


def _alphas(initial: Scores, transitions: Transitions, emissions: Scores) -> Scores:
    """log P(emitted up to t, state at t), [B, T, S]."""
    alphas = np.empty_like(emissions)
    alphas[:, 0] = initial + emissions[:, 0]
    for step in range(1, emissions.shape[1]):
        alphas[:, step] = transitions.forward(alphas[:, step - 1]) + emissions[:, step]
    return alphas


def _betas(transitions: Transitions, emissions: Scores, lengths: NDArray[np.int64],
           final: Scores | float) -> Scores:
    """log P(emitted after t, end | state at t), [B, T, S]; `final` behind each end too."""
    betas = np.empty_like(emissions)
    betas[:] = np.expand_dims(final, -2) if np.ndim(final) else final
    for step in range(emissions.shape[1] - 2, -1, -1):
        goes_on = step + 1 < lengths
        betas[goes_on, step] = transitions.backward(
            emissions[:, step + 1] + betas[:, step + 1])[goes_on]
    return betas


def _transitions(transitions: Transitions, alphas: Scores, behind: Scores, total: Scores,
                 lengths: NDArray[np.int64]) -> Scores:
    """Expected transitions; `behind` [B, T, S] is log P(emitted from t on, end | state at t)."""
    found = np.zeros((len(alphas), *transitions.scores.shape[-2:]))
    for step in range(1, alphas.shape[1]):
        goes_on = (step < lengths)[:, None, None]
        pairs = transitions.pairs(alphas[:, step - 1], behind[:, step]) - total[:, None, None]
        found += np.exp(np.where(goes_on, pairs, -np.inf))
    return found
