"""A tiny translation task for the tests: the target is the source backwards, in other words."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.corpora.kinds import SentencePair
from pipeline.tasks.translation.features import Settings, extract
from pipeline.tasks.translation.shared.translator import Translator
from pipeline.tasks.translation.systems.attention import AttentionTranslator
from pipeline.tasks.translation.systems.fixed_vector import FixedVectorTranslator

DICTIONARY = {"one": "uno", "two": "dos", "three": "tres", "four": "cuatro", "five": "cinco"}
HYPER_PARAMETERS: dict[str, Any] = {
    "track": "toy", "cell": "lstm", "embedding": 12, "hidden": 10,
    "encoder_layers": 1, "dropout": 0.0, "word_dropout": 0.0, "label_smoothing": 0.1,
    "batch_tokens": 200,
    "training": {"epochs": 15, "optimizer": "adam", "learning_rate": 0.01, "schedule": "cosine",
                 "warmup_steps": 0, "weight_decay": 0.0, "gradient_clip": 1.0, "patience": 0},
    "variants": {"greedy": {"beam": 1, "length_normalisation": 0.0},
                 "beam": {"beam": 4, "length_normalisation": 1.0}}}


def toy_pairs(split: str) -> list[SentencePair]:
    seed, count, shortest, longest = {"train": (1, 400, 1, 7), "val": (2, 30, 1, 7),
                                      "test": (3, 30, 1, 7), "long": (4, 5, 21, 24)}[split]
    generator = np.random.default_rng(seed)
    pairs = []
    for number in range(count):
        words = generator.choice(list(DICTIONARY), generator.integers(shortest, longest)).tolist()
        pairs.append(SentencePair(f"{split}-{number}", " ".join(words),
                                  " ".join(DICTIONARY[word] for word in reversed(words)),
                                  cluster=f"{split}-{number}"))
    return pairs


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features (`fit` and `test`) of the toy task."""
    directory = tmp_path_factory.mktemp("toy")
    reader = SimpleNamespace(pairs=lambda corpus, split, source, target: toy_pairs(split))
    settings = Settings(source="en", target="es", train="train", valid="val",
                        tests={"test": "test", "long": "long"}, pieces="unigram", vocabulary=30,
                        joint=False, generated=True)
    extract(settings, directory, reader, directory / "fit", directory / "test")
    return directory


@pytest.fixture
def make_system() -> Callable[..., Translator]:
    """A freshly initialised system: make_system("attention", cell="gru-torch", spec={...})."""
    def make(model: str, spec: dict[str, Any] | None = None, **changes: Any) -> Translator:
        system = AttentionTranslator if model == "attention" else FixedVectorTranslator
        settings = HYPER_PARAMETERS | {"model": model} | changes
        if model == "attention":
            settings = {"attention": "general"} | settings
        torch.manual_seed(5)
        spec = spec or {"source_vocabulary": 15, "target_vocabulary": 12, "joint": False}
        return system(system.settings_class().model_validate(settings), spec)
    return make
