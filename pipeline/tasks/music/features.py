"""Features of a music track: piano rolls.

`fit/` gets the rolls of training and validation pieces, and in `spec.json` what a system needs to
know of the training split: the lowest and the highest key that sounds, the number of predicted
steps, and the chords that pieces open with. `test/` gets the test rolls, the items, and the score
of the generating process where there is one.
"""

from pathlib import Path
from types import ModuleType

import numpy as np

from pipeline.entries import FeatureSettings
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.files import write_json
from pipeline.tasks.music.shared.items import Item, item_of, write_items
from pipeline.tasks.music.shared.rolls import Roll, roll_of, write_rolls


class Settings(FeatureSettings):
    """No options: a piece is a piano roll on the corpus's own grid."""

    READS = ("pieces",)


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError naming what of the corpus cannot be used."""
    train, valid, tested = (reader.pieces(corpus, split) for split in ("train", "valid", "test"))
    rolls = [roll_of(piece.steps) for piece in train]
    write_json(fit / "spec.json", _spec(rolls, [piece.steps[0] for piece in train]))
    write_rolls(fit, "train", rolls)
    write_rolls(fit, "valid", [roll_of(piece.steps) for piece in valid])
    test_rolls = [roll_of(piece.steps) for piece in tested]
    write_rolls(test, "test", test_rolls)
    items = [item_of(piece.id, roll) for piece, roll in zip(tested, test_rolls, strict=True)]
    write_items(test, items)
    write_clusters(test, alone(item.id for item in items))
    write_json(test / "ceiling.json", _ceiling([piece.nats for piece in tested], items))


def _spec(rolls: list[Roll], openings: list[list[int]]) -> dict:
    sounding = np.flatnonzero(np.concatenate(rolls).any(axis=0))
    lowest, highest = (int(sounding[0]), int(sounding[-1])) if len(sounding) else (0, 0)
    return {"lowest_key": lowest, "highest_key": highest,
            "predicted_steps": sum(len(roll) - 1 for roll in rolls),
            "openings": sorted({tuple(chord) for chord in openings if chord})}


def _ceiling(nats: list[list[float] | None], items: list[Item]) -> dict[str, float]:
    """What the generating process itself scores; nothing where it is not known."""
    known = [np.array(values) for values in nats if values is not None]
    if len(known) < len(nats):
        return {}
    every = np.concatenate(known)
    changes = np.concatenate([values[item.changes]
                              for values, item in zip(known, items, strict=True)])
    return {"nll": float(every.mean()),
            **({"nll_changes": float(changes.mean())} if len(changes) else {})}
