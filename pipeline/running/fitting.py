"""Fit one system of a suite: what the train stage and the seed study both call.

Quality and cost leave by separate files. A model depends on settings, data and code alone, so
equal work gives equal bytes; seconds, processor, git commit and version hashes differ from run to
run and stand with the costs.
"""

import shutil
import subprocess
from dataclasses import asdict
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, TypedDict

from pipeline.entries import SystemSettings
from pipeline.modules import model_module
from pipeline.provenance.inputs import read_settings, version_of
from pipeline.running.costs import measured, processor
from pipeline.running.sealed import checked_fit
from pipeline.running.threads import limited_threads
from pipeline.scoring.records import Cost
from pipeline.storage.files import write_json
from pipeline.storage.seal import seal
from pipeline.suite.places import Places
from pipeline.systems.base import Run, System
from pipeline.systems.fitting import fit_system
from pipeline.systems.model_folder import TRAINING
from pipeline.systems.network import Network
from pipeline.systems.resume import elapsed_seconds


def train_system(places: Places, key: str, out: Places, seed: int | None = None,
                 logger: Any = None) -> System:
    """Fit the system `key` of a validated suite; save model and cost where `out` has them.

    `seed` replaces that of the suite.
    """
    task, settings, run = _settings(places, key)
    seed = run["seed"] if seed is None else seed
    data = checked_fit(places, settings.track)
    version = version_of(places, key, seed)
    work = places.checkpoints(key, seed, version.hash)
    earlier = elapsed_seconds(work)
    with limited_threads(run["threads"]), measured() as measures:
        system, curve = fit_system(task, settings, data, Run(
            seed, work, run["threads"], run["device"], run["precision"], earlier, logger))
    model = out.model(key)
    system.save(model)
    precision = run["precision"] if isinstance(system, Network) else None
    write_json(model / TRAINING, {"parameters": system.parameters_count, "precision": precision,
                                  "curve": curve})
    seal(model)
    write_curve(out.curve(settings.track, key), curve)
    measures["seconds"] = round(measures["seconds"] + earlier, 2)
    cost: Cost = {
        **measures, "threads": run["threads"], "processor": processor(run["device"]),
        "precision": precision, "torch": installed_version("torch"), "version": asdict(version),
        **_git_state(places.root)}
    write_json(out.cost(settings.track, key, "train"), cost)
    _remove_older_work(work)
    return system


def _settings(places: Places, key: str) -> tuple[str, SystemSettings, dict[str, Any]]:
    """A system's task, its settings and, apart, those of the run that trains it.

    How a trained system answers does not concern its training, but is saved with it.
    """
    trained = read_settings(places, "train", key)
    run, task = trained.pop("run"), trained.pop("task")
    entry = read_settings(places, "evaluate", key)["system"] | trained
    return task, model_module(task, entry["model"]).Settings.model_validate(entry), run


def write_curve(path: Path, curve: list[dict[str, Any]]) -> None:
    """Show the curve to `dvc plots`, which reads a file for each; some systems have none."""
    if curve:
        write_json(path, curve)
    else:
        path.unlink(missing_ok=True)


def _remove_older_work(work: Path) -> None:
    """Drop this seed's checkpoints of other versions.

    This version's stay, should the stage be killed hereafter.
    """
    for folder in work.parent.glob("*"):
        if folder != work:
            shutil.rmtree(folder)


class _GitState(TypedDict):
    commit: str | None
    uncommitted_changes: bool


def _git_state(root: Path) -> _GitState:
    """The commit, None outside a repository, and whether code or settings differ from it."""
    command = ["git", "-C", str(root)]
    head = subprocess.run([*command, "rev-parse", "HEAD"], capture_output=True, text=True)
    if head.returncode != 0:
        return {"commit": None, "uncommitted_changes": False}
    status = subprocess.run([*command, "status", "--porcelain", "--", "pipeline", "stages",
                             ":(glob)**/params.yaml"], capture_output=True, text=True)
    return {"commit": head.stdout.strip(), "uncommitted_changes": bool(status.stdout)}
