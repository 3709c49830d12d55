"""A tiny captioning task: a bright square on the left or right of a dark picture, red or blue."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.corpora.kinds import CaptionedPicture
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.caption.features import Settings, extract
from pipeline.tasks.caption.shared.captioner import Captioner
from pipeline.tasks.caption.systems.attention import AttentionCaptioner
from pipeline.tasks.caption.systems.recurrent import RecurrentCaptioner
from pipeline.tasks.caption.systems.retrieval import Retrieval

SIZES = {"train": 60, "valid": 8, "test": 8}
COLOURS = {"red": (250, 20, 20), "blue": (20, 20, 250)}
HYPER_PARAMETERS: dict[str, Any] = {
    "track": "toy", "cell": "lstm", "channels": [4, 6], "halvings": 2,
    "embedding": 7, "hidden": 9, "dropout": 0.0, "longest": 8, "batch_pictures": 10,
    "training": {"epochs": 40, "optimizer": "adam", "learning_rate": 0.02, "schedule": "cosine",
                 "warmup_steps": 0, "weight_decay": 0.0, "gradient_clip": 1.0, "patience": 0},
    "variants": {"greedy": {"beam": 1, "length_normalisation": 0.0},
                 "beam": {"beam": 3, "length_normalisation": 1.0}}}

RETRIEVAL = {"frequent": {"method": "frequent"},
             "pixels": {"method": "nearest", "space": "pixels", "neighbours": 1},
             "colours": {"method": "nearest", "space": "colours", "neighbours": 3}}


def captioned(directory: Path, split: str) -> list[CaptionedPicture]:
    """Pictures in `directory`; the sentences differ in their length and first word."""
    random = np.random.default_rng(sorted(SIZES).index(split))
    found = []
    for number in range(SIZES[split]):
        colour, side = str(random.choice(["red", "blue"])), str(random.choice(["left", "right"]))
        pixels = random.integers(0, 30, (8, 8, 3), np.uint8)
        column = int(random.integers(0, 2)) + (0 if side == "left" else 4)
        pixels[2:6, column : column + 3] = COLOURS[colour]
        path = directory / f"{split}-{number}.png"
        Image.fromarray(pixels).save(path)
        found.append(CaptionedPicture(path.stem, path, [
            f"A {colour} square, {side}.", f"{side} is a {colour} square", f"{colour} {side}",
            f"A {colour} square, {side}.", f"One {colour} square on the {side}!"]))
    return found


SETTINGS = Settings(side=8, min_count=1)


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the features' fit/ and test/."""
    folder = tmp_path_factory.mktemp("caption")
    extract(SETTINGS, folder, SimpleNamespace(captioned=captioned), folder / "fit",
            folder / "test")
    return folder


@pytest.fixture(scope="session")
def make_system(toy: Path) -> Callable[..., Captioner]:
    """A new system: make_system("attention", cell="elman")."""
    def make(model: str, **changes: Any) -> Captioner:
        own = {"sees": model, "summary": 11}
        if model == "attention":
            own = {"attention": "additive", "attention_hidden": 5, "asks": "before"}
        system = AttentionCaptioner if model == "attention" else RecurrentCaptioner
        torch.manual_seed(3)
        return system(system.settings_class().model_validate(
            HYPER_PARAMETERS | {"model": model} | own | changes), read_json(toy / "fit/spec.json"))
    return make


@pytest.fixture(scope="module")
def retrieval(toy: Path) -> Retrieval:
    found = Retrieval(Retrieval.settings_class().model_validate(
        {"track": "toy", "model": "retrieval", "cells": 4, "bins": 4,
         "variants": RETRIEVAL}), read_json(toy / "fit/spec.json"))
    found.fit(toy / "fit", Run(seed=1, work=toy))
    return found
