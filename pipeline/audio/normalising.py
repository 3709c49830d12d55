"""Frames freed of what a microphone and a voice add to all of them, and their statistics.

A microphone and a voice shift a log-mel frame by a constant. So the mean of all that a speaker says
in one condition can be taken away (cepstral mean normalisation by speaker; Atal 1974, Effectiveness
of Linear Prediction Characteristics of the Speech Wave), or each utterance be brought to mean 0 and
deviation 1.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.frames import Frames, shift_frames

Normalisation = Literal["none", "speaker", "utterance"]
_SMALLEST_DEVIATION = 1e-5


def by_utterance(frames: NDArray[np.float32], normalise: Normalisation) -> NDArray[np.float32]:
    """Frames [frames, dimension], where "utterance" asks for it with mean 0 and deviation 1."""
    if normalise != "utterance":
        return frames
    deviation = np.maximum(frames.std(axis=0), _SMALLEST_DEVIATION)
    return (frames - frames.mean(axis=0)) / deviation


def by_speaker(directory: Path, split: str, speakers: Sequence[str],
               normalise: Normalisation) -> None:
    """Where "speaker" asks for it, take the mean of each speaker's frames away from them.

    `speakers` has that of each utterance of the frames that `write_frames` wrote for the split.
    """
    if normalise != "speaker":
        return
    utterances = Frames(directory, split)
    sums: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for index, speaker in enumerate(speakers):
        frames = utterances[index]
        sums[speaker] = sums.get(speaker, 0.0) + frames.sum(axis=0, dtype=np.float64)
        counts[speaker] = counts.get(speaker, 0) + len(frames)
    shift_frames(directory, split, [-sums[speaker] / counts[speaker] for speaker in speakers])


def mean_and_deviation(utterances: Frames) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each feature over all frames, [dimension] each; one utterance is in memory at a time."""
    count = 0
    total: Any = 0.0
    squares: Any = 0.0
    for index in range(len(utterances)):
        frames = utterances[index].astype(np.float64)
        count += len(frames)
        total = total + frames.sum(axis=0)
        squares = squares + (frames**2).sum(axis=0)
    mean = total / count
    return mean, np.sqrt(np.maximum(squares / count - mean**2, _SMALLEST_DEVIATION**2))
