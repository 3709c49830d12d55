"""`make repro`: a suite's stages side by side, then a summary.

DVC runs one stage at a time. This runner asks DVC for the graph and for what has changed, has each
stage whose predecessors are done run by a process of DVC (`pipeline/commands/repro_call.py`), and ends with
a plain `dvc repro`, so the outcome is what DVC alone would have made; results do not depend on the
number of jobs. Starting DVC and writing its lock takes as long as many a stage, so a stage and the
one that it alone lets start share a call, and so do short ones. A call's output goes to a log of
its own, and its last line is shown while it runs.
"""

import argparse
import heapq
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import UserError, run_command
from pipeline.running.memory import HUGE_PAGES
from pipeline.storage.files import read_json
from pipeline.suite.checks import load_valid
from pipeline.suite.places import Places
from pipeline.suite.schema import Suite

ROOT = Path(__file__).resolve().parents[2]
REPORT_SECONDS = 20
_POLL_SECONDS = 0.1
# Stages share a call until it is expected to take as long as this.
_CALL_SECONDS = 90.0
# What a stage takes besides its recorded cost: Python, PyTorch and Lightning start anew.
_START_SECONDS = 3.0


@dataclass
class Plan:
    """Stages to run, by address, with the addresses that each must wait for."""

    waits_for: dict[str, set[str]]
    seconds: dict[str, float]
    _chains: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    def ready(self, done: set[str], started: set[str]) -> list[str]:
        """Stages that can start now, the one with the longest chain of work behind it first."""
        free = [stage for stage, needed in self.waits_for.items()
                if stage not in started and needed <= done]
        return heapq.nsmallest(len(free), free, key=lambda s: (-self._chain(s), s))

    def chain(self, first: str, done: set[str], started: set[str]) -> list[str]:
        """`first` and, as long as there is one and no more, the stage that can start thereafter."""
        chain = [first]
        while True:
            enabled = self._enabled(chain, done, started)
            if len(enabled) != 1:
                return chain
            chain += enabled

    def call(self, first: str, done: set[str], started: set[str], jobs: int) -> list[str]:
        """The chain of `first`, and further short ones if it lets nothing start.

        As many stages as `jobs` are left to the other calls.
        """
        found = self.chain(first, done, started)
        while self._expected(found) < _CALL_SECONDS:
            free = self.ready(done, started | set(found))
            if self._enabled(found, done, started) or len(free) <= jobs:
                break
            more = self.chain(free[0], done, started | set(found))
            if self._expected(found + more) > _CALL_SECONDS:
                break
            found += more
        return found

    def _enabled(self, by: list[str], done: set[str], started: set[str]) -> list[str]:
        """Stages that can start once those of `by` are done, and could not without them."""
        free = self.ready(done | set(by), started | set(by))
        return [stage for stage in free if self.waits_for[stage] & set(by)]

    def _expected(self, stages: list[str]) -> float:
        return sum(self.seconds[stage] + _START_SECONDS for stage in stages)

    def order(self) -> list[str]:
        """All stages in an order in which one process could run them."""
        found: list[str] = []
        while len(found) < len(self.waits_for):
            found += self.ready(set(found), set(found))
        return found

    def _chain(self, stage: str) -> float:
        if stage not in self._chains:
            followers = [s for s, needed in self.waits_for.items() if stage in needed]
            self._chains[stage] = self.seconds[stage] + max(map(self._chain, followers), default=0)
        return self._chains[stage]


@dataclass
class Running:
    """Stages in progress, one after the other in one call of DVC."""

    stages: list[str]
    process: subprocess.Popen
    log: Path
    started: float = field(default_factory=time.monotonic)
    reported: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def names(self) -> str:
        return ", ".join(self.stages)

    def last_line(self) -> str:
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def make_plan(suite: Suite, pipeline_file: str) -> Plan:
    """What has to run, from DVC's graph and status; empty when everything is up to date."""
    from dvc.lock import LockError
    from dvc.utils.strictyaml import YAMLSyntaxError, YAMLValidationError

    try:
        needs, changed = _graph(pipeline_file)
    except LockError as error:
        raise UserError(f"another dvc command is at work in this folder: {error}") from None
    except (YAMLSyntaxError, YAMLValidationError) as error:
        # DVC writes its lock in place, so a command killed at that moment leaves half of it.
        raise UserError(f"{error}; take the committed file back (git checkout -- FILE) and run "
                        "again: what had been done is in DVC's cache and is not done twice"
                        ) from None
    stale = set(changed)
    while True:
        more = {name for name in needs if name not in stale and needs[name] & stale}
        if not more:
            break
        stale |= more
    return Plan({name: needs[name] & stale for name in stale},
                {name: _expected_seconds(suite, name) for name in stale})


