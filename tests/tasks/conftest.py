"""Every picture that a test of a task draws is looked at, with whatever it was drawn from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from pipeline.drawing import saving
from tests.drawn import faults


@pytest.fixture(autouse=True)
def _pictures_have_no_faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    found: dict[str, list[str]] = {}
    write = saving.save_png

    def inspected(figure: Figure, path: Path, **how: Any) -> None:
        if wrong := faults(figure):
            found[path.name] = wrong
        write(figure, path, **how)

    monkeypatch.setattr(saving, "save_png", inspected)
    yield
    assert not found, "\n".join(f"{name}: {fault}" for name, wrong in found.items()
                                for fault in wrong)
