"""Features of an addition track: bits from the least significant end, as one adds by hand.

`fit/` gets pairs and sums of the training and validation splits, `test/` pairs alone, with
everything readable in `items.json` (id, both numbers, their sum, and whether numbers as long are in
the training split).
"""

from pathlib import Path
from types import ModuleType

from pydantic import Field

from pipeline.entries import FeatureSettings
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.files import write_json
from pipeline.tasks.addition.shared.storage import (
    columns,
    least_first,
    write_pairs,
    write_sums,
)


class Settings(FeatureSettings):
    """The `features` of an addition track."""

    READS = ("additions", "ceiling")

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
        pairs = [(item.first, item.second) for item in sums]
        write_pairs(directory, split, *columns(pairs, settings.bits))
        if split != "test":
            write_sums(directory, split, least_first([item.sum for item in sums],
                                                     settings.bits + 1))
    trained = max(len(item.first) for item in splits["train"])
    write_json(fit / "spec.json", {"bits": settings.bits, "trained": trained})
    write_json(test / "items.json", [
        {"id": item.id, "first": item.first, "second": item.second, "sum": item.sum,
         "trained": len(item.first) <= trained} for item in splits["test"]])
    write_clusters(test, alone(item.id for item in splits["test"]))
    write_json(test / "ceiling.json", dict.fromkeys(
        ("exact", "exact_64", "exact_32", "exact_16", "exact_8", "exact_trained"),
        reader.ceiling(corpus, "test")))
