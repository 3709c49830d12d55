"""Freed memory stays with the process: another round of the same allocations faults no page."""

import subprocess
import sys

import pytest

ROUNDS = """
import resource, sys
import numpy as np
from pipeline.memory import keep_freed_memory
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
