"""What the files and answers of every entrant must refuse: a bit, a byte or a value not theirs."""

import random
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.systems.base import System
from tests.damage import ODD, change_value, changed_values, cut_byte, files_in, flip_bit
from tests.trials import trials


def check_that_damage_is_found(kind: type[System], model: Path, folder: Path) -> None:
    """One bit flipped, one byte lost or one JSON value changed in each of a model's files."""
    chance = random.Random(model.name)
    for number, path in enumerate(files_in(model)):
        for damage in (flip_bit, cut_byte, *([change_value] if path.suffix == ".json" else [])):
            copy = shutil.copytree(model, folder / f"{number} {damage.__name__}")
            damage(copy / path.relative_to(model), chance)
            with pytest.raises(UserError, match=re.escape(str(path.relative_to(model)))):
                kind.load(copy)
            shutil.rmtree(copy)


def check_that_odd_answers_are_refused(score: Any, found: list[dict], test: Path) -> None:
    """One value of one prediction changed: refused, or an answer of the right kind.

    What a scorer does not read it cannot refuse: that is a key that may as well be missing.
    """
    chance = random.Random(0)

    def refused(item: int, prediction: Any) -> bool:
        try:
            statistics = score([*found[:item], prediction, *found[item + 1 :]], test)
        except UserError as error:
            assert repr(found[item]["id"]) in str(error) or prediction["id"] != found[item]["id"]
            return True
        assert all(np.isfinite(column).all() for column in statistics.columns.values())
        return False

    answered = [item for item, prediction in enumerate(found) if len(prediction) > 1]
    for _ in range(trials(6, 300)):
        item = chance.choice(answered)
        name = chance.choice([name for name in found[item] if name != "id"])
        read = refused(item, {key: found[item][key] for key in found[item] if key != name})
        changes = list(changed_values(found[item][name]))
        for change in [*changes[: len(ODD)], *chance.choices(changes, k=10)]:
            changed = change(found[item][name])
            other = json_kind(changed) is not json_kind(found[item][name])
            assert refused(item, {**found[item], name: changed}) or not (read and other), changed
    assert refused(0, {**found[0], "id": found[-1]["id"] + "?"})
    with pytest.raises(UserError, match="more than one prediction"):
        score([*found, found[-1]], test)


def json_kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)
