"""Counts of a tagged text, and the relative frequencies that estimate probabilities from them."""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.tasks.tagging.shared.text import Text


def vocabulary_rows(forms: Sequence[str], vocabulary: Sequence[str]) -> NDArray[np.int64]:
    """Place of each form in the vocabulary; len(vocabulary) for a form that it lacks."""
    places = {form: place for place, form in enumerate(vocabulary)}
    return np.array([places.get(form, len(vocabulary)) for form in forms], np.int64)


def word_tag_counts(text: Text, vocabulary: Sequence[str], tags: int) -> NDArray[np.float64]:
    """How often each word of the vocabulary has each tag, [vocabulary, tags]."""
    rows = vocabulary_rows(text.forms, vocabulary)[text.words]
    inside = rows < len(vocabulary)
    counts = np.zeros((len(vocabulary), tags))
    np.add.at(counts, (rows[inside], text.tags[inside]), 1)
    return counts


def tag_ngram_counts(text: Text, tags: int, order: int) -> NDArray[np.float64]:
    """How often tags stand in a row, [tags + 1] * order.

    The last number, `tags`, is the boundary: order - 1 of them stand before each sentence and one
    behind it.
    """
    sentence = np.repeat(np.arange(len(text)), text.lengths)
    padded = np.full(len(text.tags) + (order - 1) * (len(text) + 1), tags)
    padded[np.arange(len(text.tags)) + (order - 1) * (sentence + 1)] = text.tags
    counts = np.zeros((tags + 1,) * order)
    np.add.at(counts, tuple(sliding_window_view(padded, order).T), 1)
    # The boundaries between two sentences are a sentence's end and the next one's beginning; a
    # row of them alone is no sentence.
    counts[..., tags, tags] = 0
    return counts


def relative_frequencies(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(last | all before) = C(all) / C(all before), zero where the context was never seen."""
    totals = counts.sum(axis=-1, keepdims=True)
    return np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)


def deleted_interpolation(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the n-gram's own relative frequency and of all lower orders, lowest first.

    Each n-gram is taken out of the counts once, and its count goes to the order that then
    predicts it best (Brants 2000, "TnT", figure 1). `counts` is as `tag_ngram_counts` gives it.
    """
    order = counts.ndim
    ratios = []
    for size in range(1, order + 1):
        lower = counts.sum(axis=tuple(range(order - size)))
        context = lower.sum(axis=-1, keepdims=True)
        ratios.append(np.broadcast_to(
            np.divide(lower - 1, context - 1, out=np.zeros_like(lower), where=context > 1),
            counts.shape))
    best = np.stack(ratios).argmax(axis=0)
    weights = np.bincount(best.ravel(), counts.ravel(), minlength=order)
    return weights / weights.sum()


def interpolated(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(tag | tags before): relative frequencies of all orders, by `deleted_interpolation`."""
    found = np.zeros_like(counts)
    for size, weight in enumerate(deleted_interpolation(counts), start=1):
        lower = counts.sum(axis=tuple(range(counts.ndim - size)))
        found += weight * relative_frequencies(lower)
    return found
