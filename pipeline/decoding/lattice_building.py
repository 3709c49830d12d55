"""From the tokens of a beam search to a word lattice that is exact within its beam.

A search keeps of the paths that meet the best one only, so its words' ends know one beginning each,
and lattices made of these alone (Schwartz and Austin 1991, "A comparison of several approximate
algorithms for finding multiple (N-best) sentence hypotheses") lack most of what could have been
said. Nor is the word-pair approximation needed (Ortmanns, Ney and Aubert 1997), which lets the
beginning of a word depend on the word before it alone. As in Povey et al. 2012 ("Generating exact
lattices in the WFST framework"), all tokens that the search had in each frame are gone through
again: once from the end, which tells how far each lies from the best sentence, and once from the
beginning with what lies within the beam, each word and each of its beginnings by itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.lattice import Lattice
from pipeline.decoding.network import NOTHING
from pipeline.decoding.search import Search
from pipeline.decoding.trace import Trace

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]

# By how much sums of the same numbers in another order may differ.
_ROUNDING = 1e-6


def word_lattice(search: Search, frame_scores: NDArray[np.floating], trace: Trace,
                 beam: float) -> Lattice:
    """The lattice of an utterance that `search` has recognised with `lattices`.

    It holds every path that the search has gone and that scores within `beam` of the best one: of
    all words, beginnings, ends and neighbours of words, with the scores that a search for these
    alone would give. Raises ValueError where the search has kept no tokens.
    """
    length = int(trace.end_frames[trace.last_ends[0]])
    if len(trace.first_token) <= length:
        raise ValueError("the search has kept no tokens; ask it for lattices")
    times = _Times(search, frame_scores[:length], trace)
    ahead = trace.end_scores[trace.last_ends] + trace.last_scores
    least = float(ahead.max()) - beam - _ROUNDING
    behind = _Behind(times, least)
    behind.look_back()
    return _Words(times, behind).lattice()


class _Times:
    """What was where at which time; time t lies before frame t."""

    def __init__(self, search: Search, frame_scores: NDArray[np.floating], trace: Trace) -> None:
        self.search, self.network, self.trace = search, search.network, trace
        self.length = len(frame_scores)
        self._frames = frame_scores * search.weights.acoustic
        self._first_end = np.searchsorted(trace.end_frames, np.arange(self.length + 2))
        self._at_node = np.full(self.network.nodes + 1, NOTHING)

    def tokens(self, frame: int) -> Ids:
        """The tokens that a frame has left."""
        return np.arange(*self.trace.first_token[frame : frame + 2])

    def ends(self, time: int) -> Ids:
        """The ends in boundaries at a time."""
        found = np.arange(*self._first_end[time : time + 2])
        return found[self.trace.end_nodes[found] != NOTHING]

    def tokens_at(self, nodes: Ids, frame: int) -> Ids:
        """The token in each of `nodes` behind a frame, `NOTHING` where none is."""
        tokens = self.tokens(frame)
        return self._found(nodes, self.trace.token_nodes[tokens], tokens)

    def ends_at(self, nodes: Ids, time: int) -> Ids:
        """The end in each of `nodes` at a time, `NOTHING` where none is."""
        ends = self.ends(time)
        return self._found(nodes, self.trace.end_nodes[ends], ends)

    def heard(self, nodes: Ids, frame: int) -> Scores:
        """Scores of a frame in nodes."""
        return self._frames[frame, self.network.states[nodes]]

    def cut_token(self) -> int:
        """The token within whose word an unfinished utterance ends."""
        tokens = self.tokens(self.length - 1)
        return int(tokens[self.trace.token_scores[tokens].argmax()])

    def _found(self, nodes: Ids, places: Ids, numbers: Ids) -> Ids:
        self._at_node[places] = numbers
        found = self._at_node[nodes]
        self._at_node[places] = NOTHING
        return found


class _Behind:
    """The best score from each token and end to the end of the utterance."""

    def __init__(self, times: _Times, least: float) -> None:
        self._times, self._least = times, least
        trace = times.trace
        self.of_tokens = np.full(len(trace.token_nodes), -np.inf)
        self.of_ends = np.full(len(trace.end_frames), -np.inf)
        self.of_ends[trace.last_ends] = trace.last_scores
        if not trace.finished and times.length:
            self.of_tokens[times.cut_token()] = 0.0

    def near(self, scores: Scores) -> NDArray[np.bool_]:
        """Whether scores of whole sentences are within the beam."""
        return (scores >= self._least) & (scores > -np.inf)

    def look_back(self) -> None:
        times, trace, network = self._times, self._times.trace, self._times.network
        for time in range(times.length, -1, -1):
            if time < times.length:
                tokens = times.tokens(time)
                tokens = tokens[self.near(trace.token_scores[tokens] + self.of_tokens[tokens])]
                nodes = trace.token_nodes[tokens]
                onward = times.heard(nodes, time) + self.of_tokens[tokens]
                self._pass_back(nodes, onward, time)
                if time:
                    self._raise_tokens(nodes, network.stay[nodes] + onward, time - 1)
            if time:
                ends = times.ends(time)
                ends = ends[self.near(trace.end_scores[ends] + self.of_ends[ends])]
                self._pass_back(trace.end_nodes[ends], self.of_ends[ends], time)

    def _pass_back(self, nodes: Ids, onward: Scores, time: int) -> None:
        """From nodes that are come to at a time, to the ends and the tokens before them."""
        network = self._times.network
        places, arcs = network.arriving(nodes)
        sources = network.sources[arcs]
        scores = self._times.search.arc_scores[arcs] + onward[places]
        begins = sources < network.boundaries
        ends = self._times.ends_at(sources[begins], time)
        np.maximum.at(self.of_ends, ends[ends != NOTHING], scores[begins][ends != NOTHING])
        if time:
            self._raise_tokens(sources[~begins], scores[~begins], time - 1)

    def _raise_tokens(self, nodes: Ids, scores: Scores, frame: int) -> None:
        tokens = self._times.tokens_at(nodes, frame)
        np.maximum.at(self.of_tokens, tokens[tokens != NOTHING], scores[tokens != NOTHING])


@dataclass(frozen=True)
class _Paths:
    """Best paths within words: since which entry, to which node or end, and with what score."""

    entries: Ids
    places: Ids
    scores: Scores

    def best(self) -> "_Paths":
        """The best path of each pair of entry and place."""
        if not len(self.entries):
            return self
        width = int(self.places.max()) + 1
        keys, inverse = np.unique(self.entries * width + self.places, return_inverse=True)
        scores = np.full(len(keys), -np.inf)
        np.maximum.at(scores, inverse, self.scores)
        return _Paths(keys // width, keys % width, scores)

    def kept(self, which: NDArray[np.bool_]) -> "_Paths":
        return _Paths(self.entries[which], self.places[which], self.scores[which])


def _together(paths: list[_Paths]) -> _Paths:
    return _Paths(*(np.concatenate([getattr(one, field) for one in paths])
                    for field in ("entries", "places", "scores")))


class _Words:
    """Goes through an utterance once more, each word and each of its beginnings by itself.

    An entry is a node in which words begin at a time; of its paths, scores count from there.
    """

    def __init__(self, times: _Times, behind: _Behind) -> None:
        self._times, self._behind = times, behind
        none = np.zeros(0, np.int64)
        self._nothing = _Paths(none, none, np.zeros(0))
        self._ahead = np.zeros(0)  # the best score before each entry
        # Ends, arcs and entries that follow one another; paths from entries to ends.
        self._begun: list[tuple[Ids, Ids, Ids]] = [(none, none, none)]
        self._ended: list[_Paths] = [self._nothing]

    def lattice(self) -> Lattice:
        times = self._times
        inside = self._nothing
        for time in range(times.length + 1):
            if time:
                inside = self._left(inside, time)
            if time < times.length:
                inside = self._heard(_together([inside, self._entered(time)]).best(), time)
        before, arcs, entries = map(np.concatenate, zip(*self._begun, strict=True))
        return self._joined(before, arcs, entries, _together(self._ended))

    def _left(self, inside: _Paths, time: int) -> _Paths:
        """Stay, or follow arcs out of states; words that end at a time are noted."""
        times, network = self._times, self._times.network
        places, arcs = network.leaving(inside.places)
        moved = _Paths(inside.entries[places], network.targets[arcs],
                       inside.scores[places] + times.search.arc_scores[arcs])
        ends = times.ends_at(moved.places, time)
        ended = _Paths(moved.entries, ends, moved.scores).kept(ends != NOTHING)
        if time == times.length and not times.trace.finished:
            node = times.trace.token_nodes[times.cut_token()]
            cut = inside.kept(inside.places == node)
            ended = _together([ended, _Paths(cut.entries, np.full(
                len(cut.entries), times.trace.last_ends[0]), cut.scores)])
        ended = ended.best()
        self._ended.append(ended.kept(self._behind.near(
            self._ahead[ended.entries] + ended.scores + self._behind.of_ends[ended.places])))
        stayed = _Paths(inside.entries, inside.places,
                        inside.scores + network.stay[inside.places])
        return _together([stayed, moved.kept(moved.places >= network.boundaries)])

    def _entered(self, time: int) -> _Paths:
        """Words that begin at a time: an entry for each node in which they do."""
        times, trace, network = self._times, self._times.trace, self._times.network
        ends = times.ends(time)
        ends = ends[self._behind.near(trace.end_scores[ends] + self._behind.of_ends[ends])]
        places, arcs = network.leaving(trace.end_nodes[ends])
        before, nodes = ends[places], network.targets[arcs]
        tokens = times.tokens_at(nodes, time)
        scores = trace.end_scores[before] + times.search.arc_scores[arcs]
        near = (tokens != NOTHING) & self._behind.near(
            scores + times.heard(nodes, time) + self._behind.of_tokens[tokens])
        entered, inverse = np.unique(nodes[near], return_inverse=True)
        entries = len(self._ahead) + np.arange(len(entered))
        ahead = np.full(len(entered), -np.inf)
        np.maximum.at(ahead, inverse, scores[near])
        self._ahead = np.append(self._ahead, ahead)
        self._begun.append((before[near], arcs[near], entries[inverse]))
        return _Paths(entries, entered, np.zeros(len(entered)))

    def _heard(self, paths: _Paths, time: int) -> _Paths:
        """Hear a frame, and keep what lies within the beam."""
        tokens = self._times.tokens_at(paths.places, time)
        scores = paths.scores + self._times.heard(paths.places, time)
        near = (tokens != NOTHING) & self._behind.near(
            self._ahead[paths.entries] + scores + self._behind.of_tokens[tokens])
        return _Paths(paths.entries, paths.places, scores).kept(near)

    def _joined(self, before: Ids, arcs: Ids, entries: Ids, ended: _Paths) -> Lattice:
        """Links from the ends `before`, by `arcs` and `entries`, to every end of these."""
        times, trace, network = self._times, self._times.trace, self._times.network
        order = np.argsort(ended.entries, kind="stable")
        first = np.searchsorted(ended.entries[order], entries)
        counts = np.searchsorted(ended.entries[order], entries, side="right") - first
        begun = np.repeat(np.arange(len(entries)), counts)
        path = order[np.arange(len(begun)) + (first - np.cumsum(counts) + counts)[begun]]
        after = ended.places[path]
        scores = times.search.arc_scores[arcs[begun]] + ended.scores[path]
        near = self._behind.near(
            trace.end_scores[before[begun]] + scores + self._behind.of_ends[after])
        by_target = np.flatnonzero(near)[np.argsort(after[near], kind="stable")]
        begun, after, scores = begun[by_target], after[by_target], scores[by_target]
        last = self._behind.near(trace.end_scores[trace.last_ends] + trace.last_scores)
        last_ends = trace.last_ends[last]
        end_language = (network.final_language[trace.end_nodes[last_ends]] if trace.finished
                        else np.zeros(len(last_ends)))
        labels = np.append(network.labels[arcs[begun]], np.full(len(last_ends), NOTHING))
        language = np.append(network.language[arcs[begun]], end_language)
        is_word = (labels != NOTHING) & (labels != network.silence)
        sources = np.append(before[begun], last_ends)
        targets = np.append(after, np.full(len(last_ends), len(trace.end_frames)))
        nodes, numbers = np.unique(np.concatenate([[0], sources, targets]), return_inverse=True)
        weights = times.search.weights
        return Lattice(
            np.append(trace.end_frames, times.length + 1)[nodes], numbers[1 : len(sources) + 1],
            numbers[len(sources) + 1 :], labels,
            np.append(scores, trace.last_scores[last]) - weights.language * language
            - weights.word * is_word, language, is_word)
