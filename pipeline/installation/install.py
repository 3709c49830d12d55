"""Install what the lock files pin, and no other file under those names: `make install`.

pip compares each file with the hashes of its entry and refuses one that is not there. A lock names
all that a package needs, so dependencies are not looked up (`--no-deps`); and a release that comes
as source is built with what a lock has pinned, since an isolated build would fetch anything.

A torch that is there already stays when its version fits, whoever built it. Where pip is led to
pytorch.org's CPU packages, or copies of them, that build is taken. Works before anything else is
installed, so it imports nothing but Python's own modules.
"""

import importlib.util
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from pipeline import processes
from pipeline.ending import run_command
from pipeline.errors import UserError

_PIP = [sys.executable, "-m", "pip"]
_EXACTLY = ["install", "--require-hashes", "--no-deps", "--no-build-isolation"]
_ROOT = Path(__file__).resolve().parents[2]
_LOCKS = Path("requirements")


def install(lock: Path, *options: str) -> None:
    """Install the entries of a lock file. Raises UserError when pip refuses one, and says why."""
    done = processes.run([*_PIP, *_EXACTLY, *options, "--requirement", str(lock)])
    if done.returncode != 0:
        raise UserError(f"pip did not install {lock}, see above. A hash that does not match is "
                        "that of another file than the one that was locked: do not install it. If "
                        "the lock was edited, take the committed one back, or run 'make lock'")


def needs_cuda(version: str) -> bool:
    """Whether this torch is the build that leaves CUDA to other packages.

    Every other build says of what kind it is (2.13.0+cpu, 2.13.0+cu130), and who chose it has
    installed what it needs.
    """
    return "+" not in version


def attempt(lock: Path) -> str | None:
    """Install what can be done without; why not, if it cannot be had."""
    done = processes.run([*_PIP, *_EXACTLY, "--quiet", "--only-binary", ":none:", "--requirement",
                          str(lock)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return None
    said = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower()]
    return said[0] if said else f"pip ended with exit code {done.returncode}"


def check_environment() -> None:
    """Raises UserError where packages would get into the Python of other programs."""
    if sys.prefix == sys.base_prefix and not Path(sys.prefix, "conda-meta").is_dir():
        raise UserError(f"{sys.executable} serves other programs too, and hundreds of packages "
                        "would be put beside theirs; 'make install' makes an environment for this "
                        "project alone, in .venv, and installs them there")


def main() -> None:
    check_environment()
    os.chdir(_ROOT)
    install(_LOCKS / "build.lock", "--quiet")
    if importlib.util.find_spec("torch") is None:
        # pip prefers a file whose hash its index tells, so the other build would always win.
        attempt(_LOCKS / "torch-cpu.lock")
    install(Path("requirements.lock"))
    if needs_cuda(metadata.version("torch")):
        install(_LOCKS / "cuda.lock")
    if why := attempt(_LOCKS / "kenlm-build.lock") or attempt(_LOCKS / "kenlm.lock"):
        print(f"kenlm was not installed (it needs a C++ compiler): tests that compare with it will "
              f"be skipped. {why}")


if __name__ == "__main__":
    run_command(main)
