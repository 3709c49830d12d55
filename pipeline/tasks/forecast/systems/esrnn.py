"""ES-RNN, the winner of M4: exponential smoothing and a recurrent network trained as one.

Each series has smoothing coefficients and first seasonal indices of its own; a dilated LSTM is
shared by all, and all of it is trained jointly by gradient descent (`shared/hybrid.py`). The
competition's entry averaged many such models: with several `members`, as many are trained side by
side from different first weights on the same batches, and forecasts and limits are their means.

Validation is the forecast of the last horizon of each past. With `holdout`, training never sees
those points: hyper-parameters and the number of epochs are chosen so. The system on the
leaderboard is then trained with the same settings on everything (`holdout: false`), as the field
does, since the last points are the nearest to the future; its "validation loss" is part of what
it learns and only says that training goes on.

Training is joint by design: the pasts of the test series are what it learns from. An answer is
not. A series that was trained on is forecast with its own parameters, one that was not gets
parameters by gradient descent on its own loss beneath the network as it is, and either way the
series that happen to be asked for beside it change nothing.

Source: Smyl 2020, "A hybrid method of exponential smoothing and recurrent neural networks for
time series forecasting".
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline.entries import TrainingSettings, VariantSettings
from pipeline.nn.containers import module_list
from pipeline.systems.base import Batch, Batches, NeuralSystem, Run
from pipeline.tasks.forecast.shared.forecasts import Forecaster, Forecasts
from pipeline.tasks.forecast.shared.hybrid import Hybrid, HybridSettings
from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.precision import in_double
from pipeline.tasks.forecast.shared.series_batches import SeriesBatches, first_seasons
from pipeline.tasks.forecast.shared.storage import load_ids, load_pasts
from pipeline.tasks.forecast.shared.values import check_values
from pipeline.tasks.forecast.shared.weights import series_weights

_ADAPTATION_STEPS = 100


class Settings(HybridSettings):
    """How the members are trained."""

    members: int = Field(ge=1, description="models whose forecasts are averaged")
    series_rate: float = Field(gt=0, description="learning rate of the series' own parameters, "
                                                 "as a multiple of the network's")
    batch_size: int = Field(ge=1)
    training: TrainingSettings


class ESRNN(Forecaster, NeuralSystem):
    """Exponential smoothing with one set of parameters a series, and a shared dilated LSTM."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.positive = settings.history
        self.members = module_list(Hybrid(settings, spec["series"], spec["horizon"])
                                   for _ in range(settings.members))

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        held_out = self.spec["horizon"] if self.settings.holdout else 0
        pasts = self._recent(load_ids(data), load_pasts(data))
        self._begin_seasons([past[: len(past) - held_out] for past in pasts])
        return super().fit(data, run)

    @torch.no_grad()
    def _begin_seasons(self, pasts: Sequence[Array]) -> None:
        for row, past in enumerate(pasts):
            seasons = torch.from_numpy(first_seasons(past, self.settings.seasonalities))
            for member in self.members:
                member.log_seasons[row].copy_(seasons)

    def _recent(self, ids: Sequence[str], pasts: Sequence[Array]) -> list[Array]:
        """The last `history` points of each past, which must be positive."""
        recent = [past[-self.settings.history :] for past in pasts]
        check_values(ids, pasts, self.positive)
        return recent

    def batches(self, data: Path, split: str, seed: int) -> Batches:
        pasts = self._recent(load_ids(data), load_pasts(data))
        held_out = self.spec["horizon"] * self.settings.holdout
        weights = series_weights(self.settings.weights, [
            past[: max(1, len(past) - held_out)] for past in pasts], self.spec["period"])
        training = split == "train"
        longer_than = self._longest_untaught if training else self.spec["horizon"]
        return SeriesBatches(pasts, self.settings.batch_size, longer_than,
                             seed if training else None, weights)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Mean of the members' losses, each summed over series; the terms are series."""
        totals, terms = zip(*(member.loss(batch) for member in self.members), strict=True)
        return torch.stack(totals).mean(), float(terms[0])

    def forecast_fitted(self, rows: Sequence[int], ids: Sequence[str], pasts: Sequence[Array],
                        variant: VariantSettings | None) -> Forecasts:
        """With the parameters that training has given to each series."""
        with in_double(self):
            return self._forecasts(self._recent(ids, pasts), rows)

    def forecast(self, ids: Sequence[str], pasts: Sequence[Array],
                 variant: VariantSettings | None) -> Forecasts:
        recent = self._recent(ids, pasts)
        return self._adapted(recent)._forecasts(recent, range(len(recent)))

    @torch.no_grad()
    def _forecasts(self, pasts: Sequence[Array], rows: Sequence[int]) -> Forecasts:
        """Forecasts of series for which the members have parameters in `rows`."""
        self.eval()
        batches = SeriesBatches(pasts, self.settings.batch_size, precision=np.float64)
        own = torch.tensor(rows)
        parts = []
        for places in batches.plan(0):
            batch = self.here({**batches.load(places), "rows": own[places]})
            parts.append(torch.stack([member.forecasts(batch) for member in self.members])
                         .mean(dim=0).cpu().numpy())
        return Forecasts(*np.concatenate(parts, axis=1))

    @torch.enable_grad()
    def _adapted(self, pasts: Sequence[Array]) -> "ESRNN":
        """The same network for other series, whose own parameters are fitted to their pasts.

        They begin at the means of the trained ones, and each series follows the gradient of its
        own loss, in double precision: nothing is drawn at random and no other series counts. One
        too short to learn from keeps what it began with.
        """
        found = self._for_others(pasts)
        batches = SeriesBatches(pasts, self.settings.batch_size, self._longest_untaught,
                                precision=np.float64)
        own = [one.requires_grad_() for member in found.members
               for one in member.own_parameters()]
        rate = self.settings.training.learning_rate * self.settings.series_rate
        for rows in batches.plan(0):
            batch, optimizer = found.here(batches.load(rows)), torch.optim.Adam(own, lr=rate)
            for _ in range(_ADAPTATION_STEPS):
                optimizer.zero_grad()
                found.train().loss(batch)[0].backward()
                optimizer.step()
        return found

    @torch.no_grad()
    def _for_others(self, pasts: Sequence[Array]) -> "ESRNN":
        """The same network in double precision, with untrained parameters for other series."""
        found = ESRNN(self.settings, {**self.spec, "series": len(pasts)}).to(self.device)
        for old, new in zip(self.members, found.members, strict=True):
            shared = {name: tensor for name, tensor in old.state_dict().items()
                      if name not in ("alpha_logits", "gamma_logits", "log_seasons")}
            new.load_state_dict(shared, strict=False)
        found.double().requires_grad_(False)
        for old, new in zip(self.members, found.members, strict=True):
            new.alpha_logits.copy_(old.alpha_logits.double().mean())
            new.gamma_logits.copy_(old.gamma_logits.double().mean(dim=0))
        found._begin_seasons(pasts)
        return found

    @property
    def _longest_untaught(self) -> int:
        """Longest past that has no window to learn from."""
        return self.spec["horizon"] * (1 + self.settings.holdout)

    def parameter_groups(self, training: TrainingSettings) -> list[dict[str, Any]]:
        shared = [one for member in self.members for one in member.shared_parameters()]
        own = [one for member in self.members for one in member.own_parameters()]
        return [{"params": shared},
                {"params": own, "lr": training.learning_rate * self.settings.series_rate}]
