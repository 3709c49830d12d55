"""Two small corpora, extracted as real ones: numbers to add, symbols to recall."""

from pathlib import Path
from types import ModuleType

import pytest

from pipeline.corpora import adding, triggered_recall
from pipeline.tasks.memory import features

SIZES = {"seed": 2, "train": 400, "valid": 60, "test": 60, "lags": [1, 2, 4], "lead": 2}
CORPORA: dict[str, tuple[ModuleType, dict]] = {
    "adding": (adding, SIZES), "recall": (triggered_recall, {**SIZES, "symbols": 3})}


@pytest.fixture(scope="session")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder with the features' fit/ and test/ for each corpus."""
    folders = {}
    for name, (module, options) in CORPORA.items():
        folder = folders[name] = tmp_path_factory.mktemp(name)
        module.prepare(module.Settings(module=name, **options), folder / "data", None)
        features.extract(features.Settings(), folder / "data", module, folder / "fit",
                         folder / "test")
    return folders
