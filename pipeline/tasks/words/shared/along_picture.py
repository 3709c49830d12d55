"""A picture of what a network says of one item as time goes by, for each class."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.audio.frames import Frames
from pipeline.storage.files import read_json


def along_picture(said: Callable[[NDArray[np.float32], str], NDArray[np.float32]], what: str,
                  sees: int, title: str, spec: Mapping[str, Any], test: Path,
                  place: int) -> Figure:
    """What is `said(frames [T, D], speaker)`, [places, labels], below the frames themselves.

    The item is that of `place` in the folder `test`. `what` is what is said, and each saying
    `sees` so many frames.
    """
    item = read_json(test / "test.items.json")[place]
    frames, labels = Frames(test, "test")[place], spec["labels"]
    found = said(frames, item["speaker"])
    hop = spec["hop"]
    figure = Figure(figsize=(7, 3.6 + 0.16 * len(labels)), layout="constrained")
    right = read_json(test / "gold.json")[item["id"]]
    figure.suptitle(f"{title}\n{item['id']}: {right}", fontsize=10)
    above, below = figure.subplots(2, 1, sharex=True,
                                   height_ratios=[1.2, 0.6 + 0.09 * len(labels)])
    above.imshow(frames.T, origin="lower", aspect="auto", cmap="magma", interpolation="nearest",
                 extent=(0, len(frames) * hop, 0, frames.shape[1]))
    above.set(ylabel="feature")
    start = (sees - 1) / 2 * hop  # a saying stands at the middle of what it sees
    shades = below.imshow(found.T, aspect="auto", cmap="gray_r", interpolation="nearest", vmin=0,
                          vmax=max(1.0, float(found.max())),
                          extent=(start, start + len(found) * hop, len(labels) - 0.5, -0.5))
    below.set_yticks(range(len(labels)), labels, fontsize=8 if len(labels) < 16 else 6)
    below.get_yticklabels()[labels.index(right)].set_fontweight("bold")
    below.set(xlabel="time, s", ylabel="class (bold: right)", xlim=(0, len(frames) * hop))
    figure.colorbar(shades, ax=below, label=what, fraction=0.04)
    return figure
