"""How tests let a system answer files of one's own: saved, and loaded from its folder alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.entries import VariantSettings
from pipeline.running.answering import load_folder
from pipeline.systems.base import System


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
