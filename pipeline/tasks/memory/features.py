"""Features of a memory track: input vectors as one stream a split, targets, and what is scored.

`fit/` gets training and validation sequences, `test/` the test sequences, `items.json` (id, lag,
target) and the score of who remembers everything. `spec.json` says how many features a step has
and, where the targets are classes, which there are; null where they are numbers. Its `layout` says
how a line of the corpus holds a sequence, so that a trained system reads further ones.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import numpy as np

from pipeline.corpora.twins.lagged import LaggedItem
from pipeline.entries import FeatureSettings
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.arrays import write_array
from pipeline.storage.files import write_json
from pipeline.tasks.memory.shared.storage import write_inputs


class Settings(FeatureSettings):
    """The `features` of a memory track: there is nothing to set."""

    READS = ("lagged", "ceiling")


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError for a class that training does not have."""
    splits: dict[str, list[LaggedItem]] = {
        split: reader.lagged(corpus, split) for split in ("train", "valid", "test")}
    train = splits["train"]
    classes = (sorted({str(item.target) for item in train})
               if isinstance(train[0].target, str) else None)
    write_json(fit / "spec.json", {"features": train[0].inputs.shape[1], "classes": classes,
                                   "layout": asdict(reader.layout(corpus))})
    for split, directory in (("train", fit), ("valid", fit), ("test", test)):
        write_inputs(directory, split, [item.inputs for item in splits[split]])
        write_array(directory / f"{split}.targets.npy", _targets(splits[split], classes))
    write_json(test / "items.json", [{"id": item.id, "lag": item.lag, "target": item.target}
                                     for item in splits["test"]])
    write_clusters(test, alone(item.id for item in splits["test"]))
    write_json(test / "ceiling.json", reader.ceiling())


def _targets(items: Sequence[LaggedItem], classes: list[str] | None) -> np.ndarray:
    """Numbers as float32, or ids of classes as int64."""
    if classes is None:
        return np.array([item.target for item in items], np.float32)
    for item in items:
        if item.target not in classes:
            raise UserError(f"sequence {item.id} has the answer {item.target!r}, which no "
                            f"training sequence has ({', '.join(classes)}); enlarge the corpus")
    return np.array([classes.index(str(item.target)) for item in items], np.int64)
