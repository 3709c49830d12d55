"""Figures of a fitted recogniser, drawn twice: nothing in them may change from run to run."""

from pathlib import Path

from pipeline.systems.base import System
from pipeline.tasks.asr import figures


def drawn_twice(system: System, test: Path, folder: Path) -> list[str]:
    """The names of all that is drawn into `folder`, once it was drawn again and was the same."""
    answers = {name: list(system.predict(test, variant))
               for name, variant in system.settings.variants.items()}
    again = folder.with_name("again") / folder.name  # figures are called by their folder
    for place in (folder, again):
        place.mkdir(parents=True)
        figures.draw(system, answers, test, place)
    written = sorted(path.name for path in folder.iterdir())
    assert written == sorted(path.name for path in again.iterdir())
    for name in written:
        assert (folder / name).read_bytes() == (again / name).read_bytes()
    return written
