"""Run stages of a suite one after the other, in one process of DVC, and record them together.

The runner (`pipeline/workflow/repro.py`) starts such calls side by side. A call writes which stage
begins and which has ended to a file, a line each, and has commands of the one form that dvc.yaml
uses, `python -m stages.NAME ARGUMENTS`, forked from the runner's server where it names one.
"""

import argparse
import functools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.ending import run_command
from pipeline.storage.files import growing
from pipeline.workflow.fork_server import Command, run_forked
from pipeline.workflow.interpreter import path_to_this_python

if TYPE_CHECKING:
    from pipeline.workflow.dvc import RunCommand

ROOT = Path(__file__).resolve().parents[2]
_STAGE_COMMAND = re.compile(r"python -m (stages\.[a-z_]+)((?: [\w./@+-]+)*)")


def forking(address: Path) -> "RunCommand":
    """Runs commands of stages in forks of the server at `address`, and no others."""

    def run(line: str, folder: str, environment: dict[str, str]) -> int | None:
        found = _STAGE_COMMAND.fullmatch(line)
        if not found:
            return None
        return run_forked(address, Command(found[1], found[2].split(), folder, environment))

    return run


def note(file: Path, event: str, stage: str) -> None:
    """Add a line to a progress file: `begins` or `ends`, and the stage's address."""
    with growing(file) as output:
        output.write(f"{event} {stage}\n".encode())


def main() -> None:
    parser = argparse.ArgumentParser(description="Run stages of a suite and record them.")
    parser.add_argument("--progress", type=Path, help="file to note beginnings and ends in")
    parser.add_argument("--server", type=Path, help="address of a fork server")
    parser.add_argument("--settle", action="store_true",
                        help="run what has changed of one target and of what it needs")
    parser.add_argument("stages", nargs="+", help="stages of one pipeline, in the order to run")
    arguments = parser.parse_args()
    from pipeline.workflow.dvc import run_stages, settle

    os.environ.update(path_to_this_python(os.environ))
    if arguments.settle:
        settle(ROOT, *arguments.stages)
        return
    options: dict[str, Any] = {}
    if arguments.progress:
        options["watch"] = functools.partial(note, arguments.progress)
    if arguments.server:
        options["run_command"] = forking(arguments.server)
    run_stages(ROOT, arguments.stages, **options)


if __name__ == "__main__":
    run_command(main)
