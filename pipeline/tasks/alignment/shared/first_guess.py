"""The first alignment of utterances whose times nobody knows: where re-estimation begins.

CMU 11-785, "Connectionist Temporal Classification", first part, starts from an initial alignment
"randomly, based on the network, or by some other heuristic". `uniform` gives all phones of an
utterance equal shares of it, `random` draws where they begin, all ways equally probable, and `good`
is what Gaussians in hidden Markov models find that were trained from a flat start
(`pipeline.tasks.alignment.shared.gaussians`): nobody's times are needed for any of them.
"""

from typing import Literal

import numpy as np

from pipeline.nn.ctc import Ids
from pipeline.tasks.alignment.shared.batching import Utterances

FirstGuess = Literal["uniform", "random", "good"]


def uniform(phones: int, frames: int) -> Ids:
    """The first frame of each of `phones` that share `frames` equally."""
    return np.arange(phones) * frames // phones


def random_cuts(phones: int, frames: int, random: np.random.Generator) -> Ids:
    """The first frame of each of `phones`, the first of which begins at 0; each has a frame."""
    later = np.sort(random.choice(frames - 1, phones - 1, replace=False)) + 1
    return np.concatenate([[0], later])


def guessed_starts(guess: FirstGuess, utterances: Utterances, labels: list[str],
                   seed: int) -> list[Ids]:
    """The first alignment of each utterance; `seed` is that of the random one."""
    sizes = [(len(symbols), int(length)) for symbols, length
             in zip(utterances.symbols, utterances.lengths, strict=True)]
    if guess == "uniform":
        return [uniform(*size) for size in sizes]
    if guess == "random":
        random = np.random.default_rng([seed, len(sizes)])
        return [random_cuts(*size, random) for size in sizes]
    from pipeline.tasks.alignment.shared.gaussians import (
        DEFAULT_COEFFICIENTS,
        DEFAULT_GROWTH,
        GaussianAligner,
    )

    trained = GaussianAligner.trained(utterances, labels, DEFAULT_COEFFICIENTS, DEFAULT_GROWTH)
    return [trained.constrained(frames, symbols) for frames, symbols
            in zip(utterances.frames, utterances.symbols, strict=True)]
