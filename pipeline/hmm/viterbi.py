"""Viterbi decoding of hidden Markov models of any order, many sequences at once.

The recursion runs over a table with one dimension for each state that the next transition looks
back on. Two things make it fast: all sequences that are long enough take a step together, and a
symbol keeps only the states that can emit it (`candidates`), two or three for most words of a
tagger. Which state came before is looked up on the best path alone, on the way back.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEQUENCES_AT_ONCE = 1024


@dataclass(frozen=True)
class Candidates:
    """The states that can emit each symbol, and their scores, both [symbols, most candidates].

    A score is log P(symbol | state), up to a constant of the symbol. A symbol has `counts`
    [symbols] of them; the places behind have -inf.
    """

    states: NDArray[np.int64]
    scores: NDArray[np.float64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, scores: NDArray[np.float64], most: int) -> "Candidates":
        """The up to `most` best states of each symbol by `scores` [symbols, states].

        -inf is no candidate. Of equal scores the lower state comes first. Raises ValueError when
        a symbol has no candidate.
        """
        states = np.argsort(-scores, axis=1, kind="stable")[:, :most]
        kept = np.take_along_axis(scores, states, axis=1)
        counts = (kept > -np.inf).sum(axis=1)
        if len(scores) and counts.min() == 0:
            raise ValueError(f"no state can emit symbol {int(counts.argmin())}")
        width = counts.max(initial=1)
        return cls(states[:, :width], kept[:, :width], counts)


def viterbi(transitions: NDArray[np.float64], candidates: Candidates,
            symbols: NDArray[np.integer],
            offsets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """States [all symbols] of the best path of each sequence, its log-probability [sequences].

    `symbols` are the sequences end to end, cut at `offsets` [sequences + 1]. `transitions`
    [states + 1] * order are log P(last | all before); the last number stands for the boundary,
    before the first symbol and behind the last. A sequence without symbols has probability 1. Of
    equally probable paths one is taken, always the same.
    """
    found = np.zeros(len(symbols), np.int64)
    lengths = np.diff(offsets)
    scores = np.zeros(len(lengths))
    by_length = np.argsort(-lengths, kind="stable")
    by_length = by_length[lengths[by_length] > 0]
    for start in range(0, len(by_length), SEQUENCES_AT_ONCE):
        rows = by_length[start : start + SEQUENCES_AT_ONCE]
        scores[rows] = _decode(transitions, candidates, symbols, offsets[rows], lengths[rows],
                               found)
    return found, scores


def _decode(transitions: NDArray[np.float64], candidates: Candidates,
            symbols: NDArray[np.integer], starts: NDArray[np.int64], lengths: NDArray[np.int64],
            found: NDArray[np.int64]) -> NDArray[np.float64]:
    """Decode sequences, longest first, into `found`; return their log-probabilities."""
    history = transitions.ndim - 1
    boundary = len(transitions) - 1
    states = [np.full((len(lengths), 1), boundary)] * history
    table = np.zeros((len(lengths), *[1] * history))
    tables, steps = [table], [*states]
    final = np.zeros((len(lengths), history), np.int64)
    scores = np.zeros(len(lengths))
    for step in range(lengths[0]):
        active = int(np.searchsorted(-lengths, -step, side="left"))
        emitted = symbols[starts[:active] + step]
        width = candidates.counts[emitted].max()
        states = [state[:active] for state in [*states, candidates.states[emitted, :width]]]
        table = (table[:active, ..., None] + transitions[_index(states)]).max(axis=1)
        table += candidates.scores[emitted, :width].reshape(active, *[1] * (history - 1), width)
        states = states[1:]
        tables.append(table)
        steps.append(states[-1])
        ended = slice(int(np.searchsorted(-lengths, -step - 1, side="left")), active)
        if ended.start < ended.stop:
            behind = [*(state[ended] for state in states),
                      np.full((ended.stop - ended.start, 1), boundary)]
            whole = (table[ended, ..., None] + transitions[_index(behind)])[..., 0]
            flat = whole.reshape(len(whole), -1)
            best = flat.argmax(axis=1)
            scores[ended] = flat[np.arange(len(best)), best]
            final[ended] = np.stack(np.unravel_index(best, whole.shape[1:]), axis=1)
    _trace_back(transitions, tables, steps, final, starts, lengths, found)
    return scores


def _trace_back(transitions: NDArray[np.float64], tables: list[NDArray[np.float64]],
                steps: list[NDArray[np.int64]], final: NDArray[np.int64],
                starts: NDArray[np.int64], lengths: NDArray[np.int64],
                found: NDArray[np.int64]) -> None:
    """Follow the best paths from their ends.

    `tables[t]` has the best scores before symbol t, `steps[history + t]` its candidates; `final`
    [sequences, history] the last places on each best path, as places among candidates.
    """
    history = final.shape[1]
    path = final.copy()
    for step in range(lengths[0] - 1, -1, -1):
        active = int(np.searchsorted(-lengths, -step, side="left"))
        rows = np.arange(active)
        now = path[:active]
        before = tables[step][:active]
        # States at the places of the path; the one before them, at history + 1, is sought.
        chosen = [steps[step + 1 + place][rows, now[:, place]] for place in range(history)]
        found[starts[:active] + step] = chosen[-1]
        oldest = steps[step][:active]
        reached: tuple[Any, ...] = (
            rows, slice(None), *(now[:, place] for place in range(history - 1)))
        scores = (before[reached]
                  + transitions[(oldest, *(state[:, None] for state in chosen))])
        path[:active, 1:] = now[:, :-1]
        path[:active, 0] = scores.argmax(axis=1)


def _index(states: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], ...]:
    """Indices of `transitions` for all combinations of candidates `states`, each [rows, own]."""
    order = len(states)
    return tuple(state.reshape(len(state), *[1] * place, -1, *[1] * (order - 1 - place))
                 for place, state in enumerate(states))
