"""Points that turn around the origin, extracted as a real corpus: a path of known form."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.corpora.trajectories import Trajectory
from pipeline.tasks.trajectory import features

SIZES = {"train": 60, "valid": 10, "test": 12}
TURN, STEPS = 0.3, 6


def trajectories(directory: Path, machine: str, split: str) -> list[Trajectory]:
    """Each state is the one before, turned by `TURN`, in a frame that is 10 times as wide."""
    random = np.random.default_rng(sorted(SIZES).index(split))
    angles = TURN * np.arange(STEPS + 1)
    turned = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = []
    for number in range(SIZES[split]):
        x, y = random.uniform(-1, 1, 2)
        states = np.stack([turned @ [x, -y], turned @ [y, x]], axis=1)
        found.append(Trajectory(f"{machine}-{split}-{number}", angles, states * [10, 1] + [3, 0]))
    return found


def reader(read=trajectories) -> SimpleNamespace:
    return SimpleNamespace(trajectories=read, COORDINATES={"arm": ("x", "y")},
                           ceiling=lambda directory, machine, split: 0.0)


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the features' fit/ and test/."""
    folder = tmp_path_factory.mktemp("trajectory")
    features.extract(features.Settings(machine="arm"), folder, reader(), folder / "fit",
                     folder / "test")
    return folder
