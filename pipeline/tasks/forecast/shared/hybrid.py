"""One ES-RNN: smoothing with parameters of each series' own, and a network that all share.

Smoothing takes level and season out, the network reads the logarithms of the last points of what
is left and forecasts those of the next, and level and season are put back. Training minimises the
pinball loss (slightly below the median, because the network's errors lean upwards), with a
penalty on the variability of the level's growth. A series counts by its weight and not by its
length, and its own parameters have a gradient from its own terms alone.

Above the dilated layers a state may attend to those just before it (`attention`). Smyl's attentive
variant puts the attention inside the recurrence, which wants a loop over time; here all steps are
computed at once.

Source: Smyl 2020, "A hybrid method of exponential smoothing and recurrent neural networks for
time series forecasting".
"""

import math
from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import pad

from pipeline.entries import SystemSettings
from pipeline.nn.dilated import DilatedBlocks
from pipeline.systems.base import Batch
from pipeline.tasks.forecast.shared.intervals import IntervalHead, pinball
from pipeline.tasks.forecast.shared.precision import at_least_single
from pipeline.tasks.forecast.shared.smoothing import Smoothed, smooth
from pipeline.tasks.forecast.shared.weights import Weights
from pipeline.tasks.forecast.shared.windows import SMALLEST_SPREAD


class HybridSettings(SystemSettings):
    """Sizes in points of a series; `blocks` are the dilations of each residual block."""

    seasonalities: list[int] = Field(description="points of each season, [] for none")
    history: int = Field(ge=8, description="points at the end of a past that are used")
    input_window: int = Field(ge=2)
    hidden: int = Field(ge=1)
    blocks: list[list[int]] = Field(min_length=1)
    attention: int = Field(ge=0, description="states, the present one among them, that a state "
                                             "attends to; 0 for no attention")
    tau: float = Field(gt=0, lt=1, description="quantile of the pinball loss")
    level_penalty: float = Field(ge=0)
    initial_smoothing: float = Field(gt=0, lt=1, description="alpha and gamma before training")
    weights: Weights = Field(description="how much each series counts in training")
    holdout: bool


@dataclass(frozen=True)
class View:
    """What the network sees at each point of a batch: logarithms, all [batch, time, ...].

    `inputs` [.., window] and `outputs` [.., h] are relative to level and season; `scale` [.., h]
    holds level and season, which turn outputs into forecasts. `spread` [.., 1] is the mean
    absolute step within the window.
    """

    inputs: Tensor
    scale: Tensor
    levels: Tensor
    spread: Tensor


