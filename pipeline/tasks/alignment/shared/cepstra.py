"""Mel cepstra of one utterance's log-mel frames with their slopes: what Gaussians hear.

The cosine transform of log-mel is MFCC (Davis and Mermelstein 1980): its dimensions are nearly
uncorrelated, as Gaussians with diagonal covariances take them to be. Over an utterance each
coefficient has mean 0 and deviation 1, which takes microphone and voice away in part; its slopes
over five frames, and theirs, say where a sound is going.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.hmm.gmm import Floats

_SMALLEST_DEVIATION = 1e-3
_SLOPES = 2


def cepstra(frames: NDArray[np.floating], coefficients: int) -> Floats:
    """Frames [T, mels] as [T, 3 coefficients]. Raises UserError for more of them than mels."""
    static = np.asarray(frames, np.float64) @ _cosines(frames.shape[1], coefficients)
    static = (static - static.mean(axis=0)) / np.maximum(static.std(axis=0), _SMALLEST_DEVIATION)
    parts = [static]
    for _ in range(_SLOPES):
        parts.append(_slope(parts[-1]))
    return np.concatenate(parts, axis=1)


def _slope(now: Floats) -> Floats:
    """By least squares over five frames; beyond an end the frame at that end stands again."""
    padded = np.pad(now, ((2, 2), (0, 0)), mode="edge")
    near, far = padded[3:-1] - padded[1:-3], padded[4:] - padded[:-4]
    return (near + 2 * far) / 10


@cache
def _cosines(mels: int, coefficients: int) -> Floats:
    """The orthonormal cosine transform, [mels, coefficients], from coefficient 0 on."""
    from scipy.fft import dct

    if coefficients > mels:
        raise UserError(f"the features' {mels} mel filters have no {coefficients} cepstral "
                        "coefficients, which a model of Gaussians hears; set front_end.mels of "
                        f"the track's features to {coefficients} at least")
    matrix: Floats = dct(np.eye(mels), norm="ortho")[:, :coefficients]
    return matrix
