"""A DVC project of tiny stages that the runner works on, and what is left of it after a stop.

The runner is the command's own below the suite: its plan, calls, fork server and records. Processes
of a run are known by a mark in their environment, whatever their names, sessions and parents.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from dvc.repo import Repo

from pipeline.guardian import end_with_parent
from pipeline.provenance.lock import read_lock
from tests.conftest import ROOT

# A stage notes that it was done outside of what DVC knows, and so tells when it is done twice.
_STAGE = '''
import pathlib, sys, time
from stages.arguments import ROOT
from pipeline.processes import end_with_dvc
from pipeline.workers import workers


def main() -> None:
    end_with_dvc()
    name, seconds, *read = sys.argv[1:]
    text = name + "".join((ROOT / "out" / one / "text").read_text() for one in read)
    if name.endswith("0"):
        with workers(2, "forkserver") as pool:
            text += str(sum(pool.map(abs, range(3))))
    pathlib.Path(f"began-{name}").touch()
    time.sleep(float(seconds))
    folder = ROOT / "out" / name
    folder.mkdir(parents=True)
    (folder / "text").write_text(text[-200:])
    with open("done", "a") as log:
        log.write(f"{name}\\n")


if __name__ == "__main__":
    from pipeline.ending import run_command

    run_command(main)
'''
_RUNNER = '''
from pathlib import Path
from pipeline.workflow.dvc import read_graph
from pipeline.workflow.plan import Plan, stale_stages
from pipeline.workflow.progress import Progress
from pipeline.workflow.repro import carry_out
from pipeline.ending import run_command


def main() -> None:
    root = Path.cwd()
    graph = read_graph(root, "dvc.yaml")
    stale = stale_stages(graph.needs, graph.changed)
    plan = Plan({name: graph.needs[name] & stale for name in stale}, dict.fromkeys(stale, 40.0))
    carry_out(root, root / "logs", plan, Progress(None, plan, 2), "dvc.yaml")


run_command(main)
'''
MARK = "UNROLLED_TEST_RUN"


def make_tiny(folder: Path, count: int, seconds: float) -> Path:
    """A project of `count` stages in `folder`, each taking `seconds`; each reads one or two."""
    for name in ("pipeline", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "stages/tiny.py").write_text(_STAGE)
    (folder / "runner.py").write_text(_RUNNER)
    Repo.init(str(folder), no_scm=True)
    lines = ["stages:"]
    for number in range(count):
        read = [f"s{other:02}" for other in (number - 3, number - 2) if other >= 0]
        command = " ".join(["python -m stages.tiny", f"s{number:02}", str(seconds), *read])
        # A stage in a shell is not forked; an out that is not cached is not in DVC's run cache.
        lines += [f"  s{number:02}:", f"    cmd: {command}{' && true' * (number % 4 == 3)}",
                  f"    deps: [{', '.join(['base', *(f'out/{one}' for one in read)])}]",
                  f"    outs: [{{out/s{number:02}: {{cache: {str(number % 3 != 1).lower()}}}}}]"]
    (folder / "dvc.yaml").write_text("\n".join(lines))
    (folder / "base").write_text("base")
    return folder


@dataclass
class Run:
    """The runner at work in a tiny project, in a session of its own as in a terminal."""

    folder: Path
    command: list[str] = field(default_factory=lambda: [sys.executable, "runner.py"])
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with (self.folder / "said").open("wb") as output:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, start_new_session=True, stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, preexec_fn=end_with_parent, env=os.environ | {
                    "PATH": path, "PYTHONPATH": str(self.folder), "OMP_NUM_THREADS": "1",
                    MARK: self.mark})

    def family(self) -> list[psutil.Process]:
        return marked(self.mark)

    def members(self, words: str) -> list[psutil.Process]:
        """Those whose command line has the words; a guardian's has those of its command, too."""
        lines = {process: " ".join(_words(process)) for process in self.family()}
        return [process for process, line in lines.items()
                if words in line and ("guardian.py" in words or "guardian.py" not in line)]

    def said(self) -> str:
        return (self.folder / "said").read_text("utf-8", "replace")

    def wait(self, seconds: float) -> int:
        return self.process.wait(seconds)

    def left_after(self, seconds: float) -> list[str]:
        return left_after(self.mark, seconds)

    def stop(self, kind: str) -> None:
        """Stop the run in one of the ways of `KINDS`."""
        target, number = KINDS[kind]
        if target == "group":  # what a terminal does
            os.killpg(self.process.pid, number)
        elif target == "runner":
            self.process.send_signal(number)
        else:
            for process in self.members(target)[:1]:
                process.send_signal(number)

    def clean_up(self) -> None:
        for process in self.family():
            process.kill()
        self.process.wait()


KINDS = {"Ctrl-C": ("group", signal.SIGINT), "closed terminal": ("group", signal.SIGHUP),
         "terminated": ("runner", signal.SIGTERM), "killed": ("runner", signal.SIGKILL),
         "call killed": ("-m pipeline.workflow.repro_call --progress", signal.SIGKILL),
         "server killed": ("-m pipeline.workflow.fork_server", signal.SIGKILL),
         "guardian killed": ("guardian.py", signal.SIGKILL)}


def marked(mark: str) -> list[psutil.Process]:
    """The living processes that have the mark, whoever is their parent now."""
    return [process for process in psutil.process_iter() if _has(process, mark)]


def left_after(mark: str, seconds: float) -> list[str]:
    """Which of them are alive still when so many seconds are over."""
    deadline = time.monotonic() + seconds
    while (alive := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [" ".join(_words(process)) for process in alive]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _has(process: psutil.Process, mark: str) -> bool:
    try:
        return (process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get(MARK) == mark)
    except (psutil.Error, OSError):
        return False


def state(folder: Path) -> dict[str, bytes]:
    """dvc.lock and all outs."""
    files = [folder / "dvc.lock", *sorted((folder / "out").rglob("*"))]
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in files if path.is_file() and path.name != ".gitignore"}


def whole(folder: Path) -> bool:
    """Whether dvc.lock is there and whole; an absent one says that nothing was recorded."""
    return not (folder / "dvc.lock").exists() or bool(read_lock(folder / "dvc.lock"))


def done(folder: Path) -> list[str]:
    file = folder / "done"
    return file.read_text().split() if file.exists() else []


def ended(folder: Path) -> set[str]:
    """Stages whose ends the calls of the last run have noted."""
    return {line.split()[1] for file in (folder / "logs").glob("*.progress")
            for line in file.read_text().splitlines() if line.startswith("ends ")}