class Hybrid(nn.Module):
    """Smoothing parameters of `series` series and the network above them."""

    def __init__(self, settings: HybridSettings, series: int, horizon: int) -> None:
        super().__init__()
        self.settings = settings
        self.horizon = horizon
        logit = math.log(settings.initial_smoothing / (1 - settings.initial_smoothing))
        self.alpha_logits = nn.Parameter(torch.full((series,), logit))
        self.gamma_logits = nn.Parameter(
            torch.full((series, len(settings.seasonalities)), logit))
        self.log_seasons = nn.Parameter(torch.zeros(series, sum(settings.seasonalities)))
        self.network = DilatedBlocks("lstm-torch", settings.input_window, settings.hidden,
                                     settings.blocks)
        self.hidden_output = nn.Linear(settings.hidden, settings.hidden)
        self.output = nn.Linear(settings.hidden, horizon)
        self.attention = _Lookback(settings.hidden, settings.attention) \
            if settings.attention else None
        self.intervals = IntervalHead(settings.hidden, horizon, logarithmic=True)

    def own_parameters(self) -> list[nn.Parameter]:
        """Those that each series has for itself."""
        return [self.alpha_logits, self.gamma_logits, self.log_seasons]

    def shared_parameters(self) -> list[nn.Parameter]:
        """Those of the network."""
        own = {id(parameter) for parameter in self.own_parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in own]

    def loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Pinball loss, averaged over a series' windows, summed by weight over series; how many.

        In evaluation mode the last window of each series alone counts, in training mode the
        penalty and the loss of the intervals come in addition.
        """
        view = self.view(batch)
        states, outputs = self.outputs(view.inputs)
        logs = batch["values"].log()
        actual = pad(logs, (0, self.horizon)).unfold(1, self.horizon, 1)[:, 1:] - view.scale
        losses = pinball(actual - outputs, self.settings.tau).mean(dim=2)
        losses = losses * batch["weights"][:, None]
        weights = self._window_weights(batch["lengths"], logs.shape[1])
        if self.training:
            losses = losses + self.intervals.loss(states, outputs, view.spread, actual)
        total = (losses * weights).sum()
        if self.training:
            total = total + self.settings.level_penalty * self._variability(view, batch).sum()
        return total, weights.sum()

    def _window_weights(self, lengths: Tensor, time: int) -> Tensor:
        """Weight of the window that ends at each point [batch, time]; a series' sum to 1.

        Windows begin within the series, but for a series so short that it has no such window:
        its longest incomplete one counts.
        """
        place = torch.arange(time, device=lengths.device)
        last = (lengths - 1 - self.horizon)[:, None]
        if not self.training:
            return (place == last).float()
        last = last - self.horizon * self.settings.holdout
        first = last.clamp(max=self.settings.input_window - 1)
        usable = (place >= first) & (place <= last)
        return usable / usable.sum(dim=1, keepdim=True)

    def _variability(self, view: View, batch: Batch) -> Tensor:
        """Mean squared change of the growth of the logarithmic level of each series, [batch]."""
        held_out = self.horizon * self.settings.holdout
        change = view.levels.diff(n=2, dim=1)
        place = torch.arange(2, view.levels.shape[1], device=change.device)
        usable = (place < (batch["lengths"] - held_out)[:, None]).float()
        return (change.square() * usable).sum(dim=1) / usable.sum(dim=1).clamp(min=1)

    def view(self, batch: Batch) -> View:
        """Smooth the series of a batch and cut what is left into windows."""
        window = self.settings.input_window
        smoothed = self._smoothed(batch)
        levels = smoothed.levels.log()
        time = levels.shape[1]
        adjusted = batch["values"].log()
        scale = levels[:, :, None].expand(-1, -1, self.horizon)
        for season in smoothed.seasons:
            logs = season.log()
            period = logs.shape[1] - time
            coming = torch.arange(self.horizon, device=logs.device) % period
            adjusted = adjusted - logs[:, :time]
            scale = scale + logs[:, 1:].unfold(1, period, 1)[:, :, coming]
        windows = pad(adjusted, (window - 1, 0)).unfold(1, window, 1)
        before = torch.arange(time, device=levels.device)[:, None] < torch.arange(
            window - 1, -1, -1, device=levels.device)
        inputs = (windows - levels[:, :, None]).masked_fill(before, 0.0)
        return View(inputs, scale, levels, _mean_steps(adjusted.detach(), window)[:, :, None])

    def _smoothed(self, batch: Batch) -> Smoothed:
        rows = batch["rows"]
        seasons = self.log_seasons[rows].exp().split(self.settings.seasonalities, dim=1)
        with torch.autocast(rows.device.type, enabled=False):
            return smooth(batch["values"], self.alpha_logits[rows], self.gamma_logits[rows],
                          seasons if self.settings.seasonalities else [])

    def outputs(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """States [batch, time, hidden] and logarithmic forecasts relative to level and season."""
        states = self.network(inputs.transpose(0, 1)).transpose(0, 1)
        if self.attention is not None:
            states = states + self.attention(states)
        states = torch.tanh(self.hidden_output(states))
        return states, at_least_single(self.output(states))

    def forecasts(self, batch: Batch) -> Tensor:
        """Forecasts after the end of each series and the limits of intervals, [3, batch, h]."""
        view = self.view(batch)
        states, outputs = self.outputs(view.inputs)
        limits = self.intervals(states, outputs, view.spread)
        last = (torch.arange(len(outputs), device=outputs.device), batch["lengths"] - 1)
        return torch.stack([(values + view.scale)[last].exp() for values in (outputs, *limits)])


def _mean_steps(values: Tensor, window: int) -> Tensor:
    """Mean absolute step within the window that ends at each of `values` [batch, time]."""
    time = values.shape[1]
    sums = pad(values.diff(dim=1).abs(), (1, 0)).cumsum(dim=1)
    within = sums - pad(sums, (window - 1, 0))[:, :time]
    counts = torch.arange(time, device=values.device).clamp(1, window - 1)
    return (within / counts).clamp(min=SMALLEST_SPREAD)


class _Lookback(nn.Module):
    """Scaled dot-product attention of each state to the last `reach` states, itself among them."""

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        """Averages [batch, time, width] of `states` of that shape; none sees a later one."""
        time = states.shape[1]
        padding = (0, 0, self.reach - 1, 0)
        keys, values = (pad(tensor, padding).unfold(1, self.reach, 1)
                        for tensor in (self.key(states), states))
        scores = at_least_single((self.query(states)[:, :, None, :] @ keys).squeeze(2))
        place = torch.arange(time, device=states.device)[:, None]
        before = place + torch.arange(1 - self.reach, 1, device=states.device) < 0
        weights = (scores / math.sqrt(states.shape[2])).masked_fill(before, -torch.inf).softmax(-1)
        return (values @ weights.to(values.dtype)[..., None]).squeeze(-1)
