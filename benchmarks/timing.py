"""Timing two programs side by side, and what every script here needs for it."""

import os
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

from pipeline.errors import UserError
from pipeline.suite.schema import load

ROOT = Path(__file__).resolve().parent.parent


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(ours: Callable[[], object], peer: Callable[[], object], rounds: int, name: str,
            peer_name: str, count: int = 0, unit: str = "") -> float:
    """Let both take turns after one untimed call each; print and return the median ratio.

    With a `count` of `unit` that each call handles, rates are printed as well.
    """
    ours()
    peer()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(rounds)]
    ratios = [theirs / mine for mine, theirs in pairs]
    median = statistics.median(ratios)
    for label, times in zip((name, peer_name), zip(*pairs, strict=True), strict=True):
        middle = statistics.median(times)
        rate = f", {count / middle:,.0f} {unit} a second" if count else ""
        print(f"  {label}: median {middle:.4f} s, {min(times):.4f} to {max(times):.4f}{rate}")
    print(f"  {name}: {median:.2f} times as fast as {peer_name} "
          f"(median of {rounds}, {min(ratios):.2f} to {max(ratios):.2f})")
    return median


def peer(module: str, package: str) -> ModuleType:
    """A module of the package compared with. Raises UserError that names what to install."""
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise UserError(f"{package} is not installed, and this script compares with it: "
                        f"pip install {package}") from None


def mirror_folder() -> Path | None:
    """Where copies of the real corpora are, as the environment or the real suite says."""
    mirror = os.environ.get("UNROLLED_MIRROR") or load(ROOT / "real/params.yaml").mirror
    return (ROOT / mirror).resolve() if mirror else None
