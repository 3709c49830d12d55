"""Linear discriminant analysis of spliced frames: which directions tell the states apart.

Instead of slopes (deltas), each frame is taken with its neighbours, and the directions of that long
vector are kept in which the means of the classes differ most, measured by the spread within them
(Haeb-Umbach and Ney 1992, "Linear Discriminant Analysis for Improved Large Vocabulary Continuous
Speech Recognition"). The classes are tied states.
"""

import numpy as np

from pipeline.hmm.gmm import Floats, Frames, Ids, grouped


def spliced(frames: Frames, offsets: Ids, context: int) -> Frames:
    """Each frame [F, D] between its `context` neighbours on both sides, [F, (2 context + 1) D].

    Utterances are cut at `offsets` [U + 1]. Beyond an end the frame at that end stands again.
    """
    lengths = np.diff(offsets)
    first, last = np.repeat(offsets[:-1], lengths), np.repeat(offsets[1:] - 1, lengths)
    here = np.arange(len(frames))
    return np.concatenate([frames[np.clip(here + shift, first, last)]
                           for shift in range(-context, context + 1)], axis=1)


def discriminants(frames: Frames, classes: Ids, dimensions: int) -> Floats:
    """A matrix [dimensions, D] to multiply frames [F, D] with, the most telling direction first.

    `classes` [F] are from 0; a frame with a negative one counts for nothing. The covariance within
    classes becomes the identity; of each direction the largest entry is positive. Raises ValueError
    when D is less than `dimensions`, or the frames within classes leave out a direction.
    """
    from scipy.linalg import LinAlgError, eigh

    size = frames.shape[1]
    if dimensions > size:
        raise ValueError(f"{size} dimensions hold no {dimensions} directions")
    total, within = np.zeros((2, size, size))
    inside = classes >= 0
    centre = frames[inside].mean(axis=0, dtype=np.float64)
    for _, rows in grouped(classes):
        x = frames[rows] - centre
        mean = x.mean(axis=0)
        total += x.T @ x
        within += (x - mean).T @ (x - mean)
    count = inside.sum()
    try:
        _, vectors = eigh((total - within) / count, within / count)
    except LinAlgError:
        raise ValueError("the frames within classes do not vary in every direction: take fewer "
                         "neighbours or more frames") from None
    found = vectors.T[::-1][:dimensions]
    largest = found[np.arange(dimensions), np.abs(found).argmax(axis=1)]
    return found * np.sign(largest)[:, None]
