"""Starting stages: what a suite's processes cost before they compute anything.

A training and an evaluation of nothing, several times: as `dvc repro` starts them, each a new
`python -m stages.NAME`, and forked by the runner from a process that has imported their libraries.
Processor time is that of all processes; the ratio is taken within one run, since machines differ.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.timing import ROOT
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.suite.schema import load
from pipeline.workflow.fork_server import Command, fork_server, run_forked

# What the stages import before they compute: the trainer with the tracking store, the evaluation
# with its figures.
STAGES = {
    "train": "import pipeline.running.fitting, pipeline.systems.training, mlflow.tracking\n",
    "evaluate": "import matplotlib.figure, pipeline.running.evaluation\n",
}


def processor_seconds(work: Callable[[], None]) -> float:
    """User and system time of all processes that `work` starts and waits for, and its own."""
    def used() -> float:
        found = (resource.getrusage(who) for who in (resource.RUSAGE_SELF,
                                                     resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in found)

    before = used()
    work()
    return used() - before


def start_new(project: Path, environment: dict[str, str], repeats: int) -> None:
    for _ in range(repeats):
        for stage in STAGES:
            subprocess.run([sys.executable, "-m", f"stages.{stage}"], cwd=project,
                           env=environment, check=True)


def start_forked(project: Path, environment: dict[str, str], repeats: int) -> None:
    with fork_server(project, environment) as address:
        if address is None:
            raise UserError("stages are forked on Linux alone; there is nothing to compare")
        for _ in range(repeats):
            for stage in STAGES:
                command = Command(f"stages.{stage}", [], str(project), environment)
                if run_forked(address, command) != 0:
                    raise UserError(f"the empty stage {stage!r} was not forked or failed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5,
                        help="how many of each kind")
    repeats = parser.parse_args().repeats
    environment = {"OMP_NUM_THREADS": "1"} | os.environ
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder).resolve()
        (project / "pipeline").symlink_to(ROOT / "pipeline")
        (project / "stages").mkdir()
        (project / "stages/__init__.py").touch()  # else another folder's package would go first
        for stage, text in STAGES.items():
            (project / f"stages/{stage}.py").write_text(text)
        start_new(project, environment, 1)  # files are in memory, bytecode is written
        new = processor_seconds(lambda: start_new(project, environment, repeats))
        first = processor_seconds(lambda: start_forked(project, environment, 1))
        more = processor_seconds(lambda: start_forked(project, environment, 1 + repeats)) - first
    count = repeats * len(STAGES)
    print(f"  new processes: {new / count:.2f} s of a processor each")
    print(f"  forked: {more / count:.2f} s each, {more / new:.3f} of new processes; "
          f"{first:.1f} s once, with the first of both kinds")
    stages = len(STAGES) * len(load(ROOT / "params.yaml").systems)
    print(f"  forked, of the embedded suite's {stages} stages: "
          f"{(first + more * stages / count) / (new * stages / count):.3f} of new processes")


if __name__ == "__main__":
    run_command(main)
