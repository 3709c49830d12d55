"""`unrolled repro`: a suite's stages side by side, then a summary.

DVC runs one stage at a time. This runner asks DVC for the graph and for what has changed, has each
stage whose predecessors are done run by a process of DVC (`pipeline/workflow/repro_call.py`), and
ends with a plain `dvc repro`, so the outcome is what DVC alone would have made; results do not
depend on the number of jobs. A call's output goes to a log of its own. Stages are forked from one
process that has imported their libraries (`pipeline/workflow/fork_server.py`).
"""

import functools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipeline import processes
from pipeline.errors import UserError
from pipeline.results.moved import moved
from pipeline.results.report import summary
from pipeline.running.memory import HUGE_PAGES
from pipeline.suite.checks import doubts, load_valid
from pipeline.suite.schema import Suite
from pipeline.tracking.publish import account, publish
from pipeline.tracking.store import CALM
from pipeline.workflow.calls import Call, start_call
from pipeline.workflow.dvc import read_graph
from pipeline.workflow.expected import expected_seconds
from pipeline.workflow.fork_server import fork_server
from pipeline.workflow.plan import Plan, needed_for, stale_stages
from pipeline.workflow.programs import OF_TRAININGS, require_git
from pipeline.workflow.progress import Progress, in_words, winner

_POLL_SECONDS = 0.1
# Of stages, where the user's environment does not say otherwise.
_ENVIRONMENT = HUGE_PAGES | CALM | {"OMP_NUM_THREADS": "1"}

StartCall = Callable[[list[str]], Call]


def reproduce(params: Path, jobs: int, dry_run: bool = False, track: str | None = None) -> None:
    """Bring a suite up to date, `jobs` stages side by side, and say what came out.

    `dry_run` names the stages that would run and runs none. `track` limits the run to one track:
    its leaderboard and what that needs. Raises UserError when a stage fails.
    """
    if jobs < 1:
        raise UserError(f"--jobs {jobs}: at least one stage must run at a time")
    if not dry_run:
        require_git(OF_TRAININGS)
    suite = load_valid(params)
    for doubt in doubts(suite):
        print(f"warning: {params}: {doubt}", file=sys.stderr)
    if track is not None:
        suite = _only(suite, track)
    started = time.monotonic()
    plan = make_plan(suite, track)
    if dry_run:
        order = plan.order()
        print("\n".join(order))
        if len(order) > 1 and suite.address("validate") in order:
            print("note: which of the others have to run is known when validate has",
                  file=sys.stderr)
        return
    _bring_up_to_date(suite, plan, jobs, track)
    _publish(suite, track)
    print(summary(suite) if track is None else f"\n{winner(suite, track)}\n"
          f"Leaderboard: {suite.places.page(track).relative_to(suite.places.root)}")
    if line := moved(suite):
        print(line)
    print(f"took {time.monotonic() - started:.0f} s")


def make_plan(suite: Suite, track: str | None = None) -> Plan:
    """What has to run, from DVC's graph and status; empty when everything is up to date."""
    file = suite.places.pipeline
    if not file.is_file():
        raise UserError(f"{file} does not exist, and says which stages a suite has; put a copy of "
                        "the project's own dvc.yaml there")
    graph = read_graph(suite.places.root, _pipeline_file(suite))
    wanted = "validate" if track is None else f"leaderboard@{track}"
    if not any(stage.rpartition(":")[2] == wanted for stage in graph.needs):
        raise UserError(f"{file} has no stage {wanted}; put a copy of the project's own dvc.yaml "
                        "there")
    stale = stale_stages(graph.needs, graph.changed)
    if track is not None:
        stale &= needed_for(graph.needs, [suite.address("leaderboard", track)])
    return Plan({name: graph.needs[name] & stale for name in stale},
                {name: expected_seconds(suite, name) for name in stale})


def run(plan: Plan, jobs: int, start: StartCall, progress: Progress) -> None:
    """Run the plan's stages, at most `jobs` at once. Raises UserError when a stage fails."""
    done: set[str] = set()
    calls: list[Call] = []
    try:
        while len(done) < len(plan.waits_for):
            _fill(calls, plan, done, jobs, start)
            time.sleep(_POLL_SECONDS)
            progress.follow(calls)
            for call in [call for call in calls if call.process.poll() is not None]:
                calls.remove(call)
                if call.process.returncode != 0:
                    progress.follow([call])
                    raise UserError(call.failure())
                progress.finish(call)
                done.update(call.stages)
    finally:
        processes.end(call.process for call in calls)


def _fill(calls: list[Call], plan: Plan, done: set[str], jobs: int, start: StartCall) -> None:
    """Start calls until `jobs` are running or no stage can start."""
    started = done | {stage for call in calls for stage in call.stages}
    for stage in plan.ready(done, started)[: jobs - len(calls)]:
        if stage not in started:
            stages = plan.call(stage, done, started, jobs)
            started.update(stages)
            calls.append(start(stages))


def _bring_up_to_date(suite: Suite, plan: Plan, jobs: int, track: str | None) -> None:
    places = suite.places
    validate = suite.address("validate")
    if validate in plan.waits_for:  # it finds out whose code has changed
        first = Plan({validate: set()}, {validate: plan.seconds[validate]})
        start = functools.partial(start_call, places.root, places.logs, environment=_environment())
        run(first, 1, start, Progress(suite, first, 1))
        plan = make_plan(suite, track)
    if not plan.waits_for:
        return
    progress = Progress(suite, plan, jobs)
    print(f"{len(plan.waits_for)} stages to run, {jobs} side by side, "
          f"{in_words(progress.seconds_left())}; logs in {places.logs}", flush=True)
    carry_out(places.root, places.logs, plan, progress,
              _pipeline_file(suite) if track is None else suite.address("leaderboard", track))


def carry_out(root: Path, logs: Path, plan: Plan, progress: Progress, target: str) -> None:
    """Run a plan's stages from a fork server, and what they have left over of `target`."""
    environment = _environment()
    with fork_server(root, environment) as server:
        run(plan, progress.jobs, functools.partial(
            start_call, root, logs, environment=environment, server=server), progress)
    _settle(root, target)


def _environment() -> dict[str, str]:
    return {**_ENVIRONMENT, **os.environ}


def _only(suite: Suite, track: str) -> Suite:
    """The part of a suite that is about one track. Raises UserError for an unknown one."""
    entry = suite.track(track)
    return suite.model_copy(update={
        "tracks": {track: entry}, "corpora": {entry.corpus: suite.corpora[entry.corpus]},
        "systems": {key: suite.systems[key] for key in suite.systems_of(track)},
        "claims": [claim for claim in suite.claims if claim.track == track]})


def _pipeline_file(suite: Suite) -> str:
    return suite.places.pipeline.relative_to(suite.places.root).as_posix()


def _settle(root: Path, target: str) -> None:
    """A `dvc repro`: it finds nothing to do, or does what the plan could not foresee."""
    command = [sys.executable, "-m", "pipeline.workflow.repro_call", "--settle", target]
    if processes.run(command, cwd=root).returncode != 0:
        raise UserError(f"'dvc repro {target}' failed after all stages had run; see above")


def _publish(suite: Suite, track: str | None) -> None:
    """Fill the tracking store; results are files already, so a store out of reach only warns."""
    try:
        outcome = publish(suite, track)
    except UserError as error:
        print(f"warning: nothing was published for MLflow: {error}", file=sys.stderr)
        return
    if outcome.missing:
        print("\n".join(account(suite, outcome)))
