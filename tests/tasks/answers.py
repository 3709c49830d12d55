"""How tests of a task's `own` module ask a system: as `unrolled predict` does."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline.entries import VariantSettings
from pipeline.running.answering import Answering, load_folder
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import System
from pipeline.tasks.contract import OwnFile, Trained


def rows(own: ModuleType, system: System, fit: Path, *files: Path) -> list[dict[str, Any]]:
    """Rows of the answers to files; `fit` is the folder that the features stage wrote."""
    variant = next(iter(system.settings.variants.values()), None)
    answering = Answering(system, variant, Trained(system.spec, fit / ARTEFACTS), own)
    return list(answering.predict([str(file) for file in files]))


def rows_of(own: ModuleType, system: System, fit: Path, content: bytes | str,
            file: Path) -> list[dict[str, Any]]:
    """Rows of the answers to a file of that content."""
    return rows(own, system, fit, written(file, content))


def answers(system: System, files: Sequence[Path], folder: Path,
            variant: VariantSettings | str | None = None,
            artefacts: Path | None = None) -> list[dict[str, Any]]:
    """Rows of the answers to `files` of the copy of `system` that is saved in `folder`."""
    system.save(folder, artefacts)
    return list(load_folder(folder, variant).predict([str(file) for file in files]))


def written(path: Path, content: str | bytes) -> Path:
    """A file with this content and no other byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def predictions(own: ModuleType, system: System, variant: Any, artefacts: Path,
                files: list[Path], folder: Path) -> list[Prediction]:
    """What a system predicts from what `own` makes of files, without the items' ids."""
    own.prepare([OwnFile(str(file), file) for file in files], Trained(system.spec, artefacts),
                folder)
    return without_ids(system.predict(folder, variant))


def without_ids(found: Any) -> list[Prediction]:
    return [{name: value for name, value in item.items() if name != "id"} for item in found]
