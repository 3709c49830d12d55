"""Choose a variant's settings: `unrolled choose SYSTEM:VARIANT NAME=A,B ...`.

How a trained system answers has settings too (a cache's weight, say), and those are chosen on
validation data as well. The command scores every combination of the given values there and names
the best; settings that are not given stay as they are in params.yaml. Test data is not touched.
"""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from pipeline.entries import VariantSettings
from pipeline.errors import UserError
from pipeline.running.sealed import checked_fit
from pipeline.running.trained import trained_folder
from pipeline.suite.messages import describe, nearest
from pipeline.suite.schema import Suite, load


def combinations(suite: Suite, row: str,
                 values: Sequence[str]) -> Iterator[tuple[str, VariantSettings]]:
    """Each combination of `values` ('NAME=A,B') as text and as the variant's settings.

    Raises UserError when the suite has no such row or the variant no such setting or value.
    """
    rows = {name: (key, variant) for key in suite.systems
            for variant, name in suite.rows_of(key).items() if variant}
    if row not in rows:
        raise UserError(f"no row {row!r}{nearest(row, list(rows))}")
    key, variant = rows[row]
    known = suite.system(key).variants[variant]
    names, choices = [], []
    for item in values:
        name, separator, listed = item.partition("=")
        if not separator:
            raise UserError(f"{item!r}: expected NAME=A,B, a setting and the values to compare")
        if name in names:
            raise UserError(f"{name} is given twice; list all its values once: {name}=A,B")
        names.append(name)
        choices.append(listed.split(","))
    for chosen in itertools.product(*choices):
        changes = dict(zip(names, map(number_or_word, chosen), strict=True))
        try:
            settings = type(known).model_validate(known.model_dump() | changes)
        except ValidationError as error:
            raise UserError("; ".join(describe(error, type(known), row))) from None
        yield "  ".join(f"{name}={value}" for name, value in changes.items()), settings


def number_or_word(text: str) -> int | float | str:
    """A value of a setting as a command line gives it."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def choose_settings(params: Path, row: str, values: Sequence[str],
                    items: int | None = None) -> Iterator[str]:
    """Lines with the validation loss of each combination of `values`, the best one last.

    Raises UserError when the row is unknown, not trained, or has no loss on validation data.
    """
    suite = load(params)
    found = list(combinations(suite, row, values))
    from pipeline.running.threads import limited_threads
    from pipeline.systems.base import system_class

    key = row.partition(":")[0]
    entry = suite.systems[key]
    kind = system_class(suite.task_of(key), entry["model"])
    if not hasattr(kind, "validation_loss"):
        raise UserError(f"{key} cannot be scored on validation data by variant")
    system = kind.load(trained_folder(suite, key))
    data = checked_fit(suite.places, entry["track"])
    scores = []
    with limited_threads(suite.threads):
        for text, settings in found:
            loss = system.validation_loss(data, settings, items)
            scores.append((loss, text))
            yield f"validation loss {loss:.5f}  {text}"
    yield f"best of {len(scores)}: {min(scores)[0]:.5f}  {min(scores)[1]}"