def _graph(pipeline_file: str) -> tuple[dict[str, set[str]], set[str]]:
    """The predecessors of each stage of a pipeline file, and the stages that have changed."""
    from dvc.repo import Repo

    with Repo(str(ROOT)) as repo, repo.lock:
        stages = {stage.addressing: stage
                  for stage in repo.index.stages if stage.path_in_repo == pipeline_file}
        graph = repo.index.graph
        needs = {name: {other.addressing for other in graph.successors(stage)
                        if other.addressing in stages}
                 for name, stage in stages.items()}
        return needs, {name for name, stage in stages.items() if stage.changed()}


def _expected_seconds(suite: Suite, address: str) -> float:
    """How long a stage took when its cost was last recorded; a second for all others."""
    kind, _, key = address.rpartition(":")[2].partition("@")
    if kind not in ("train", "evaluate") or key not in suite.systems:
        return 1.0
    cost = suite.places.cost(suite.track_of(key), key, kind)
    return read_json(cost)["seconds"] if cost.exists() else 60.0


def run(plan: Plan, jobs: int) -> None:
    """Run the plan's stages, at most `jobs` at once. Raises UserError when a stage fails."""
    done: set[str] = set()
    running: list[Running] = []
    try:
        while len(done) < len(plan.waits_for):
            started = done | {stage for item in running for stage in item.stages}
            for stage in plan.ready(done, started)[: jobs - len(running)]:
                if stage in started:
                    continue
                call = plan.call(stage, done, started, jobs)
                started.update(call)
                running.append(_start(call))
            time.sleep(_POLL_SECONDS)
            for item in _finished(running):
                done.update(item.stages)
                print(f"[{len(done):3d}/{len(plan.waits_for)}] {item.names}  "
                      f"{item.seconds:.1f} s", flush=True)
    finally:
        for item in running:
            os.killpg(item.process.pid, signal.SIGTERM)
            item.process.wait()


def _start(stages: list[str]) -> Running:
    log = Places(ROOT).logs / f"{stages[0].replace('/', '_').replace(':', '_')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pipeline.commands.repro_call", *stages]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, start_new_session=True,
                                   env=HUGE_PAGES | os.environ)
    return Running(stages, process, log)


def _finished(running: list[Running]) -> Iterator[Running]:
    """Take the stages that have ended out of `running`; say how the others get on."""
    for item in list(running):
        if item.process.poll() is None:
            if time.monotonic() - item.reported > REPORT_SECONDS:
                item.reported = time.monotonic()
                print(f"          {item.names}  {item.seconds:.0f} s  {item.last_line()}",
                      flush=True)
            continue
        running.remove(item)
        if item.process.returncode != 0:
            tail = "\n".join(item.log.read_text("utf-8", "replace").splitlines()[-25:])
            raise UserError(f"{item.names} failed; the end of {item.log}:\n{tail}\n"
                            f"mend the cause and run the same command again: what is done stays")
        yield item


def main() -> None:
    parser = argparse.ArgumentParser(description="Reproduce a suite, stages side by side.")
    parser.add_argument("params", nargs="?", default="params.yaml", type=Path,
                        help="the suite's params.yaml")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="stages side by side")
    parser.add_argument("--dry-run", action="store_true",
                        help="name the stages that would run, and run none")
    arguments = parser.parse_args()
    if arguments.jobs < 1:
        raise UserError(f"--jobs {arguments.jobs}: at least one stage must run at a time")
    # A terminated runner unwinds and ends its stages, as one interrupted by Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    suite = load_valid(arguments.params)
    pipeline_file = f"{suite.suite}dvc.yaml"
    started = time.monotonic()
    plan = make_plan(suite, pipeline_file)
    if arguments.dry_run:
        print("\n".join(plan.order()))
        return
    validate = suite.address("validate")
    if validate in plan.waits_for:  # it finds out whose code has changed
        run(Plan({validate: set()}, {validate: 1.0}), 1)
        plan = make_plan(suite, pipeline_file)
    if plan.waits_for:
        print(f"{len(plan.waits_for)} stages to run, {arguments.jobs} side by side; logs in "
              f"{suite.places.logs}", flush=True)
        run(plan, arguments.jobs)
        _settle(pipeline_file)
    _publish(suite)
    _summarise(suite, time.monotonic() - started)


def _settle(pipeline_file: str) -> None:
    """A plain `dvc repro`: it finds nothing to do, or does what the plan could not foresee."""
    command = [sys.executable, "-m", "dvc", "repro", "--quiet", pipeline_file]
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise UserError(f"'{shlex.join(command)}' failed after all stages had run; see above")


def _publish(suite: Suite) -> None:
    """Fill the tracking store; results are files already, so a store out of reach only warns."""
    from pipeline.tracking.publish import publish

    try:
        outcome = publish(suite)
    except UserError as error:
        print(f"warning: nothing was published for MLflow: {error}", file=sys.stderr)
        return
    for missing in outcome.missing:
        print(f"not published: {missing}")


def _summarise(suite: Suite, seconds: float) -> None:
    from pipeline.results.report import summary

    print(summary(suite))
    print(f"took {seconds:.0f} s")


if __name__ == "__main__":
    run_command(main)
