"""Fit one system: settings, features and a seed go in, a fitted system and its curve come out.

What happens here is all that a trained model depends on; where it is saved, what it has cost and
who watches is decided elsewhere (`pipeline.running.fitting`), so a change there trains nothing
again.
"""

from pathlib import Path
from typing import Any

import torch

from pipeline.entries import SystemSettings
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.shapes import read_shaped
from pipeline.systems.base import Curve, Run, System, system_class


def fit_system(task: str, settings: SystemSettings, data: Path, run: Run) -> tuple[System, Curve]:
    """Fit a new system on `data` (the features' `fit` folder)."""
    torch.manual_seed(run.seed)
    spec = read_shaped(data / "spec.json", dict[str, Any])
    system = system_class(task, settings.model)(settings, spec)
    system.artefacts = data / ARTEFACTS
    return system, system.fit(data, run)
