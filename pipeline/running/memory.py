"""Keep freed memory for the next step of training.

A step of training frees tensors of megabytes and allocates the same sizes again in the next step.
glibc hands such blocks back to the kernel each time, which then has to find and clear every page
anew: a tenth of a language model's training time. Pages of two megabytes are found and cleared
faster than small ones and save a translator's training another tenth; glibc asks for them where
its environment says so when a process starts. Other C libraries do without both.
"""

import ctypes
import sys

# malloc.h; the three exist in glibc alone.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_NEVER = 2**31 - 1
_TOP_PAD = 64 * 2**20

# For the environment of a process to be started.
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def keep_freed_memory() -> None:
    """Let this process keep what it frees. Changes no result; does nothing where it cannot."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for option, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _NEVER), (_M_TOP_PAD, _TOP_PAD)):
        mallopt(option, value)
