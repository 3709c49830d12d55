"""Calls of DVC as processes: what each is to run, how far it is, and its log."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import processes
from pipeline.storage.files import growing

_COMMAND_LINE = "> python -m "


@dataclass
class Call:
    """Stages in progress, one after the other in one process of DVC.

    The process notes in the file `progress` what begins and ends; see `repro_call`.
    """

    stages: list[str]
    process: subprocess.Popen
    log: Path
    progress: Path
    _read: int = field(default=0, init=False)
    _current: str = field(default="", init=False)

    @property
    def current(self) -> str:
        """The stage that began last; before the first, the first."""
        return self._current or self.stages[0]

    def events(self) -> list[tuple[str, str]]:
        """What has been noted since the last time: 'begins' or 'ends', and a stage."""
        if not self.progress.exists():
            return []
        lines = self.progress.read_bytes()[self._read :].decode("utf-8").splitlines(keepends=True)
        found = []
        for line in lines:
            if not line.endswith("\n"):
                break
            self._read += len(line.encode("utf-8"))
            event, _, stage = line.strip().partition(" ")
            if event == "begins":
                self._current = stage
            found.append((event, stage))
        return found

    def last_line(self) -> str:
        """What the stage at work said last."""
        for line in reversed(self._lines()):
            if line.startswith(_COMMAND_LINE):
                return ""
            if line.strip():
                return line.strip()
        return ""

    def failure(self) -> str:
        """What a user needs who reads that the call has failed."""
        tail = "\n".join(self._lines()[-25:])
        return (f"{self.current} failed; the end of {self.log}:\n{tail}\n"
                "mend the cause and run the same command again: what is done stays")

    def _lines(self) -> list[str]:
        return self.log.read_text("utf-8", "replace").splitlines()


def start_call(root: Path, logs: Path, stages: list[str], environment: Mapping[str, str],
               server: Path | None = None) -> Call:
    """Start a call for stages of the project in `root`, with a fork server's address if any."""
    logs.mkdir(parents=True, exist_ok=True)
    name = stages[0].replace("/", "_").replace(":", "_")
    log, progress = logs / f"{name}.log", logs / f"{name}.progress"
    for file in (log, progress):
        file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pipeline.workflow.repro_call", "--progress", str(progress),
               *(["--server", str(server)] if server else []), *stages]
    with growing(log) as output:
        process = processes.start(command, cwd=root, stdout=output, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, env=environment)
    return Call(stages, process, log, progress)
