"""A row's version: one name for all settings and all code that its scores come from.

Trainings of one row that differ in nothing but their seed are told by it from trainings of another
time, which must not be counted among them. It is the hash of what the stages behind the row are
made from, the corpus included, and holds no hash of data: those differ from machine to machine in
last digits, and every machine must find the same version for the same commit.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# What changes no answer, by stage: the seed, by which trainings of a version are told apart, how
# often items are drawn for an interval, and how many settings somebody has compared.
_NO_PART: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "train": {"run": ("seed",)},
    "evaluate": {"": ("seed", "resamples", "settings_tried")}}


def row_version(inputs: Mapping[str, Mapping[str, Any]]) -> str:
    """16 hexadecimal digits, from `settings` and `code` of the stages behind a row, by stage."""
    said = {stage: {"settings": _deciding(stage, content["settings"]), "code": content["code"]}
            for stage, content in inputs.items()}
    text = json.dumps(said, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def _deciding(stage: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(settings)
    for part, names in _NO_PART.get(stage, {}).items():
        if part:
            kept[part] = _without(kept[part], names)
        else:
            kept = _without(kept, names)
    return kept


def _without(settings: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in names}
