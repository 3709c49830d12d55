"""What a run costs: seconds, memory, processor.

Costs are shown beside the scores and never compared, since they differ from machine to machine. A
stage that the runner has forked begins with what its parent had imported: memory counts libraries,
also some that the stage does not use.
"""

import os
import platform
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.scoring.records import Measures


@contextmanager
def measured() -> Iterator[Measures]:
    """Wall seconds and peak memory of the block, filled in when it ends."""
    measures = Measures(seconds=0.0, peak_memory_bytes=0)
    started = time.perf_counter()
    yield measures
    measures["seconds"] = round(time.perf_counter() - started, 2)
    measures["peak_memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def processor(device: str) -> str:
    """The name of the processor or GPU that computes."""
    if device == "auto":
        import torch

        if torch.cuda.is_available():
            return torch.cuda.get_device_name()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} cores"
    return platform.processor() or platform.machine()
