"""Resolve pyproject.toml anew: `make lock`.

pip says what it would install on this machine into an empty environment. CUDA packages are left
out, because a CUDA build of torch names its own and a CPU build needs none, and so are the local
parts of versions (`+cpu`), which are not to be had elsewhere.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import processes
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.storage.files import write_text

_FOR_CUDA = re.compile(r"(nvidia|cuda|triton)(-|$)")
_HEADER = """\
# Exact versions for pip, resolved from pyproject.toml ('make lock'). CUDA packages are left to
# torch: a CUDA build of torch brings its own, a CPU build needs none.
"""


def locked(report: Mapping[str, Any]) -> str:
    """The text of a lock file, from pip's report of what it would install."""
    versions = {one["metadata"]["name"].lower().replace("_", "-").replace(".", "-"):
                one["metadata"]["version"].partition("+")[0] for one in report["install"]}
    kept = sorted(name for name in versions if name != "unrolled" and not _FOR_CUDA.match(name))
    return _HEADER + "".join(f"{name}=={versions[name]}\n" for name in kept)


def main() -> None:
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed",
               "--quiet", "--report", "-", ".[test]"]
    done = processes.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise UserError("pip found no versions that fit pyproject.toml; see above")
    write_text(Path(sys.argv[1]), locked(json.loads(done.stdout)))


if __name__ == "__main__":
    run_command(main)
