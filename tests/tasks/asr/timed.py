"""A recogniser that can be checked by ear: it hears TONE wherever a recording is loud.

It stands for a system that searches with a dictionary: it is loaded from a saved folder, reads the
frames that `own` has prepared, and answers with words and their times.
"""

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile
from torch import Tensor

from pipeline import modules
from pipeline.audio.frames import Frames
from pipeline.entries import SystemSettings, VariantSettings
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Run, System
from tests.tasks.asr.corpus import FEATURES, RATE

HOP = FEATURES["front_end"]["hop_ms"] / 1000
SPEC = {"dimension": 12, "symbols": ["A"], "mean": [0] * 12, "deviation": [1] * 12,
        "normalise": FEATURES["normalise"], "front_end": FEATURES["front_end"]}
LONGEST = 3.0  # seconds; a longer recording fails, when those before it have been answered
_NAME = "pipeline.tasks.asr.systems.timed"


class Settings(SystemSettings):
    """No hyper-parameters."""


class Timed(System):
    """A frame is loud whose largest log energy is above 0."""

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        return []

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        frames = Frames(data, "test")
        for index, item in enumerate(read_json(data / "test.items.json")):
            if len(frames[index]) * HOP > LONGEST:
                raise UserError(f"{item['id']} is too long")
            loud = np.concatenate([[False], frames[index].max(axis=1) > 0, [False]])
            begins, ends = np.flatnonzero(loud[1:] > loud[:-1]), np.flatnonzero(
                loud[1:] < loud[:-1])
            words = [{"word": "TONE", "begin": begin * HOP, "end": end * HOP,
                      "confidence": 0.1234567} for begin, end in zip(
                          begins.tolist(), ends.tolist(), strict=True)]
            yield {"id": item["id"], "hypothesis": " ".join(word["word"] for word in words),
                   "words": words}

    def tensors(self) -> Mapping[str, Tensor]:
        return {}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        pass

    @property
    def parameters_count(self) -> int:
        return 0


def install(patch: pytest.MonkeyPatch) -> type[System]:
    """Make this module a model of the task `asr`, called `timed`; its system's class."""
    spec = importlib.util.spec_from_file_location(_NAME, __file__)
    assert spec is not None and spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    patch.setitem(sys.modules, _NAME, module)
    spec.loader.exec_module(module)
    known = modules.models
    patch.setattr(modules, "models", lambda task: [*known(task), "timed"])
    return module.Timed  # type: ignore[no-any-return]


def save(system: type[System], folder: Path, **front_end: object) -> Path:
    settings = system.settings_class().model_validate({"track": "asr", "model": "timed"})
    spec = {**SPEC, "front_end": {**FEATURES["front_end"], **front_end}}
    system(settings, spec).save(folder)
    return folder


def record(path: Path, *tones: tuple[float, float], seconds: float = 1.0,
           rate: int = RATE) -> Path:
    """A silent recording with tones of 1000 Hz from one second to another."""
    time = np.arange(round(seconds * rate)) / rate
    loud = np.zeros(len(time), bool)
    for begin, end in tones:
        loud |= (begin <= time) & (time < end)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 1000 * time) * loud, rate)
    return path
