"""Predictions: what a system says about each test item, a row each of a Parquet file.

Scores are computed from these files alone, by whoever holds the corpus. A prediction therefore
carries the item's id and the system's answer, and never the reference. It is an object of JSON;
what a table asks of it beyond that is said in `storage.json_rows`.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pyarrow as pa
from pydantic import Field

from pipeline.errors import UserError
from pipeline.storage.json_rows import rows_of, table_of
from pipeline.storage.parquet import read_table, write_table
from pipeline.storage.shapes import shaped

Prediction = dict[str, Any]
# Finite, and so are its square and sums of such squares.
Number = Annotated[float, Field(ge=-1e150, le=1e150, allow_inf_nan=False)]
Kind = TypeVar("Kind")
_AGAIN = "evaluate the system again"
_NONE = pa.table({"id": pa.array([], pa.string())})


def write(path: Path, predictions: Iterable[Prediction]) -> None:
    """Write predictions in the order given; each needs an `id`, a text that no other has.

    Raises ValueError, and writes nothing, for NaN and whatever else a table cannot hold.
    """
    found = list(predictions)
    if not all(isinstance(prediction.get("id"), str) for prediction in found):
        raise ValueError("each prediction needs an 'id', which is text")
    identity, count = _most_common(prediction["id"] for prediction in found)
    if count > 1:
        raise ValueError(f"two predictions for item {identity!r}")
    write_table(path, table_of(found) if found else _NONE)


def read(path: Path) -> list[Prediction]:
    """Read predictions. Raises UserError naming a file that is damaged or holds none."""
    table = read_table(path, _AGAIN)
    if table.column_names[:1] != ["id"] or table.schema.field("id").type != pa.string() \
            or table.column("id").null_count:
        raise UserError(f"{path} holds no predictions: each has an 'id', which is text; {_AGAIN}")
    identity, count = _most_common(table.column("id").to_pylist())
    if count > 1:
        raise UserError(f"{path}: item {identity!r} has {count} predictions; {_AGAIN}")
    return rows_of(table)


def aligned(predictions: list[Prediction], ids: list[str]) -> list[Prediction]:
    """Put predictions in the order of the test items' `ids`.

    Raises UserError when an item has no prediction or two, or a prediction no item, so that a score
    is never computed over a part of the test set in silence.
    """
    by_id = {prediction["id"]: prediction for prediction in predictions}
    missing = [identity for identity in ids if identity not in by_id]
    unknown = sorted(set(by_id) - set(ids))
    if missing or unknown:
        example = (missing or unknown)[0]
        raise UserError(f"predictions do not fit the test set: {len(missing)} items without a "
                        f"prediction, {len(unknown)} predictions without an item, for example "
                        f"{example!r}; {_AGAIN} on this corpus")
    if len(by_id) < len(predictions):
        twice, _ = _most_common(prediction["id"] for prediction in predictions)
        raise UserError(f"item {twice!r} has more than one prediction; {_AGAIN}")
    return [by_id[identity] for identity in ids]


def answer_of(prediction: Prediction, name: str, kind: type[Kind]) -> Kind:
    """What a prediction has under `name`, which must be of that kind, as a type says it.

    Nothing is converted: a number as text is no number. Raises UserError naming the item.
    """
    place = f"prediction {prediction['id']!r} has no {name!r}"
    if name not in prediction:
        raise UserError(f"{place}; {_AGAIN}")
    return shaped(prediction[name], kind, f"{place} of the kind that its task asks for", _AGAIN)


def _most_common(ids: Iterable[str]) -> tuple[str, int]:
    """The id that stands there most often, and how often; nothing stands there 0 times."""
    return next(iter(Counter(ids).most_common(1)), ("", 0))
