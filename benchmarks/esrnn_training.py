"""Training an ES-RNN: batches beside a loop over series, and its growth with their number.

The settings are those of `yearly-esrnn` in real/params.yaml. The peer is the same model as one
writes it down: one series at a time, smoothed point by point, as the competition's program did, in
fp32; ours is in bf16 where the processor has it. Both must have the same loss in fp32 before any
clock runs. The series are random walks of 19 to 60 points.
"""

import argparse
import tempfile
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.timing import ROOT, compare, seconds
from pipeline.config import load
from pipeline.errors import run_command
from pipeline.memory import keep_freed_memory
from pipeline.system import Batch
from pipeline.tasks.forecast.esrnn import ESRNN
from pipeline.tasks.forecast.shared.hybrid import Hybrid
from pipeline.tasks.forecast.shared.smoothing import Smoothed
from pipeline.tasks.forecast.shared.storage import fingerprint, save_pasts
from pipeline.training import has_bf16_instructions

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


def random_walks(count: int, folder: Path) -> dict:
    """Write `count` positive series into `folder`; their spec."""
    generator = np.random.Generator(np.random.PCG64(1))
    pasts = [100 * np.exp(np.cumsum(0.1 * generator.standard_normal(length)))
             for length in generator.integers(19, 61, count)]
    ids = [f"S{row}" for row in range(count)]
    save_pasts(folder, ids, pasts)
    return {"period": 1, "horizon": HORIZON, "series": count, "ids": fingerprint(ids)}


def epoch(system: ESRNN, folder: Path, bf16: bool) -> Callable[[], None]:
    """One epoch of training, as `pipeline.training` steps, as a function without arguments."""
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
        ours, theirs = ESRNN(settings, spec), ESRNN(alone, spec)
        theirs.members = torch.nn.ModuleList(Looped(alone, spec["series"], HORIZON)
                                             for _ in ours.members)
        theirs.load_state_dict(ours.state_dict())
        totals = []
        for system in (ours, theirs):
            batches = system.eval().batches(folder, "valid", 1)
            totals.append(sum(float(system.loss(batches.load(rows))[0].detach())
                              for rows in batches.plan(0)))
        np.testing.assert_allclose(*totals, rtol=1e-4)
        print(f"an epoch over {spec['series']:,} series, {arguments.threads} thread(s), ours in "
              f"{'bf16' if bf16 else 'fp32: this processor has no bf16 instructions'}")
        compare(epoch(ours, folder, bf16), epoch(theirs, folder, False), arguments.rounds,
                f"batches of {settings.batch_size}", "a loop over series",
                count=spec["series"], unit="series")
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
