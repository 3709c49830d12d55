"""Pictures of an attention decoder: where it looks while it writes, and where in a text it errs.

The weights of a decoder that has learnt to listen lie on one line from the beginning to the end; of
one that has not they are grey everywhere, and it writes what is likely in its language (Chorowski
et al. 2015, figure 2). A decoder that has lost its place errs from there to the end of the text,
so letters are counted by their place.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

WIDTH = 5  # letters of one bar
END = "end"


def attention(frames: NDArray[np.floating], weights: NDArray[np.floating], frames_a_step: int,
              text: str, title: str) -> Figure:
    """Features `frames` [T, D] above the `weights` [letters + 1, steps] of each letter and the end.

    The last step may reach behind the sound.
    """
    letters = [letter.replace(" ", "␣") for letter in text] + [END]
    steps = weights.shape[1]
    figure = Figure(figsize=(9, 2.6 + 0.17 * len(letters)), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True,
                                   height_ratios=[1.6, max(1.6, 0.16 * len(letters))])
    above.imshow(frames.T, origin="lower", aspect="auto", interpolation="nearest", cmap="magma",
                 extent=(0, len(frames), 0, frames.shape[1]))
    above.set(ylabel="feature", title=title)
    picture = below.imshow(weights, aspect="auto", interpolation="nearest", cmap="Greys", vmin=0,
                           vmax=1, extent=(0, steps * frames_a_step, len(letters), 0))
    below.set_yticks(np.arange(len(letters)) + 0.5, letters, fontsize=7)
    below.set(xlabel="frame", ylabel="letter written", xlim=(0, len(frames)))
    figure.colorbar(picture, ax=[above, below], label="weight", fraction=0.04)
    return figure


def wrong_by_place(references: Sequence[str],
                   texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many letters of the references stand at each place, and how many of them are not heard.

    Both [longest reference]. A letter is not heard where it is substituted or deleted in the
    alignment with the fewest edits.
    """
    from rapidfuzz.distance import Levenshtein

    longest = max(map(len, references), default=0)
    letters, wrong = (np.zeros(longest, np.int64) for _ in range(2))
    for reference, text in zip(references, texts, strict=True):
        letters[: len(reference)] += 1
        for edit in Levenshtein.editops(reference, text):
            if edit.tag != "insert":
                wrong[edit.src_pos] += 1
    return letters, wrong


def errors_by_place(references: Sequence[str], texts: Sequence[str]) -> Figure:
    """The share of letters that are not heard, by their place in the text, five places a bar."""
    letters, wrong = wrong_by_place(references, texts)
    begins = np.arange(0, len(letters), WIDTH)
    counts = np.add.reduceat(letters, begins) if len(begins) else letters
    shares = 100 * (np.add.reduceat(wrong, begins) if len(begins) else wrong) / counts
    figure = Figure(figsize=(8, 3.5))
    axes = figure.subplots()
    axes.bar(begins + WIDTH / 2, shares, width=0.85 * WIDTH, color="#0072B2")
    for begin, share, count in zip(begins, shares, counts, strict=True):
        axes.annotate(str(count), (begin + WIDTH / 2, share), ha="center", va="bottom", fontsize=7)
    axes.set(xlabel="place of the letter in the text (above: how many stand there)",
             ylabel="not heard, percent", xlim=(0, max(WIDTH, len(letters))), ylim=(0, None),
             title="Letters substituted or deleted by greedy search, by their place")
    axes.margins(y=0.15)
    return figure
