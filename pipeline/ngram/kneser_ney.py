"""Interpolated modified Kneser-Ney estimation (Chen and Goodman 1999), vectorised, nothing pruned.

With a(h w) the count of an n-gram at the highest order and, below it, the number of different
words seen before it (its raw count where it begins a sentence, since nothing but <s> stands
there),

    p(w | h) = (a(h w) - D(a(h w))) / a(h .) + gamma(h) p(w | h without its first word)

with discounts D of order n for counts 1, 2 and 3 or more from that order's counts of counts, and
gamma(h) the discounted mass. Below unigrams stands the uniform distribution over all types.
Everything is counted by sorting packed n-grams (see `pipeline.ngram.model`).
"""

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.ngram.model import ABSENT, Ids, NgramModel, Table, shifted, with_starts

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
_UNPREDICTED = -99.0 * np.log(10)


@dataclass(frozen=True)
class _Counts:
    """The n-grams of one order: packed keys, prefix and suffix of order n-1, adjusted counts."""

    keys: Ids
    prefix: Ids
    suffix: Ids
    adjusted: Ids


def estimate(tokens: NDArray[np.integer], types: int, end: int, order: int) -> NgramModel:
    """Estimate a model from sentences laid end to end, each closed by the word id `end`.

    `types` is the vocabulary's size: ids 0 .. types-1, seen or not, share the uniform
    distribution below the unigrams. An order that `FALLBACK_DISCOUNTS` serve is printed. Raises
    ValueError for an order under 1 or tokens that are not such sentences.
    """
    if order < 1:
        raise ValueError(f"the order of an n-gram model is at least 1, got {order}")
    levels = _count(tokens, types, end, order)
    probability = np.full(types + 1, 1.0 / types)
    tables: list[Table] = []
    for level in levels:
        if tables:
            probability, gamma = _interpolate(level, probability, len(tables[-1].keys),
                                              len(tables) + 1)
            backoff = np.log(gamma, where=gamma > 0, out=np.zeros_like(gamma))
            tables[-1].log_backoff[:] = backoff
        else:
            probability = _unigrams(level.adjusted, types)
        logs = np.log(probability).astype(np.float32)
        tables.append(Table(level.keys, logs, np.zeros_like(logs)))
    tables[0].log_probability[types] = _UNPREDICTED
    return NgramModel(types, end, tables)


def discounts(adjusted: Ids, order: int) -> NDArray[np.float64]:
    """Discount of an n-gram by its adjusted count: shape [4], for 0, 1, 2 and 3 or more.

    D(k) = k - (k + 1) Y n_{k+1} / n_k with Y = n_1 / (n_1 + 2 n_2). A corpus too small or too
    regular for that estimate (an n_k of 0, a discount outside 0 .. k) gets `FALLBACK_DISCOUNTS`,
    and standard error says so: so do the few characters, or words of a small vocabulary, as
    unigrams.
    """
    n = np.bincount(np.minimum(adjusted, 5), minlength=6)[1:5].astype(np.float64)
    if np.all(n > 0):
        y = n[0] / (n[0] + 2 * n[1])
        k = np.arange(1, 4)
        found = k - (k + 1) * y * n[1:] / n[:-1]
        if np.all((found >= 0) & (found <= k)):
            return np.concatenate([[0.0], found])
    print(f"Kneser-Ney, order {order}: discounts cannot be estimated from how many n-grams are "
          f"counted 1, 2, 3 and 4 times ({', '.join(f'{count:.0f}' for count in n)}); they are "
          f"{', '.join(map(str, FALLBACK_DISCOUNTS))}", file=sys.stderr)
    return np.array([0.0, *FALLBACK_DISCOUNTS])


def _count(tokens: NDArray[np.integer], types: int, end: int, order: int) -> list[_Counts]:
    """N-grams of each order with their adjusted counts."""
    stream, _ = with_starts(tokens, types, end)
    ids = stream
    begins = np.arange(types + 1) == types
    raw = np.bincount(stream, minlength=types + 1)
    keys = np.arange(types + 1)
    prefix = suffix = np.zeros(types + 1, np.int64)
    levels = []
    for length in range(1, order + 1):
        if length == order:
            levels.append(_Counts(keys, prefix, suffix, raw))
            break
        longer, positions = _extend(ids, stream, types + 1)
        unique, first, inverse, counts = np.unique(
            longer, return_index=True, return_inverse=True, return_counts=True)
        first = positions[first]
        longer_prefix, longer_suffix = ids[first - 1], ids[first]
        distinct = np.bincount(longer_suffix, minlength=len(keys))
        levels.append(_Counts(keys, prefix, suffix, np.where(begins, raw, distinct)))
        begins, raw, keys = begins[longer_prefix], counts, unique
        prefix, suffix = longer_prefix, longer_suffix
        ids = np.full(len(stream), ABSENT)
        ids[positions] = inverse
    return levels


def _extend(ids: Ids, stream: Ids, base: int) -> tuple[Ids, Ids]:
    """Keys of all n-grams one word longer than `ids`, and the positions where they end."""
    before = shifted(ids)
    positions = np.flatnonzero((before != ABSENT) & (stream != base - 1))
    return before[positions] * base + stream[positions], positions


def _unigrams(adjusted: Ids, types: int) -> NDArray[np.float64]:
    """Unigram probabilities interpolated with the uniform distribution, shape [types + 1]."""
    counts = adjusted.copy()
    counts[types] = 0
    discount = discounts(counts, 1)[np.minimum(counts, 3)]
    total = counts.sum()
    return (counts - discount + discount.sum() / types) / total


def _interpolate(level: _Counts, lower: NDArray[np.float64], contexts: int,
                 order: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities of one order's n-grams, and gamma of each of the `contexts` before them."""
    discount = discounts(level.adjusted, order)[np.minimum(level.adjusted, 3)]
    total = np.bincount(level.prefix, level.adjusted, minlength=contexts)
    mass = np.bincount(level.prefix, discount, minlength=contexts)
    gamma = np.divide(mass, total, where=total > 0, out=np.zeros(contexts))
    probability = ((level.adjusted - discount) / total[level.prefix]
                   + gamma[level.prefix] * lower[level.suffix])
    return probability, gamma
