"""Words of a few frames that are told apart by their order alone, said by three speakers.

"up" rises in its first feature and "down" falls, from any height, so that both have the same mean
frame; the second feature is the speaker's own. Written as the features stage writes a track.
"""

from pathlib import Path

import numpy as np

from pipeline.audio.frames import write_frames
from pipeline.storage.files import write_json

LABELS = ["down", "up"]
SPEAKERS = ["ada", "bob", "cyd"]
SIZES = {"train": 180, "valid": 60, "test": 60}


def word(label: str, speaker: str, random: np.random.Generator) -> np.ndarray:
    """Frames [8 to 12, 2]."""
    steps = np.linspace(-1, 1, int(random.integers(8, 13)))
    slope = steps if label == "up" else -steps
    noise = random.normal(0, 0.1, (2, len(steps)))
    voice = 3.0 * SPEAKERS.index(speaker) + noise[1]
    return np.stack([slope + noise[0] + random.normal(0, 0.3), voice], axis=1).astype(np.float32)


def write_features(folder: Path, held_out: bool) -> Path:
    """Write `fit/` and `test/` into `folder`; with `held_out` there is a fold for each speaker."""
    random = np.random.default_rng(5)
    for split, size in SIZES.items():
        directory = folder / ("test" if split == "test" else "fit")
        directory.mkdir(exist_ok=True)
        items = [{"id": f"{split}-{number}", "speaker": SPEAKERS[number % len(SPEAKERS)],
                  "label": LABELS[number // len(SPEAKERS) % 2]} for number in range(size)]
        frames = [word(item["label"], item["speaker"], random) for item in items]
        write_frames(directory, split, frames)
        write_json(directory / f"{split}.items.json", items)
        if split == "test":
            write_json(directory / "gold.json", {item["id"]: item["label"] for item in items})
        if split == "train":
            known = np.concatenate(frames)
    write_json(folder / "fit" / "spec.json", {
        "dimension": 2, "labels": LABELS, "mean": known.mean(axis=0).tolist(),
        "deviation": known.std(axis=0).tolist(), "folds": SPEAKERS if held_out else []})
    return folder
