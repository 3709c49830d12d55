"""Interpolated Witten-Bell estimation, vectorised, nothing pruned.

Method C of Witten and Bell (The Zero-Frequency Problem, IEEE Transactions on Information Theory
37, 1991): what follows a context h for the first time is an event like any other, and it has
happened as often as there are different words after h. With c(h w) the count of an n-gram, c(h)
that of h as a context and t(h) the number of different words seen after h,

    p(w | h) = (c(h w) + t(h) p(w | h without its first word)) / (c(h) + t(h))

Below the unigrams, whose context is empty, stands the uniform distribution over all types. This is
the form that Chen and Goodman 1999 (section 2.4) give, and SRILM's `-wbdiscount` with
`-interpolate`; its back-off form, which takes the lower order for unseen words alone, is another.

No counts of counts are needed, so it serves where Kneser-Ney's discounts cannot be estimated: a few
hundred sentences of a small vocabulary.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.ngram.model import ABSENT, NgramModel, Table, shifted, with_starts

_UNPREDICTED = -99.0 * np.log(10)


def estimate(tokens: NDArray[np.integer], types: int, end: int, order: int) -> NgramModel:
    """Estimate a model from sentences laid end to end, each closed by the word id `end`.

    `types` is the vocabulary's size: ids 0 .. types-1, seen or not, share the uniform
    distribution below the unigrams. Raises ValueError for an order under 1 or tokens that are not
    such sentences.
    """
    if order < 1:
        raise ValueError(f"the order of an n-gram model is at least 1, got {order}")
    stream, predicted = with_starts(tokens, types, end)
    ids = stream
    counts = np.bincount(stream[predicted], minlength=types + 1)
    seen = np.count_nonzero(counts)
    probability = (counts + seen / types) / (counts.sum() + seen)
    tables = [_table(np.arange(types + 1), probability)]
    tables[0].log_probability[types] = _UNPREDICTED
    for _ in range(1, order):
        before = shifted(ids)
        positions = np.flatnonzero((before != ABSENT) & predicted)
        keys, first, inverse, counts = np.unique(
            before[positions] * (types + 1) + stream[positions], return_index=True,
            return_inverse=True, return_counts=True)
        context, suffix = before[positions[first]], ids[positions[first]]
        total = np.bincount(context, counts, minlength=len(probability))
        followers = np.bincount(context, minlength=len(probability))
        # A context of nothing has no such n-gram, and no part in any probability.
        new = np.divide(followers, total + followers, where=followers > 0,
                        out=np.ones(len(total)))
        tables[-1].log_backoff[:] = np.log(new)
        probability = ((1 - new[context]) * counts / total[context]
                       + new[context] * probability[suffix])
        tables.append(_table(keys, probability))
        ids = np.full(len(stream), ABSENT)
        ids[positions] = inverse
    return NgramModel(types, end, tables)


def _table(keys: NDArray[np.int64], probability: NDArray[np.float64]) -> Table:
    logs = np.log(probability).astype(np.float32)
    return Table(keys, logs, np.zeros_like(logs))
