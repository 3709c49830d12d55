"""Predictions: what a system says about each test item, one JSON object a line, gzipped.

Scores are computed from these files alone, by whoever holds the corpus. A prediction therefore
carries the item's id and the system's answer, and never the reference.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field

from pipeline.errors import UserError
from pipeline.storage.files import json_value, read_gzip_lines, write_gzip_lines
from pipeline.storage.shapes import shaped

Prediction = dict[str, Any]
# Finite, and so are its square and sums of such squares.
Number = Annotated[float, Field(ge=-1e150, le=1e150, allow_inf_nan=False)]
Kind = TypeVar("Kind")
_AGAIN = "evaluate the system again"


def write(path: Path, predictions: Iterable[Prediction]) -> None:
    """Write predictions in the order given; each needs a unique `id`, and NaN is refused."""
    seen: set[str] = set()

    def lines() -> Iterable[str]:
        for prediction in predictions:
            identity = prediction["id"]
            if identity in seen:
                raise ValueError(f"two predictions for item {identity!r}")
            seen.add(identity)
            yield json.dumps(prediction, ensure_ascii=False, sort_keys=True, allow_nan=False,
                             separators=(",", ":"))

    write_gzip_lines(path, lines())


def read(path: Path) -> list[Prediction]:
    """Read predictions. Raises UserError naming the line that is no prediction or a second one."""
    found: list[Prediction] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(read_gzip_lines(path), start=1):
        place = f"{path}, line {number}"
        try:
            prediction = json_value(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{place}: not valid JSON ({error.msg}); {_AGAIN}") from None
        if not isinstance(prediction, dict) or not isinstance(prediction.get("id"), str):
            raise UserError(f"{place}: a prediction is an object with an 'id', which is text; "
                            f"{_AGAIN}")
        first = lines.setdefault(prediction["id"], number)
        if first != number:
            raise UserError(f"{place}: item {prediction['id']!r} has a prediction in line {first} "
                            f"already; {_AGAIN}")
        found.append(prediction)
    return found


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
        twice, _ = Counter(prediction["id"] for prediction in predictions).most_common(1)[0]
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
