"""ES-RNN, the winner of M4: exponential smoothing and a recurrent network trained as one.

Each series has smoothing coefficients and first seasonal indices of its own; a dilated LSTM is
shared by all. Smoothing takes level and season out, the network reads the logarithms of the last
points of what is left and forecasts those of the next, and level and season are put back. All of
it is trained jointly by gradient descent on the pinball loss (slightly below the median, because
the network's errors lean upwards), with a penalty on the variability of the level's growth.
A series counts as much as any other, whatever its length, as in the competition's measures.

Validation is the forecast of the last horizon of each past. With `holdout`, training never sees
those points: hyper-parameters and the number of epochs are chosen so. The system on the
leaderboard is then trained with the same settings on everything (`holdout: false`), as the field
does, since the last points are the nearest to the future; its "validation loss" is part of what
it learns and only says that training goes on.

Source: Smyl 2020, "A hybrid method of exponential smoothing and recurrent neural networks for
time series forecasting". One network here; the competition's entry averaged many.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import pad

from pipeline.config import SystemSettings, TrainingSettings, VariantSettings
from pipeline.errors import UserError
from pipeline.nn.dilated import DilatedBlocks
from pipeline.predictions import Prediction
from pipeline.system import Batch, Batches, NeuralSystem, Run
from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.smoothing import Smoothed, smooth
from pipeline.tasks.forecast.shared.storage import check_series, load_ids, load_pasts


class Settings(SystemSettings):
    """Sizes in points of a series; `blocks` are the dilations of each residual block."""

    seasonalities: list[int] = Field(description="points of each season, [] for none")
    history: int = Field(ge=8, description="points at the end of a past that are used")
    input_window: int = Field(ge=1)
    hidden: int = Field(ge=1)
    blocks: list[list[int]] = Field(min_length=1)
    tau: float = Field(gt=0, lt=1, description="quantile of the pinball loss")
    level_penalty: float = Field(ge=0)
    initial_smoothing: float = Field(gt=0, lt=1, description="alpha and gamma before training")
    series_rate: float = Field(gt=0, description="learning rate of the series' own parameters, "
                                                 "as a multiple of the network's")
    batch_size: int = Field(ge=1)
    holdout: bool
    training: TrainingSettings


@dataclass(frozen=True)
class _View:
    """What the network sees at each point of a batch: logarithms, all [batch, time, ...].

    `inputs` [.., window] and `outputs` [.., h] are relative to level and season; `scale` [.., h]
    holds level and season, which turn outputs into forecasts.
    """

    inputs: Tensor
    scale: Tensor
    levels: Tensor


class ESRNN(NeuralSystem):
    """Exponential smoothing with one set of parameters a series, and a shared dilated LSTM."""

    Settings = Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        count, seasonalities = spec["series"], settings.seasonalities
        logit = math.log(settings.initial_smoothing / (1 - settings.initial_smoothing))
        self.alpha_logits = nn.Parameter(torch.full((count,), logit))
        self.gamma_logits = nn.Parameter(torch.full((count, len(seasonalities)), logit))
        self.log_seasons = nn.Parameter(torch.zeros(count, sum(seasonalities)))
        self.network = DilatedBlocks(settings.input_window, settings.hidden, settings.blocks)
        self.hidden_output = nn.Linear(settings.hidden, settings.hidden)
        self.output = nn.Linear(settings.hidden, spec["horizon"])

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        held_out = self.spec["horizon"] if self.settings.holdout else 0
        pasts = _pasts(data, self.settings.history)
        with torch.no_grad():
            for row, past in zip(self.log_seasons, pasts, strict=True):
                row.copy_(torch.from_numpy(
                    _first_seasons(past[: len(past) - held_out], self.settings.seasonalities)))
        return super().fit(data, run)

    def batches(self, data: Path, split: str, seed: int) -> Batches:
        training = split == "train"
        futures = self.spec["horizon"] * (1 + (training and self.settings.holdout))
        return _SeriesBatches(_pasts(data, self.settings.history), self.settings.batch_size,
                              longer_than=futures, seed=seed if training else None)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Pinball loss, averaged over the windows of a series, summed over series.

        In evaluation mode the last window of each series alone counts.
        """
        horizon = self.spec["horizon"]
        view = self._view(batch)
        outputs = self._outputs(view.inputs)
        logs = batch["values"].log()
        actual = pad(logs, (0, horizon)).unfold(1, horizon, 1)[:, 1:]
        errors = actual - view.scale - outputs
        tau = self.settings.tau
        losses = torch.maximum(tau * errors, (tau - 1) * errors).mean(dim=2)
        weights = self._window_weights(batch["lengths"], logs.shape[1])
        total = (losses * weights).sum()
        terms = weights.sum()
        if self.training:
            total = total + terms * self.settings.level_penalty * self._variability(view, batch)
        return total, float(terms)

    def _window_weights(self, lengths: Tensor, time: int) -> Tensor:
        """Weight of the window that ends at each point [batch, time]; a series' sum to 1.

        Windows begin within the series, but for a series so short that it has no such window:
        its longest incomplete one counts.
        """
        horizon = self.spec["horizon"]
        place = torch.arange(time, device=lengths.device)
        last = (lengths - 1 - horizon)[:, None]
        if not self.training:
            return (place == last).float()
        last = last - horizon * self.settings.holdout
        first = last.clamp(max=self.settings.input_window - 1)
        usable = (place >= first) & (place <= last)
        return usable / usable.sum(dim=1, keepdim=True)

    def _variability(self, view: _View, batch: Batch) -> Tensor:
        """Mean squared change of the growth of the logarithmic level."""
        held_out = self.spec["horizon"] * self.settings.holdout
        change = view.levels.diff(n=2, dim=1)
        place = torch.arange(2, view.levels.shape[1], device=change.device)
        usable = (place < (batch["lengths"] - held_out)[:, None]).float()
        return (change.square() * usable).sum() / usable.sum().clamp(min=1)

    def _view(self, batch: Batch) -> _View:
        window = self.settings.input_window
        smoothed = self._smoothed(batch)
        levels = smoothed.levels.log()
        time = levels.shape[1]
        adjusted = batch["values"].log()
        scale = levels[:, :, None].expand(-1, -1, self.spec["horizon"])
        for season in smoothed.seasons:
            logs = season.log()
            period = logs.shape[1] - time
            coming = torch.arange(self.spec["horizon"], device=logs.device) % period
            adjusted = adjusted - logs[:, :time]
            scale = scale + logs[:, 1:].unfold(1, period, 1)[:, :, coming]
        windows = pad(adjusted, (window - 1, 0)).unfold(1, window, 1)
        before = torch.arange(time, device=levels.device)[:, None] < torch.arange(
            window - 1, -1, -1, device=levels.device)
        inputs = (windows - levels[:, :, None]).masked_fill(before, 0.0)
        return _View(inputs, scale, levels)

    def _smoothed(self, batch: Batch) -> Smoothed:
        rows = batch["rows"]
        seasons = self.log_seasons[rows].exp().split(self.settings.seasonalities, dim=1)
        with torch.autocast(rows.device.type, enabled=False):
            return smooth(batch["values"], self.alpha_logits[rows], self.gamma_logits[rows],
                          seasons if self.settings.seasonalities else [])

    def _outputs(self, inputs: Tensor) -> Tensor:
        """Logarithmic forecasts relative to level and season, [batch, time, h]."""
        return self.output(torch.tanh(self.hidden_output(self.network(inputs)))).float()

    @torch.no_grad()
    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        ids = check_series(self.spec, data)
        batches = _SeriesBatches(_pasts(data, self.settings.history), self.settings.batch_size)
        for rows in batches.plan(0):
            batch = batches.load(rows)
            view = self._view(batch)
            forecasts = (self._outputs(view.inputs) + view.scale).exp()
            last = forecasts[torch.arange(len(rows)), batch["lengths"] - 1]
            for row, forecast in zip(rows, last.tolist(), strict=True):
                yield {"id": ids[row], "forecast": forecast}

    def parameter_groups(self, training: TrainingSettings) -> list[dict[str, Any]]:
        own = [self.alpha_logits, self.gamma_logits, self.log_seasons]
        shared = [*self.network.parameters(), *self.hidden_output.parameters(),
                  *self.output.parameters()]
        return [{"params": shared},
                {"params": own, "lr": training.learning_rate * self.settings.series_rate}]


