"""What a beam search leaves behind: where words began and ended, and with what score.

An end is a path that stands in a boundary between two frames; an entry is a word or a pause that
begins behind an end. Following entries and ends back from the last one gives the best words. Where
lattices are wanted, the tokens of all frames are kept too; `lattice_building.py` reads them.
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
    `first_token[t + 1]` of `token_nodes` and `token_scores`.
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


class Log:
    """What a search of several utterances writes down, in the order of time, for their traces.

    Each utterance's first end is written first, so utterance u begins with end u.
    """

    def __init__(self, utterances: int) -> None:
        self._count = utterances
        self._ends: list[tuple[NDArray[np.int64], ...]] = []
        self._scores: list[NDArray[np.float64]] = []
        self._entries: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._end_count = self._entry_count = 0
        self._tokens: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
        self._last: dict[int, tuple[NDArray[np.int64], NDArray[np.float64], bool]] = {}

    def add_ends(self, utterances: NDArray[np.int64], nodes: NDArray[np.int64],
                 scores: NDArray[np.float64], entries: NDArray[np.int64],
                 frame: int) -> NDArray[np.int64]:
        """Write down ends with the entries of the words that end; their numbers."""
        self._ends.append((utterances, nodes, entries, np.full(len(nodes), frame)))
        self._scores.append(scores)
        self._end_count += len(nodes)
        return np.arange(self._end_count - len(nodes), self._end_count)

    def add_entries(self, ends: NDArray[np.int64],
                    arcs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Write down words that begin behind ends; their numbers."""
        self._entries.append((ends, arcs))
        self._entry_count += len(ends)
        return np.arange(self._entry_count - len(ends), self._entry_count)

    def add_tokens(self, utterances: NDArray[np.int64], nodes: NDArray[np.int64],
                   scores: NDArray[np.float64]) -> None:
        """Write down the tokens that a frame has left, utterance by utterance."""
        self._tokens.append((utterances, nodes, scores))

    def finish(self, utterance: int, ends: NDArray[np.int64],
               scores: NDArray[np.float64]) -> None:
        """An utterance may end in `ends`, which adds `scores`."""
        self._last[utterance] = ends, scores, True

    def cut_off(self, utterance: int, scores: NDArray[np.float64], entries: NDArray[np.int64],
                frame: int) -> None:
        """An utterance ends within the word of the one path given, or of none at its beginning."""
        ends = self.add_ends(np.full(len(scores), utterance), np.full(len(scores), NOTHING),
                             scores, entries, frame)
        self._last[utterance] = (ends if len(ends) else np.array([utterance])), np.zeros(1), False

    def traces(self) -> list[Trace]:
        """The trace of each utterance, with numbers of its own."""
        utterances, nodes, pasts, frames = map(np.concatenate, zip(*self._ends, strict=True))
        scores = np.concatenate(self._scores)
        ends, arcs = map(np.concatenate, zip(*self._entries, strict=True))
        own_end, own_entry = np.empty_like(utterances), np.empty_like(ends)
        found = []
        for utterance in range(self._count):
            mine = np.flatnonzero(utterances == utterance)
            entered = np.flatnonzero(utterances[ends] == utterance)
            own_end[mine] = np.arange(len(mine))
            own_entry[entered] = np.arange(len(entered))
            entries = pasts[mine]
            entries[entries != NOTHING] = own_entry[entries[entries != NOTHING]]
            last_ends, last_scores, finished = self._last[utterance]
            found.append(Trace(frames[mine], nodes[mine], scores[mine], entries,
                               own_end[ends[entered]], arcs[entered], own_end[last_ends],
                               last_scores, finished, *self._own_tokens(utterance)))
        return found

    def _own_tokens(self, utterance: int) -> tuple[NDArray[np.int64], NDArray[np.int64],
                                                   NDArray[np.float64]]:
        """An utterance's tokens: where each frame's begin, their nodes and scores."""
        nodes: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        scores: list[NDArray[np.float64]] = [np.zeros(0)]
        for utterances, all_nodes, all_scores in self._tokens:
            low, high = np.searchsorted(utterances, [utterance, utterance + 1])
            nodes.append(all_nodes[low:high])
            scores.append(all_scores[low:high])
        return np.cumsum([len(part) for part in nodes]), np.concatenate(nodes), np.concatenate(
            scores)


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
