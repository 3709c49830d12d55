"""Writing figures: the same figure is the same bytes, whatever program draws it."""

from pathlib import Path

from matplotlib.figure import Figure

from pipeline.storage.files import atomic_writer


def save_png(figure: Figure, path: Path, dpi: int = 120, tight: bool = False) -> None:
    """Write a PNG without the plotting program's version; `tight` cuts empty margins off."""
    with atomic_writer(path) as file:
        figure.savefig(file, format="png", dpi=dpi, bbox_inches="tight" if tight else None,
                       metadata={"Software": None})