class _SeriesBatches:
    """Batches of series of similar length, filled up at the end with their last point.

    Everything in the model looks back only, so what stands after a series' end changes nothing.
    """

    def __init__(self, pasts: list[Array], batch_size: int, longer_than: int = 0,
                 seed: int | None = None) -> None:
        self.pasts = pasts
        self.batch_size = batch_size
        self.seed = seed
        self.lengths = np.array([len(past) for past in pasts])
        self.rows = np.flatnonzero(self.lengths > longer_than)

    def plan(self, epoch: int) -> list[list[int]]:
        """Rows of each batch; without a seed in the order of the corpus."""
        order = self.rows
        if self.seed is not None:
            generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
            shuffled = generator.permutation(order)
            order = shuffled[np.argsort(self.lengths[shuffled], kind="stable")]
        cuts = range(0, len(order), self.batch_size)
        batches = [order[start : start + self.batch_size].tolist() for start in cuts]
        if self.seed is not None:
            batches = [batches[index] for index in generator.permutation(len(batches))]
        return batches

    def load(self, description: list[int]) -> Batch:
        lengths = self.lengths[description]
        values = np.empty((len(description), int(lengths.max())), dtype=np.float32)
        for line, row in zip(values, description, strict=True):
            past = self.pasts[row]
            line[: len(past)] = past
            line[len(past) :] = past[-1]
        return {"rows": torch.tensor(description), "values": torch.from_numpy(values),
                "lengths": torch.from_numpy(lengths)}


def _pasts(data: Path, history: int) -> list[Array]:
    """The last `history` points of each past. Raises UserError for one that is not positive."""
    pasts = [past[-history:] for past in load_pasts(data)]
    for row, past in enumerate(pasts):
        if not np.all(past > 0):
            raise UserError(f"series {load_ids(data)[row]!r} has values that are not positive; "
                            "ES-RNN takes logarithms: remove the series or add a constant to it")
    return pasts


def _first_seasons(past: Array, seasonalities: list[int]) -> Array:
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
