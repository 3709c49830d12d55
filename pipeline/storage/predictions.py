"""Predictions: what a system says about each test item, one JSON object a line, gzipped.

Scores are computed from these files alone, by whoever holds the corpus. A prediction therefore
carries the item's id and the system's answer, and never the reference.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.storage.files import read_gzip_lines, write_gzip_lines

Prediction = dict[str, Any]


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
    """Read predictions. Raises UserError naming the line that is not a prediction."""
    found = []
    for number, line in enumerate(read_gzip_lines(path), start=1):
        try:
            prediction = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}, line {number}: not valid JSON ({error.msg})") from None
        if not isinstance(prediction, dict) or "id" not in prediction:
            raise UserError(f"{path}, line {number}: a prediction is an object with an 'id'")
        found.append(prediction)
    return found


def aligned(predictions: list[Prediction], ids: list[str]) -> list[Prediction]:
    """Put predictions in the order of the test items' `ids`.

    Raises UserError when an item has no prediction or a prediction no item, so that a score is
    never computed over a part of the test set in silence.
    """
    by_id = {prediction["id"]: prediction for prediction in predictions}
    missing = [identity for identity in ids if identity not in by_id]
    unknown = sorted(set(by_id) - set(ids))
    if missing or unknown:
        example = (missing or unknown)[0]
        raise UserError(f"predictions do not fit the test set: {len(missing)} items without a "
                        f"prediction, {len(unknown)} predictions without an item, for example "
                        f"{example!r}; evaluate the system again on this corpus")
    return [by_id[identity] for identity in ids]
