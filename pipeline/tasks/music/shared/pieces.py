"""Composed pieces as files: scores to read and change, and sound to listen to."""

from collections.abc import Iterable
from pathlib import Path

from pipeline.tasks.music.shared.midi import write_midi
from pipeline.tasks.music.shared.rolls import Roll
from pipeline.tasks.music.shared.sound import write_wav


def write_pieces(rolls: Iterable[Roll], directory: Path) -> list[Path]:
    """Write composition-<n>.mid and composition-<n>.wav of each roll; their paths."""
    written = []
    for number, roll in enumerate(rolls, start=1):
        for ending, write in ((".mid", write_midi), (".wav", write_wav)):
            written.append(directory / f"composition-{number}{ending}")
            write(written[-1], roll)
    return written
