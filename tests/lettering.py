"""What is written in pictures as they are drawn: a file of points does not say it any more."""

from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from pipeline.drawing import saving


def lettering(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """All that is written in each picture drawn from now on, by its name, without white space.

    Lines of titles end where they are full, within an id as well.
    """
    found: dict[str, str] = {}
    write = saving.save_png

    def kept(figure: Figure, path: Path, **how: Any) -> None:
        found[path.stem] = "".join(
            "".join(text.get_text().split()) for text in figure.findobj(Text))
        write(figure, path, **how)

    monkeypatch.setattr(saving, "save_png", kept)
    return found
