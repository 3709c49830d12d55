"""The trainings behind a leaderboard row, each with its statistics of the test items.

Claims and ranks are about systems, not about one lucky training of each, so they ask here for all
trainings that there are of a row's present version.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import UserError
from pipeline.scoring.scores import ItemStatistics
from pipeline.suite.schema import Suite


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


def trainings_of(suite: Suite, track: str, row: str) -> Trainings:
    """What has been measured of a row. Raises UserError where it has not been evaluated."""
    key, variant = place_of(suite, track, row)
    path = suite.places.items(track, key, variant)
    if not path.exists():
        raise UserError(f"{path} does not exist; run 'dvc repro {suite.address('evaluate', key)}'")
    return Trainings(row, key, [suite.seed], [ItemStatistics.read(path)],
                     "training" not in suite.systems[key])


def place_of(suite: Suite, track: str, row: str) -> tuple[str, str]:
    """System and variant of a leaderboard row. Raises UserError for a row that nothing gives."""
    for key in suite.systems_of(track):
        for variant, name in suite.rows_of(key).items():
            if name == row:
                return key, variant
    raise UserError(f"no system of track {track!r} gives a row {row!r}; mend the claim")
