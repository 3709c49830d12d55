"""Fit one system of a suite: what the train stage and the seed study both call.

Quality and cost leave by separate files. A model depends on settings, data and code alone, so
equal work gives equal bytes; seconds, processor, git commit and version hashes differ from run to
run and stand with the costs.
"""

import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pipeline.config import Suite, SystemSettings
from pipeline.costs import limited_threads, measured, processor
from pipeline.files import read_json, write_json
from pipeline.system import Run, System, system_class
from pipeline.version import system_version
from pipeline.work import FULL_PRECISION, chosen_precision, elapsed_seconds


def train_system(suite: Suite, root: Path, key: str, seed: int, model: Path, cost: Path,
                 logger: Any = None) -> System:
    """Fit the system `key` with `seed` and save it in `model`, its cost in the file `cost`."""
    settings = suite.system(key)
    version = system_version(root, suite, key, seed)
    work = root / "work" / f"{key}-{version.hash}"
    data = root / suite.directory / "features" / settings.track / "fit"
    system = _new_system(settings, data, seed)
    earlier = elapsed_seconds(work)
    with limited_threads(suite.threads), measured() as measures:
        curve = system.fit(data, Run(seed, work, suite.threads, suite.device, suite.precision,
                                     earlier, logger))
    system.save(model)
    write_json(model / "record.json", {"parameters": system.parameters_count, "curve": curve})
    measures["seconds"] = round(measures["seconds"] + earlier, 2)
    write_json(cost, {**measures, "threads": suite.threads, "processor": processor(suite.device),
                      "precision": chosen_precision(work) or FULL_PRECISION,
                      "version": asdict(version), **_git_state(root)})
    _remove_older_work(work, key)
    return system


def _remove_older_work(work: Path, key: str) -> None:
    """Drop checkpoints of other versions; this one's stay, should the stage be killed hereafter."""
    for folder in work.parent.glob(f"{key}-*"):
        if folder != work and len(folder.name) == len(work.name):
            shutil.rmtree(folder)


def _new_system(settings: SystemSettings, data: Path, seed: int) -> System:
    torch.manual_seed(seed)
    return system_class(settings.task, settings.model)(settings, read_json(data / "spec.json"))


def _git_state(root: Path) -> dict[str, str | bool | None]:
    """The commit, None outside a repository, and whether code or settings differ from it."""
    command = ["git", "-C", str(root)]
    head = subprocess.run([*command, "rev-parse", "HEAD"], capture_output=True, text=True)
    if head.returncode != 0:
        return {"commit": None, "uncommitted_changes": False}
    status = subprocess.run([*command, "status", "--porcelain", "--", "pipeline", "stages",
                             ":(glob)**/params.yaml"], capture_output=True, text=True)
    return {"commit": head.stdout.strip(), "uncommitted_changes": bool(status.stdout)}
