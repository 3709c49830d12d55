"""The trainings behind a leaderboard row, each with its statistics of the test items.

Claims and ranks are about systems, not about one lucky training of each, so they ask here for all
trainings that there are of a row's present version: the one that its metrics file states. The
suite's own seed lies in `predictions/`, further ones, which `unrolled spread` trains, in `seeds/`.
What another version has left there counts as not measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import TypedDict

from pipeline.errors import UserError
from pipeline.provenance.inputs import read_row_version, read_settings
from pipeline.provenance.lock import Lock
from pipeline.scoring.records import SeedRecord
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import ClaimSettings, Suite

_AGAIN = "take the committed file back, or remove it and run 'unrolled spread'"
_EVALUATE = "take the committed file back, or evaluate its system again"


@dataclass(frozen=True)
class Trainings:
    """A row's trainings: one for each of `seeds`, the suite's own seed first.

    Rows of the same `system` are answers of the same trained networks. A `deterministic` system
    comes out the same from every seed, so one training says all.
    """

    row: str
    system: str
    seeds: Sequence[int]
    statistics: Sequence[ItemStatistics]
    deterministic: bool


class _Stated(TypedDict):
    """What is read here of a metrics file."""

    version: str
    settings_tried: int


def trainings_of(suite: Suite, track: str, row: str) -> Trainings:
    """What has been measured of a row.

    Raises UserError where it has not been evaluated, and where a file of `seeds/` lacks, is
    damaged, or is about other test items.
    """
    key, variant = place_of(suite, track, row)
    path = suite.places.items(track, key, variant)
    if not path.exists():
        raise UserError(f"{path} does not exist; run 'dvc repro {suite.address('evaluate', key)}'")
    own = ItemStatistics.read(path)
    further = [seed for seed in records_of(suite, track, row) if seed != suite.seed]
    return Trainings(row, key, [suite.seed, *further],
                     [own, *(_further(suite, track, row, seed, own) for seed in further)],
                     is_deterministic(suite, key))


def records_of(suite: Suite, track: str, row: str) -> Mapping[int, SeedRecord]:
    """What is recorded of a row's trainings of its present version, by seed, in seeds' order.

    Raises UserError for a record of another shape.
    """
    key, variant = place_of(suite, track, row)
    version = stated_version(suite, key)
    if version is None:
        return {}
    folder = suite.places.row_seeds(track, key, variant) / version
    seeds = sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal())
    return {seed: read_shaped(suite.places.seed_record(track, key, variant, version, seed),
                              SeedRecord, _AGAIN) for seed in seeds}


def stated_version(suite: Suite, key: str) -> str | None:
    """The version of a system's rows, as its metrics file states it; None where there is none."""
    stated = _stated(suite, key)
    return stated["version"] if stated else None


def _stated(suite: Suite, key: str) -> _Stated | None:
    path = suite.places.metrics(suite.track_of(key), key)
    return read_shaped(path, _Stated, _EVALUATE) if path.exists() else None


def is_up_to_date(suite: Suite, key: str, lock: Lock) -> bool:
    """Whether settings and code of now are those that a system was trained and evaluated by.

    What draws a row's figures may have changed since: it makes no score.
    """
    if not lock.read(f"train@{key}", suite.places.input("train", key)):
        return False
    # A part of a suite may lack the system whose settings this one uses; `validate` has seen all.
    stated, told = _stated(suite, key), read_settings(suite.places, "evaluate", key)
    return (stated is not None and stated["version"] == read_row_version(suite.places, key)
            and stated["settings_tried"] == told["settings_tried"])


def is_deterministic(suite: Suite, key: str) -> bool:
    """Whether a system comes out the same from every seed, as all do that no gradient trains."""
    return "training" not in suite.systems[key]


def rows_named(claim: ClaimSettings) -> list[str]:
    """Every row whose trainings a claim is judged by."""
    contrast = [claim.contrast.better, claim.contrast.worse] if claim.contrast else []
    return list(dict.fromkeys([claim.better, *claim.worse, *contrast]))


def place_of(suite: Suite, track: str, row: str) -> tuple[str, str]:
    """System and variant of a leaderboard row. Raises UserError for a row that nothing gives."""
    for key in suite.systems_of(track):
        for variant, name in suite.rows_of(key).items():
            if name == row:
                return key, variant
    raise UserError(f"no system of track {track!r} gives a row {row!r}; mend the claim")


def _further(suite: Suite, track: str, row: str, seed: int, own: ItemStatistics) -> ItemStatistics:
    """Statistics of another seed, which must be about the same items as the suite's own."""
    key, variant = place_of(suite, track, row)
    version = stated_version(suite, key) or ""
    path = suite.places.seed_items(track, key, variant, version, seed)
    if not path.exists():
        raise UserError(f"{path} does not exist, and a record beside it tells of it; run "
                        "'unrolled spread', which trains that seed again")
    found = ItemStatistics.read(path)
    if (found.ids, found.groups, found.columns.keys()) != (own.ids, own.groups,
                                                           own.columns.keys()):
        raise UserError(f"{path} has statistics of other test items than the row's own; remove it "
                        "and run 'unrolled spread'")
    return found
