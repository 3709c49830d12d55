"""Timing two programs side by side."""

import statistics
import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(ours: Callable[[], object], peer: Callable[[], object], rounds: int, name: str,
            peer_name: str) -> float:
    """Let both take turns after one untimed call each; print and return the median ratio."""
    ours()
    peer()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(rounds)]
    ratios = [theirs / mine for mine, theirs in pairs]
    median = statistics.median(ratios)
    for label, times in zip((name, peer_name), zip(*pairs, strict=True), strict=True):
        print(f"{label}: median {statistics.median(times):.4f} s, "
              f"{min(times):.4f} to {max(times):.4f}")
    print(f"{name} is {median:.2f} times as fast as {peer_name} "
          f"(median of {rounds}, {min(ratios):.2f} to {max(ratios):.2f})")
    return median
