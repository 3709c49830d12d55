"""Features of an addition track: bits from the least significant end, as one adds by hand.

`fit/` gets pairs and sums of the training and validation splits, `test/` pairs alone, with
everything readable in `items.json` (id, both numbers, their sum, and whether numbers as long are in
the training split).
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from pydantic import Field

from pipeline.corpora.binary_addition import Addition
from pipeline.entries import FeatureSettings
from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.tasks.addition.shared.storage import write_pairs, write_sums


class Settings(FeatureSettings):
    """The `features` of an addition track."""

    bits: int = Field(ge=1, description="bits of the longest numbers that a system can be given")


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError naming a sum with too many bits."""
    splits = {split: reader.additions(corpus, split) for split in ("train", "valid", "test")}
    for split, sums in splits.items():
        for item in sums:
            if len(item.first) > settings.bits:
                raise UserError(f"sum {item.id} has numbers of {len(item.first)} bits; raise "
                                f"features.bits, now {settings.bits}, to have room for them")
        directory = test if split == "test" else fit
        write_pairs(directory, split, *_columns(sums, settings.bits))
        if split != "test":
            write_sums(directory, split, _least_first([item.sum for item in sums],
                                                      settings.bits + 1))
    trained = max(len(item.first) for item in splits["train"])
    write_json(fit / "spec.json", {"bits": settings.bits, "trained": trained})
    write_json(test / "items.json", [
        {"id": item.id, "first": item.first, "second": item.second, "sum": item.sum,
         "trained": len(item.first) <= trained} for item in splits["test"]])
    write_json(test / "ceiling.json", dict.fromkeys(
        ("exact_64", "exact_32", "exact_16", "exact_8", "exact_trained"),
        reader.ceiling(corpus, "test")))


def _columns(sums: Sequence[Addition], bits: int) -> tuple[np.ndarray, np.ndarray]:
    numbers = [_least_first([getattr(item, name) for item in sums], bits + 1)
               for name in ("first", "second")]
    return np.stack(numbers, axis=-1), np.array([len(item.first) for item in sums])


def _least_first(numbers: Sequence[str], width: int) -> np.ndarray:
    """Bits [numbers, width] from the least significant one, zeros behind the most significant."""
    return np.array([[int(bit) for bit in number[::-1].ljust(width, "0")] for number in numbers],
                    np.uint8)
