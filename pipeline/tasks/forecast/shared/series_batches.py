"""Whole series in batches, and the first seasonal indices that smoothing begins with."""

from collections.abc import Sequence

import numpy as np
import torch

from pipeline.nn.batching import shuffled_batches
from pipeline.systems.base import Batch
from pipeline.tasks.forecast.shared.measures import Array


class SeriesBatches:
    """Batches of series of similar length, filled up at the end with their last point.

    The models look back only, so what stands after a series' end changes nothing.
    """

    def __init__(self, pasts: Sequence[Array], batch_size: int, longer_than: int = 0,
                 seed: int | None = None, weights: Array | None = None,
                 precision: type[np.floating] = np.float32) -> None:
        self.pasts = pasts
        self.weights = np.ones(len(pasts)) if weights is None else weights
        self.batch_size = batch_size
        self.seed = seed
        self.precision = precision
        self.lengths = np.array([len(past) for past in pasts])
        self.rows = np.flatnonzero(self.lengths > longer_than)

    def plan(self, epoch: int) -> list[list[int]]:
        """Rows of each batch; without a seed in the order of the corpus."""
        if self.seed is None:
            cuts = range(0, len(self.rows), self.batch_size)
            return [self.rows[start : start + self.batch_size].tolist() for start in cuts]
        generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        shuffled = generator.permutation(self.rows)
        order = shuffled[np.argsort(self.lengths[shuffled], kind="stable")]
        return [batch.tolist() for batch in shuffled_batches(order, self.batch_size, generator)]

    def load(self, description: list[int]) -> Batch:
        lengths = self.lengths[description]
        values = np.empty((len(description), int(lengths.max())), dtype=self.precision)
        for line, row in zip(values, description, strict=True):
            past = self.pasts[row]
            line[: len(past)] = past
            line[len(past) :] = past[-1]
        return {"rows": torch.tensor(description), "values": torch.from_numpy(values),
                "lengths": torch.from_numpy(lengths),
                "weights": torch.from_numpy(self.weights[description].astype(self.precision))}


def first_seasons(past: Array, seasonalities: list[int]) -> Array:
    """Logarithmic indices of every seasonality, end to end, from ratios to a moving average.

    Shortest season first, each from what the shorter ones leave over; a past of fewer than two
    seasons starts without one.
    """
    rest = np.log(past)
    found = []
    for period in seasonalities:
        indices = np.zeros(period)
        if len(past) >= 2 * period:
            trend = np.convolve(rest, np.full(period, 1.0 / period), mode="valid")
            start = period // 2
            ratios = rest[start : start + len(trend)] - trend
            places = np.arange(start, start + len(trend)) % period
            indices = np.bincount(places, ratios, period) / np.bincount(places, minlength=period)
            indices -= indices.mean()
        found.append(indices)
        rest = rest - np.resize(indices, len(rest))
    return np.concatenate(found) if found else np.zeros(0)
