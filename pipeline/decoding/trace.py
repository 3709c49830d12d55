"""What a beam search leaves behind: where words began and ended, and with what score.

An end is a path that stands in a boundary between two frames; an entry is a word or a pause that
begins behind an end. Following entries and ends back from the last one gives the best words. Where
lattices are wanted, tokens are kept too; `lattice_building.py` reads them. `log.py` writes all that
down, and forgets what leads nowhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.network import NOTHING, Network, Weights


@dataclass(frozen=True)
class Trace:
    """Ends and entries of one utterance, both in the order of time.

    Of an end, `end_frames` says how many frames stand before it, `end_nodes` its boundary,
    `end_scores` the best path to it and `end_entries` the entry of the word that ends. End 0 is
    the beginning, whose entry is `NOTHING`. Of an entry, `entry_ends` is the end before it and
    `entry_arcs` its arc of the network. The utterance may end in `last_ends`, each with what that
    adds to its score, `last_scores`. Where it is not `finished`, no path has come to an end of a
    sentence; then the only last end is the best path within its last word, and its node `NOTHING`.

    The tokens that frame t has left, if they were kept, are `first_token[t]` to
    `first_token[t + 1]` of `token_nodes` and `token_scores`. They are `limited` where too many were
    as good, so that some were left out.
    """

    end_frames: NDArray[np.int64]
    end_nodes: NDArray[np.int64]
    end_scores: NDArray[np.float64]
    end_entries: NDArray[np.int64]
    entry_ends: NDArray[np.int64]
    entry_arcs: NDArray[np.int64]
    last_ends: NDArray[np.int64]
    last_scores: NDArray[np.float64]
    finished: bool
    first_token: NDArray[np.int64]
    token_nodes: NDArray[np.int64]
    token_scores: NDArray[np.float64]
    limited: bool


@dataclass(frozen=True)
class Recognition:
    """The best words of an utterance, as numbers; each from its first frame to behind its last.

    `score` = `acoustic` + weight * `language` + weight * number of words; `acoustic` holds
    weighted frames, transitions, pronunciations and pauses. Pauses are no words and leave gaps.
    Where the utterance is not `finished`, the last word may be cut off.
    """

    words: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    score: float
    acoustic: float
    language: float
    finished: bool
    trace: Trace


def best_words(network: Network, weights: Weights, trace: Trace) -> Recognition:
    """Follow the best path back; of equally good ends the first is taken."""
    totals = trace.end_scores[trace.last_ends] + trace.last_scores
    chosen = int(totals.argmax())
    end = int(trace.last_ends[chosen])
    node = trace.end_nodes[end]
    language = float(network.final_language[node]) if trace.finished else 0.0
    found: list[tuple[int, int, int]] = []
    while (entry := int(trace.end_entries[end])) != NOTHING:
        arc, before = trace.entry_arcs[entry], int(trace.entry_ends[entry])
        if network.labels[arc] != network.silence:
            found.append((int(network.labels[arc]), int(trace.end_frames[before]),
                          int(trace.end_frames[end])))
            language += float(network.language[arc])
        end = before
    words, starts, ends = zip(*reversed(found), strict=True) if found else ((), (), ())
    score = float(totals[chosen])
    acoustic = score - weights.language * language - weights.word * len(words)
    return Recognition(words, starts, ends, score, acoustic, language, trace.finished, trace)
