"""What becomes of trainings of an earlier version: `unrolled spread --carry-over` and `--prune`.

Any change of code behind a row gives it another version, and what was measured of the earlier one
no longer counts. Most such changes alter no result. That is proved by the suite's own training:
where it came out with the same weights, answers and statistics of test items, to the last bit, as
the earlier version's record says, the trainings with other seeds would have, too, and are carried
over.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.commands.spread import differing, keep_own_records
from pipeline.provenance.inputs import make_seed_folders, read_row_version, write_inputs
from pipeline.results.trainings import is_deterministic, stated_version
from pipeline.running.trained import suite_option
from pipeline.scoring.records import SeedRecord
from pipeline.storage.files import write_bytes
from pipeline.storage.shapes import read_shaped
from pipeline.suite.places import Places
from pipeline.suite.schema import Suite


def carry_over(params: Path) -> Iterator[str]:
    """Carry earlier trainings over to the present version where nothing has changed.

    A line for each row that has any tells what was carried, or why not.
    """
    from pipeline.suite.checks import load_valid

    suite = load_valid(params)
    write_inputs(suite)
    for key in suite.systems:
        track = suite.track_of(key)
        version = read_row_version(suite.places, key)
        earlier = {row: found for variant, row in suite.rows_of(key).items()
                   if (found := _earlier(suite.places.row_seeds(track, key, variant), version))}
        if not earlier or is_deterministic(suite, key):
            continue
        if stated_version(suite, key) != version:
            yield (f"{key}: not carried over: its row is not of the present version; run 'unrolled "
                   f"repro{suite_option(suite)} --track {track}' first")
            continue
        keep_own_records(suite, [key])
        for variant, row in suite.rows_of(key).items():
            for folder in earlier.get(row, []):
                yield f"{row}: {_carry(suite, track, key, variant, folder)}"


def prune(params: Path) -> Iterator[str]:
    """Remove what `seeds/` holds of versions that no row has, a line each.

    A row has the version that its metrics file states, and that which it would have now.
    """
    from pipeline.suite.checks import load_valid

    suite = load_valid(params)
    write_inputs(suite)
    present = {suite.places.row_seeds(suite.track_of(key), key, variant) / version
               for key in suite.systems for variant in suite.rows_of(key)
               for version in (stated_version(suite, key), read_row_version(suite.places, key))
               if version}
    for folder in sorted(suite.places.all_seeds.glob("*/*/*/*")):
        if folder not in present:
            shutil.rmtree(folder)
            yield f"removed {folder.relative_to(suite.places.root).as_posix()}"
    for empty in sorted(suite.places.all_seeds.rglob("*"), reverse=True):
        if empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()
    make_seed_folders(suite)


def _earlier(folder: Path, version: str) -> list[Path]:
    return sorted(path for path in folder.glob("*")
                  if path.is_dir() and path.name != version and not path.name.startswith("."))


def _carry(suite: Suite, track: str, key: str, variant: str, earlier: Path) -> str:
    """Carry over what an earlier version has beyond the present one; what was done, in words."""
    places, version = suite.places, read_row_version(suite.places, key)
    own = places.seed_record(track, key, variant, version, suite.seed)
    if problem := _unproved(own, earlier / own.name):
        return f"version {earlier.name} not carried over: {problem}"
    seeds = sorted(int(path.stem) for path in earlier.glob("*.json")
                   if path.stem.isdecimal() and int(path.stem) != suite.seed)
    carried = [seed for seed in seeds if not places.seed_record(
        track, key, variant, version, seed).exists()]
    for seed in carried:
        _copy(places, track, key, variant, (earlier.name, version), seed)
    shutil.rmtree(earlier)
    return (f"seeds {', '.join(map(str, carried)) or 'none'} of version {earlier.name} carried "
            "over: weights, answers and statistics of the suite's own seed are the same")


def _unproved(own: Path, earlier: Path) -> str | None:
    """Why it is not proved that two versions train alike; None where it is."""
    if not own.exists():
        return "the suite's own model and predictions are not here"
    if not earlier.exists():
        return "it has no record of the suite's own training"
    now, before = (read_shaped(path, SeedRecord, "take the committed file back, or remove it")
                   for path in (own, earlier))
    found = differing(now, before)
    return f"the suite's own seed has other {' and other '.join(found)} now" if found else None


def _copy(places: Places, track: str, key: str, variant: str, versions: tuple[str, str],
          seed: int) -> None:
    """Copy a training from one version to another; the record last, as it was written."""
    for place in (places.seed_items, places.seed_record):
        before, now = (place(track, key, variant, version, seed) for version in versions)
        write_bytes(now, before.read_bytes())
