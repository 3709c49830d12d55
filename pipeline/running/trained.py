"""A system of a suite that must have been trained, or the command that trains it."""

from pathlib import Path

from pipeline.errors import UserError
from pipeline.suite.messages import nearest
from pipeline.suite.schema import Suite


def key_of(suite: Suite, row: str) -> tuple[str, str]:
    """System and variant behind a row, or a system's first variant.

    Raises UserError with the nearest known name when the suite has no such row.
    """
    known: dict[str, tuple[str, str]] = {}
    for key in suite.systems:
        rows = suite.rows_of(key)
        known |= {key: (key, next(iter(rows)))} | {name: (key, variant)
                                                   for variant, name in rows.items()}
    if row not in known:
        raise UserError(f"no row {row!r}{nearest(row, list(known))}")
    return known[row]


def suite_option(suite: Suite) -> str:
    """What a command line needs to mean this suite: nothing, or ' --suite NAME'."""
    return f" --suite {suite.name}" if suite.suite else ""


def trained_folder(suite: Suite, key: str) -> Path:
    """The folder of a trained system. Raises UserError naming what makes or brings it."""
    folder = suite.places.model(key)
    if folder.is_dir():
        return folder
    raise UserError(f"{key} is not trained here: 'unrolled repro{suite_option(suite)} --track "
                    f"{suite.track_of(key)}' trains it, 'dvc pull "
                    f"{folder.relative_to(suite.places.root)}' brings it from a DVC remote")
