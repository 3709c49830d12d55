"""Training an ES-RNN: batches beside a loop over series, and its growth with their number.

The settings are those of `yearly-esrnn` in real/params.yaml. The peers are the same model, one
series at a time, smoothed point by point. The first steps its network point by point as well, as
the competition's program did; the second gives each whole series to the fused LSTM that ours uses
too. They run in fp32, ours in bf16 where the processor has it. All must have the same loss in fp32
before any clock runs. The series are random walks of 19 to 60 points.
"""

import argparse
import tempfile
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.timing import ROOT, compare, seconds
from pipeline.ending import run_command
from pipeline.nn.dilated import Dilated
from pipeline.running.memory import keep_freed_memory
from pipeline.suite.schema import load
from pipeline.systems.base import Batch
from pipeline.systems.precision import has_bf16_instructions
from pipeline.tasks.forecast.shared.hybrid import Hybrid, HybridSettings
from pipeline.tasks.forecast.shared.smoothing import Smoothed
from pipeline.tasks.forecast.shared.storage import fingerprints, save_pasts
from pipeline.tasks.forecast.systems.esrnn import ESRNN, Settings

HORIZON = 6


class Looped(Hybrid):
    """The same model with the textbook's recursion over time."""

    def _smoothed(self, batch: Batch) -> Smoothed:
        rows = batch["rows"]
        alpha, gammas = self.alpha_logits[rows].sigmoid(), self.gamma_logits[rows].sigmoid()
        seasons = [list(one.unbind(1)) for one in self.log_seasons[rows].exp().split(
            self.settings.seasonalities, dim=1)] if self.settings.seasonalities else []
        levels: list[Tensor] = []
        for time, value in enumerate(batch["values"].unbind(1)):
            factor = prod((season[time] for season in seasons), start=torch.ones_like(value))
            before = levels[-1] if levels else value / factor
            levels.append(alpha * value / factor + (1 - alpha) * before)
            for k, season in enumerate(seasons):
                ratio = value * season[time] / (levels[-1] * factor)
                season.append(gammas[:, k] * ratio + (1 - gammas[:, k]) * season[time])
        return Smoothed(torch.stack(levels, dim=1),
                        [torch.stack(season, dim=1) for season in seasons])


class SteppedLSTM(nn.Module):
    """A dilated layer as its equations stand: one cell after the other."""

    def __init__(self, layer: Dilated) -> None:
        super().__init__()
        self.dilation, self.layer = layer.dilation, layer.layer

    def forward(self, inputs: Tensor) -> Tensor:
        weights = list(self.layer.parameters())
        nothing = inputs.new_zeros(inputs.shape[1], self.layer.hidden_size)
        states = [(nothing, nothing)] * self.dilation
        for one in inputs.unbind(0):
            states.append(torch.lstm_cell(one, states[-self.dilation], *weights))
        return torch.stack([hidden for hidden, _ in states[self.dilation:]])


class Stepped(Looped):
    """The same model whose network, too, goes from point to point."""

    def __init__(self, settings: HybridSettings, series: int, horizon: int) -> None:
        super().__init__(settings, series, horizon)
        for block in self.network.blocks:
            for place, layer in enumerate(block):
                block[place] = SteppedLSTM(layer)


def random_walks(count: int, folder: Path) -> dict:
    """Write `count` positive series into `folder`; their spec."""
    generator = np.random.Generator(np.random.PCG64(1))
    pasts = [100 * np.exp(np.cumsum(0.1 * generator.standard_normal(length)))
             for length in generator.integers(19, 61, count)]
    ids = [f"S{row}" for row in range(count)]
    save_pasts(folder, ids, pasts)
    return {"period": 1, "horizon": HORIZON, "series": count, "pasts": fingerprints(pasts)}


def epoch(system: ESRNN, folder: Path, bf16: bool) -> Callable[[], None]:
    """One epoch, stepping as `pipeline.systems.training` does, as a function of no arguments."""
    batches = system.train().batches(folder, "train", 1)
    training = system.settings.training
    optimizer = torch.optim.Adam(system.parameter_groups(training), lr=training.learning_rate,
                                 fused=True)

    def run() -> None:
        for description in batches.plan(0):
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                total, terms = system.loss(batches.load(description))
            optimizer.zero_grad(set_to_none=True)
            (total / terms).backward()
            torch.nn.utils.clip_grad_norm_(system.parameters(), training.gradient_clip)
            optimizer.step()

    return run


def _peer(kind: type[Hybrid], settings: Settings, spec: dict, ours: ESRNN) -> ESRNN:
    """A system of members of another `kind` with the weights of ours."""
    found = ESRNN(settings, spec)
    found.members = nn.ModuleList(kind(settings, spec["series"], HORIZON) for _ in ours.members)
    found.load_state_dict(ours.state_dict())
    return found


def _loss(system: ESRNN, folder: Path) -> float:
    batches = system.eval().batches(folder, "valid", 1)
    with torch.no_grad():
        return sum(float(system.loss(batches.load(rows))[0]) for rows in batches.plan(0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--series", type=int, nargs="*", default=[1000, 23000])
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    keep_freed_memory()
    torch.set_num_threads(arguments.threads)
    bf16 = has_bf16_instructions()
    settings = load(ROOT / "real/params.yaml").system("yearly-esrnn")
    alone = settings.model_copy(update={"batch_size": 1})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = random_walks(settings.batch_size, folder)
        torch.manual_seed(1)
        ours = ESRNN(settings, spec)
        peers = {"a loop over series and points": _peer(Stepped, alone, spec, ours),
                 "a loop over series": _peer(Looped, alone, spec, ours)}
        losses = [_loss(system, folder) for system in (ours, *peers.values())]
        np.testing.assert_allclose(losses, losses[0], rtol=1e-4)
        print(f"an epoch over {spec['series']:,} series, {arguments.threads} thread(s), ours in "
              f"{'bf16' if bf16 else 'fp32: this processor has no bf16 instructions'}")
        for name, peer in peers.items():
            compare(epoch(ours, folder, bf16), epoch(peer, folder, False), arguments.rounds,
                    f"batches of {settings.batch_size}", name, count=spec["series"],
                    unit="series")
    for count in arguments.series:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            torch.manual_seed(1)
            run = epoch(ESRNN(settings, random_walks(count, folder)), folder, bf16)
            run()
            taken = min(seconds(run) for _ in range(arguments.rounds))
            print(f"an epoch over {count:,} series: {taken:.2f} s, "
                  f"{count / taken:,.0f} series a second")


if __name__ == "__main__":
    run_command(main)
