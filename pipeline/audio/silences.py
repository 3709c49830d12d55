"""Long recordings in pieces, cut where nobody speaks.

Recognisers have learnt from utterances of some seconds, and a bidirectional network hears a whole
recording before it says a word. So a long one is cut into pieces of bounded length, each in the
middle of the longest pause that its second half has; pauses are told by energy alone, as the
simplest endpointers do (Rabiner and Sambur 1975, "An Algorithm for Determining the Endpoints of
Isolated Utterances"): what lies nearer to the quiet than to the loud part of the recording. Where
there is none, the cut is made in the quietest frame and may go through a word; the piece says so.
A language model then begins anew in each piece, which costs a word now and then at its edges.

`cut` gives pieces, `joined` puts together again what was recognised in each. Levels are in dB.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HOP_SECONDS = 0.01
SILENT = -70.0  # dB below full scale: no microphone is as quiet
_LEAST_RANGE = 12.0  # dB between quiet and loud, with less nobody speaks in pauses
_QUIET_SHARE = 0.4  # of the way from quiet to loud: below that is a pause
_SHORTEST_PAUSE = 0.08  # seconds; closures of plosives are shorter
_SHORTEST_PIECE = 0.5  # seconds at the end of a recording, if it can be had

Levels = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """Samples (or frames) from `begin` to before `end`.

    `in_pause` says whether it ends in a pause or with the recording; otherwise it may end within a
    word, and the next one begins within it.
    """

    begin: int
    end: int
    in_pause: bool


def cut(samples: NDArray[np.floating], rate: int, longest: float) -> list[Piece]:
    """Pieces of at most `longest` seconds that cover samples [n] end to end, in order.

    A recording no longer than that is one piece, and so is one without samples. Raises ValueError
    for samples of another shape and where `longest` is under a tenth of a second.
    """
    if samples.ndim != 1:
        raise ValueError(f"expected the samples of one channel, got shape {samples.shape}")
    if longest < 0.1:
        raise ValueError(f"pieces of {longest} seconds are too short for words; "
                         "allow a tenth of a second at least")
    if len(samples) <= longest * rate:
        return [Piece(0, len(samples), True)]
    hop = max(1, round(rate * HOP_SECONDS))
    frames = cut_frames(levels(samples, hop), max(2, int(longest * rate) // hop), HOP_SECONDS)
    return [Piece(piece.begin * hop, min(piece.end * hop, len(samples)), piece.in_pause)
            for piece in frames]


def levels(samples: NDArray[np.floating], hop: int) -> Levels:
    """Level of each `hop` samples [n], the last ones fewer: dB below full scale, [ceil(n / hop)].

    The mean is taken out first, since a constant is no sound.
    """
    if not len(samples):
        return np.zeros(0)
    power = np.square(samples.astype(np.float64) - samples.mean(dtype=np.float64))
    starts = np.arange(0, len(power), hop)
    means = np.add.reduceat(power, starts) / np.diff(starts, append=len(power))
    return 10 * np.log10(means + 1e-12)


def log_mel_levels(frames: NDArray[np.floating]) -> Levels:
    """Levels of log-mel frames [T, mels], natural logarithms of energies that are not normalised.

    Energies of filters are no parts of full scale: only differences between levels say something.
    """
    return 10 / np.log(10) * np.logaddexp.reduce(frames.astype(np.float64), axis=1)


def pauses(found: Levels, hop_seconds: float) -> NDArray[np.bool_]:
    """Which levels [T] belong to pauses.

    Where quiet and loud hardly differ, as in noise, there is none, unless all is silent.
    """
    if not len(found):
        return np.zeros(0, bool)
    # A mean over 50 ms, so that a pause is not broken by one frame, nor speech by another.
    width = max(1, round(0.05 / hop_seconds) | 1)
    padded = np.pad(found, width // 2, mode="edge")
    smooth = np.maximum(np.convolve(padded, np.full(width, 1 / width), mode="valid"), SILENT)
    quiet, loud = np.quantile(smooth, [0.02, 0.95])
    if loud - quiet < _LEAST_RANGE:
        # Pauses may be rarer than the quantile, and one that is long enough is enough.
        quiet = _quietest(smooth, round(_SHORTEST_PAUSE / hop_seconds))
    limit = quiet + _QUIET_SHARE * (loud - quiet) if loud - quiet >= _LEAST_RANGE else -np.inf
    low = (smooth < limit) | (smooth <= SILENT)
    for begin, end in _stretches(low):
        if (end - begin) * hop_seconds < _SHORTEST_PAUSE:
            low[begin:end] = False
    return low


def _quietest(smooth: Levels, frames: int) -> float:
    """The lowest level under which some stretch of so many `frames` stays, or all if there are few.
    """
    windows = np.lib.stride_tricks.sliding_window_view(smooth, min(max(frames, 1), len(smooth)))
    return float(windows.max(axis=1).min())


def cut_frames(found: Levels, longest: int, hop_seconds: float) -> list[Piece]:
    """Pieces of at most `longest` frames, 2 at least, by the levels [T] of frames."""
    low = pauses(found, hop_seconds)
    pieces: list[Piece] = []
    begin, total = 0, len(found)
    shortest = min(round(_SHORTEST_PIECE / hop_seconds), longest // 2)
    while total - begin > longest:
        # What is left behind the cut should be worth a piece.
        high = max(min(begin + longest, total - shortest), begin + 1)
        place, in_pause = _cut(found, low, begin, high)
        pieces.append(Piece(begin, place, in_pause))
        begin = place
    return [*pieces, Piece(begin, total, True)]


def _cut(found: Levels, low: NDArray[np.bool_], begin: int, high: int) -> tuple[int, bool]:
    """Where to cut, up to `high`: in the second half if that has a pause, else in the first.

    The pause that the piece itself begins in has been cut through already.
    """
    middle = begin + (high - begin + 1) // 2
    sound = begin + int(np.argmin(low[begin : middle + 1]))
    for first, last in ((middle, high), (sound + 1, middle)):
        stretches = _stretches(low[first : last + 1])
        if stretches:
            start, end = max(stretches, key=lambda one: one[1] - one[0])
            return min(first + (start + end) // 2, high), True
    return middle + int(found[middle : high + 1].argmin()), False


def _stretches(low: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Begin and end of each stretch of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], low, [False]])))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def joined(pieces: Sequence[Piece], rate: int, texts: Sequence[str],
           words: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[str, list[dict[str, Any]]]:
    """The text of a recording and its words, from those of its pieces (of samples, at `rate`).

    Of words, `begin` and `end` are seconds from the beginning of their piece, and become those of
    the recording; one that ends behind its piece, by a part of a frame, ends with it. All else is
    kept. Raises ValueError where pieces, texts and words are not as many.
    """
    found: list[dict[str, Any]] = []
    for piece, own in zip(pieces, words, strict=True):
        start, end = piece.begin / rate, piece.end / rate
        found += [{**word, "begin": min(start + word["begin"], end),
                   "end": min(start + word["end"], end)} for word in own]
    if len(texts) != len(pieces):
        raise ValueError(f"there are {len(pieces)} pieces, and texts of {len(texts)}")
    return " ".join(text for text in texts if text), found
