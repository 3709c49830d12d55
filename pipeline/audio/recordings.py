"""Anybody's recordings as samples: of any rate and channel count, in whatever libsndfile decodes.

A user's own file is taken as it is: its channels are averaged and it is resampled. The recordings
of a corpus are read by `pipeline.audio.front_end` instead, which refuses what differs from the
corpus's description: there it is a sign of a damaged or wrong file.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import decoded
from pipeline.errors import UserError

# torchaudio keeps a filter for each phase. Of rates without a small ratio, such as 44,101 to
# 16,000, the nearest ratio is taken, which is off by less than a millionth.
_MOST_PHASES = 1000


def read_recording(path: Path, rate: int, least: int = 1,
                   name: str | None = None) -> NDArray[np.float32]:
    """The recording as one channel of `rate` samples a second, shape [samples].

    Samples of a file with integers lie between -1 and 1. Raises UserError naming the file, by its
    path or as `name` calls it, for what `pipeline.audio.decoding` refuses, and when fewer than
    `least` samples are left.
    """
    name = str(path) if name is None else name
    samples, own_rate, _ = decoded(path, name)
    found = resampled(samples, own_rate, rate)
    if len(found) < max(least, 1):
        raise UserError(f"{name}: {len(samples)} samples, {len(samples) / own_rate:.3f} s, are "
                        f"too short; give a recording of at least {max(least, 1)} samples at "
                        f"{rate} Hz")
    return found


def resampled(samples: NDArray[np.float32], own_rate: int, rate: int) -> NDArray[np.float32]:
    """Samples [n] of `own_rate` Hz at `rate` Hz, [n * rate / own_rate, rounded up].

    What the new rate cannot hold, from half of it on, is filtered out (a windowed sinc).
    """
    if own_rate == rate or not len(samples):
        return samples
    import torch
    from torchaudio.functional import resample

    ratio = Fraction(own_rate, rate).limit_denominator(_MOST_PHASES)
    return resample(torch.from_numpy(samples), ratio.numerator, ratio.denominator).numpy()
