"""Features of a trajectory track: paths as arrays, and the unit of each coordinate.

`fit/` gets whole paths of the training and validation splits, `test/` start states to read and,
for scoring, whole paths. A coordinate's unit is its standard deviation over all training paths,
behind their starts.
"""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np

from pipeline.entries import FeatureSettings
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.arrays import write_array
from pipeline.storage.files import write_json
from pipeline.tasks.trajectory.shared.starts import write_starts


class Settings(FeatureSettings):
    """The `features` of a trajectory track."""

    READS = ("trajectories", "ceiling", "COORDINATES")

    machine: Literal["pendulum", "arm"]

    def reader_problems(self, reader: ModuleType) -> Iterator[str]:
        yield from super().reader_problems(reader)
        known = list(getattr(reader, "COORDINATES", {}))
        if known and self.machine not in known:
            yield f"machine: no machine {self.machine!r}; known: {', '.join(known)}"


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError for splits of other times and for still paths."""
    machine = settings.machine
    splits = {split: reader.trajectories(corpus, machine, split)
              for split in ("train", "valid", "test")}
    times = splits["train"][0].times
    for split, paths in splits.items():
        if not np.array_equal(paths[0].times, times):
            raise UserError(f"{corpus}: the {machine}'s {split} split has other times than the "
                            "training split; generate the corpus again")
    states = {split: np.stack([path.states for path in paths]) for split, paths in splits.items()}
    scale = states["train"][:, 1:].std(axis=(0, 1))
    if not (scale > 0).all():
        raise UserError(f"{corpus}: a coordinate of the {machine} never changes in the training "
                        "split; remove it or generate the corpus again")
    for split, directory in (("train", fit), ("valid", fit), ("test", test)):
        write_array(directory / f"{split}.npy", states[split])
    write_json(fit / "spec.json", {
        "coordinates": list(reader.COORDINATES[machine]), "steps": len(times) - 1,
        "times": times.tolist(), "mean": states["train"][:, 1:].mean(axis=(0, 1)).tolist(),
        "scale": scale.tolist()})
    write_starts(test, states["test"][:, 0])
    write_json(test / "items.json", {
        "ids": [path.id for path in splits["test"]], "times": times.tolist(),
        "coordinates": list(reader.COORDINATES[machine]), "scale": scale.tolist()})
    write_clusters(test, alone(path.id for path in splits["test"]))
    write_json(test / "ceiling.json", dict.fromkeys(
        ("nrmse", "nrmse_early", "nrmse_late"), reader.ceiling(corpus, machine, "test")))
