"""Freed memory stays with the process, and a process gets its memory in large pages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.running.memory import HUGE_PAGES

PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")

ROUNDS = """
import resource, sys
import numpy as np
from pipeline.running.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def work():
    for _ in range(20):
        [np.ones(2**20) for _ in range(4)]
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", ROUNDS, how], capture_output=True, text=True,
                          check=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc alone does this")
def test_freed_memory_is_used_again() -> None:
    # 20 rounds of four arrays of 8 MiB are 163,840 pages of 4 KiB, or 320 huge ones.
    assert page_faults("give back") > 300
    assert page_faults("keep") < 30


FIRST = """
import resource
from pipeline.running.memory import keep_freed_memory
keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
b"x" * 2**26  # numpy would ask for large pages by itself
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not PAGES.exists() or "[madvise]" not in PAGES.read_text(),
                    reason="the kernel gives large pages to nobody or to all")
def test_memory_comes_in_large_pages_where_the_environment_asks_for_them() -> None:
    small, large = (int(subprocess.run(
        [sys.executable, "-c", FIRST], capture_output=True, text=True, check=True,
        env={**os.environ, "GLIBC_TUNABLES": "", **tunables}).stdout)
        for tunables in ({}, HUGE_PAGES))
    assert small > 0.9 * 2**26 / 4096
    assert large < small / 8
