"""Run stages of DVC one after the other, in one process, and record them together.

`dvc repro` rewrites all of dvc.lock after each stage; with 250 stages in it that takes two seconds,
longer than many a stage. Here stages that end soon after one another are recorded by one writing.
What is run, checked and cached is DVC's own work, and so is dvc.lock.
"""

import argparse
import contextlib
import signal
import sys
import time
from pathlib import Path
from typing import Any

from dvc.exceptions import ReproductionError
from dvc.repo import Repo
from dvc.stage import PipelineStage

from pipeline.errors import UserError, run_command

ROOT = Path(__file__).resolve().parents[2]
# What a killed process leaves unrecorded, and so is done again, took no longer than this.
_UNRECORDED_SECONDS = 60.0


class Recorder:
    """Runs the stages that DVC hands over; those of `targets` end with everything recorded."""

    def __init__(self, targets: list[str]) -> None:
        self._last = targets[-1]
        self._waiting: list[PipelineStage] = []
        self._recorded = time.monotonic()

    def reproduce(self, stage: PipelineStage, **options: Any) -> PipelineStage | None:
        """Run a stage if it has changed; DVC calls this while the repository is locked."""
        try:
            done = stage.reproduce(**options)
        except BaseException:
            self._record()
            raise
        if done:
            self._waiting.append(done)
        late = time.monotonic() - self._recorded > _UNRECORDED_SECONDS
        if late or stage.addressing == self._last:
            self._record()
        return done

    def _record(self) -> None:
        if self._waiting:
            self._waiting[0].dvcfile.dump_stages(self._waiting, update_pipeline=False)
        self._waiting = []
        self._recorded = time.monotonic()


def run_stages(root: Path, targets: list[str]) -> None:
    """Run those of `targets` that have changed. Raises UserError when one fails."""
    # DVC looks for targets from the working directory.
    with contextlib.chdir(root), Repo(str(root), _wait_for_lock=True) as repo:
        try:
            repo.reproduce(targets, single_item=True, repro_fn=Recorder(targets).reproduce)
        except ReproductionError as error:
            raise UserError(f"{error}: {error.__cause__}") from None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("stages", nargs="+", help="stages of one pipeline, in the order to run")
    targets = parser.parse_args().stages
    # A terminated process unwinds, and what it has done is recorded.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    run_stages(ROOT, targets)


if __name__ == "__main__":
    run_command(main)
