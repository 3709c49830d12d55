"""Quiet before and after speech that has none: recordings of synthetic voices begin with a sound.

Real recordings begin and end with the room, and what hears them has to know where speech begins. A
margin is as long as chance says, so that nothing can be learnt from its length, and is white noise
60 dB below a recording's peak of 0.5, for a room is never silent.
"""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NOISE = 0.0005  # its deviation


def with_margins(samples: NDArray[np.float32], rate: int, lengths: Sequence[float],
                 key: str) -> tuple[NDArray[np.float32], float]:
    """The samples [n] between two margins, and the seconds that the first one lasts.

    A margin has between `lengths[0]` and `lengths[1]` seconds, drawn evenly by `key`: one key gives
    the same margins every time.
    """
    random = np.random.default_rng(zlib.crc32(key.encode()))
    least, most = lengths
    before, after = (round(seconds * rate) for seconds in random.uniform(least, most, size=2))
    noise = random.normal(0.0, NOISE, before + after).astype(np.float32)
    return np.concatenate([noise[:before], samples, noise[before:]]), before / rate
