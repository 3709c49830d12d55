"""The test pieces as somebody would write them."""

import json
from pathlib import Path

from pipeline.storage.files import write_text
from pipeline.tasks.music.shared.rolls import Rolls, pitches_of


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """A file a piece; their names have the order of the pieces."""
    rolls = Rolls(test, "test")
    paths = [folder / f"piece-{number:04d}.json" for number in range(len(rolls))]
    for number, path in enumerate(paths):
        write_text(path, json.dumps(pitches_of(rolls[number])))
    return paths
