"""Mel cepstra of log-mel frames, normalised by speaker: what mixtures of Gaussians hear.

The cosine transform of log-mel is MFCC (Davis and Mermelstein 1980): its dimensions are nearly
uncorrelated, as Gaussians with diagonal covariances take them to be. So one front end serves
networks, which hear log-mel, and Gaussians. Over all that a speaker says in one condition each
coefficient then has mean 0 and deviation 1, which takes the microphone away and part of the noise
(Viikki and Laurila 1998, "Cepstral Domain Segmental Feature Vector Normalization").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.frames import Frames
from pipeline.hmm.gmm import Ids
from pipeline.storage.files import read_json

_SMALLEST_DEVIATION = 1e-3


@dataclass(frozen=True)
class Heard:
    """Utterances of a split: `frames` [F, D] end to end, cut at `offsets` [U + 1].

    `speakers` [U] are numbered from 0; `items` are the records of the features stage.
    """

    frames: NDArray[np.float64]
    offsets: Ids
    speakers: Ids
    items: Sequence[dict[str, Any]]

    def of(self, utterance: int) -> NDArray[np.float64]:
        return self.frames[self.offsets[utterance] : self.offsets[utterance + 1]]

    @property
    def texts(self) -> list[str]:
        return [item["text"] for item in self.items]


def hear(data: Path, split: str, coefficients: int) -> Heard:
    """The cepstra of the split of a features folder, [F, coefficients], normalised by speaker."""
    found, items = Frames(data, split), read_json(data / f"{split}.items.json")
    cepstra = np.asarray(found.rows, np.float64) @ cosines(found.rows.shape[1], coefficients)
    names = {name: number for number, name
             in enumerate(dict.fromkeys(item["speaker"] for item in items))}
    speakers = np.array([names[item["speaker"]] for item in items], np.int64)
    offsets = np.asarray(found.offsets, np.int64)
    normalise(cepstra, np.repeat(speakers, np.diff(offsets)))
    return Heard(cepstra, offsets, speakers, items)


def normalise(frames: NDArray[np.float64], speakers: Ids) -> None:
    """Bring each feature of `frames` [F, D] to mean 0 and deviation 1 over a speaker's, in place.

    `speakers` [F] are numbers from 0 on, one for each frame.
    """
    for speaker in range(int(speakers.max(initial=-1)) + 1):
        own = speakers == speaker
        if own.any():
            deviation = np.maximum(frames[own].std(axis=0), _SMALLEST_DEVIATION)
            frames[own] = (frames[own] - frames[own].mean(axis=0)) / deviation


def cosines(mels: int, coefficients: int) -> NDArray[np.float64]:
    """The orthonormal cosine transform, [mels, coefficients], from coefficient 0 on.

    Raises ValueError for more coefficients than mels.
    """
    from scipy.fft import dct

    if coefficients > mels:
        raise ValueError(f"{mels} mel filters have no {coefficients} cepstral coefficients")
    matrix: NDArray[np.float64] = dct(np.eye(mels), norm="ortho")[:, :coefficients]
    return matrix


def with_slopes(static: NDArray[np.float64], offsets: Ids, order: int) -> NDArray[np.float64]:
    """Frames [F, D] beside their slopes over five frames, [F, D (1 + order)], each utterance alone.

    Beyond an end the frame at that end stands again.
    """
    parts = [static]
    first = np.repeat(offsets[:-1], np.diff(offsets))
    last = np.repeat(offsets[1:] - 1, np.diff(offsets))
    here = np.arange(len(static))
    for _ in range(order):
        now = parts[-1]
        near, far = (now[np.minimum(here + step, last)] - now[np.maximum(here - step, first)]
                     for step in (1, 2))
        parts.append((near + 2 * far) / 10)
    return np.concatenate(parts, axis=1)
