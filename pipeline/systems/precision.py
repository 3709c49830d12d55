"""Which numbers a training computes with: fp32, or bf16 where that is allowed and faster.

With bf16 matrix products take numbers of 16 bits with the range of fp32, so no loss has to be
scaled (Kalamkar et al. 2019, "A Study of BFLOAT16 for Deep Learning Training"). The choice is made
once and recorded in each checkpoint, so that every resume of a training keeps it.
"""

import math
import time
from pathlib import Path

import torch

from pipeline.systems.network import Batches, Network
from pipeline.systems.resume import FULL_PRECISION, Precision

_TRIES = 3


def precision_of(system: Network, batches: Batches, wanted: str, gpu: bool) -> Precision:
    """Lightning's name of the precision for a new training; `wanted` is that of params.yaml."""
    if wanted == "fp32":
        return FULL_PRECISION
    faster = gpu or (has_bf16_instructions() and _bf16_is_faster(system, batches))
    return "bf16-mixed" if faster else FULL_PRECISION


def has_bf16_instructions() -> bool:
    """Whether this processor computes with bf16; without, bf16 is slower than fp32."""
    flags = Path("/proc/cpuinfo")
    return flags.exists() and "avx512_bf16" in flags.read_text()


def _bf16_is_faster(system: Network, batches: Batches) -> bool:
    system.train()
    faster = _seconds(system, batches, bf16=True) < _seconds(system, batches, bf16=False)
    system.begin_epoch(training=True)
    return faster


def _seconds(system: Network, batches: Batches, bf16: bool) -> float:
    """Of the first batch's way forth and back, the fastest of a few."""
    description = batches.plan(0)[0]
    taken = math.inf
    for _ in range(_TRIES):
        system.begin_epoch(training=True)
        started = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            total, _ = system.loss(batches.load(description))
        total.backward()
        taken = min(taken, time.perf_counter() - started)
        system.zero_grad(set_to_none=True)
    return taken
