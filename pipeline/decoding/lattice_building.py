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

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.lattice import Lattice
from pipeline.decoding.lattice_limits import MOST, SPAN, Best, Most, best_places, connected
from pipeline.decoding.looking_back import ROUNDING, LookingBack, Places, Standing
from pipeline.decoding.network import NOTHING
from pipeline.decoding.search import Search
from pipeline.decoding.trace import Trace

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]

_JOINED_AT_ONCE = 1_000_000  # links, of which few may be within the beam


def word_lattice(search: Search, frame_scores: NDArray[np.floating], trace: Trace,
                 beam: float, most: Most = MOST) -> Lattice:
    """The lattice of an utterance that `search` has recognised with `lattices`.

    It holds every path that the search has gone and that scores within `beam` of the best one: of
    all words, beginnings, ends and neighbours of words, with the scores that a search for these
    alone would give. Of a long utterance, no more than within the `lattice` width of the search's
    own beam. Where they are more than `most`, the best ones are kept, and always the best words.
    Raises ValueError where the search has kept no tokens.
    """
    length = int(trace.end_frames[trace.last_ends[0]])
    if len(trace.first_token) <= length:
        raise ValueError("the search has kept no tokens; ask it for lattices")
    times = _Times(search, frame_scores[:length], trace)
    ahead = trace.end_scores[trace.last_ends] + trace.last_scores
    least = float(ahead.max()) - beam - ROUNDING
    behind = _Behind(times, least)
    behind.look_back()
    return _Words(times, behind, most).lattice()


class _Times:
    """What was where at which time; time t lies before frame t."""

    def __init__(self, search: Search, frame_scores: NDArray[np.floating], trace: Trace) -> None:
        self.search, self.network, self.trace = search, search.network, trace
        self.length = len(frame_scores)
        self._frames, self._weight = frame_scores, search.weights.acoustic
        self._first_end = np.searchsorted(trace.end_frames, np.arange(self.length + 2))
        self.places = Places(self.network.nodes)

    def token_range(self, time: int) -> slice:
        """The tokens that the frame behind a time has left; none behind the last."""
        if time >= self.length:
            return slice(0, 0)
        return slice(*self.trace.first_token[time : time + 2].tolist())

    def end_range(self, time: int) -> slice:
        """The ends in boundaries at a time; that within an unfinished word is none."""
        low, high = self._first_end[time : time + 2].tolist()
        return slice(low, high - (high > low and self.trace.end_nodes[high - 1] == NOTHING))

    def tokens(self, frame: int) -> Ids:
        found = self.token_range(frame)
        return np.arange(found.start, found.stop)

    def ends(self, time: int) -> Ids:
        found = self.end_range(time)
        return np.arange(found.start, found.stop)

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
        return self._frames[frame, self.network.states[nodes]].astype(np.float64) * self._weight

    def cut_token(self) -> int:
        """The token within whose word an unfinished utterance ends."""
        tokens = self.tokens(self.length - 1)
        return int(tokens[self.trace.token_scores[tokens].argmax()])

    def _found(self, nodes: Ids, known: Ids, numbers: Ids) -> Ids:
        places = self.places.of(nodes, known)
        return np.where(places == NOTHING, NOTHING, np.append(numbers, NOTHING)[places])


class _Behind:
    """The best score from each token and end to the end of the utterance."""

    def __init__(self, times: _Times, least: float) -> None:
        self._times = times
        self._back = LookingBack(times.network, times.search.arc_scores, times.heard, least,
                                 times.places)
        trace = times.trace
        self.of_tokens = np.full(len(trace.token_nodes), -np.inf)
        self.of_ends = np.full(len(trace.end_frames), -np.inf)
        self.of_ends[trace.last_ends] = trace.last_scores
        if not trace.finished and times.length:
            self.of_tokens[times.cut_token()] = 0.0

    def near(self, scores: Scores) -> NDArray[np.bool_]:
        """Whether scores of whole sentences are within the beam."""
        return self._back.near(scores)

    def look_back(self) -> None:
        self._back.through(self._standing, self._times.length, 0)

    def _standing(self, time: int) -> Standing:
        times, trace = self._times, self._times.trace
        ends, tokens = times.end_range(time), times.token_range(time)
        return Standing(trace.end_nodes[ends], trace.end_scores[ends], self.of_ends[ends],
                        trace.token_nodes[tokens], trace.token_scores[tokens],
                        self.of_tokens[tokens])


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

    def __init__(self, times: _Times, behind: _Behind, most: Most) -> None:
        self._times, self._behind, self._most = times, behind, most
        none = np.zeros(0, np.int64)
        self._nothing = _Paths(none, none, np.zeros(0))
        self._ahead = np.zeros(0)  # the best score before each entry, and room for more
        self._entries = 0
        # Ends, arcs and entries that follow one another; paths from entries to ends.
        self._begun = Best(most.links, np.int64, np.int64, np.int64)
        self._ended = Best(most.links, np.int64, np.int64, np.float64)
        self._links = Best(most.links, np.int64, np.int64, np.int64, np.float64)
        self._cut = times.trace.limited

    def lattice(self) -> Lattice:
        times = self._times
        inside = self._nothing
        for time in range(times.length + 1):
            if time:
                inside = self._left(inside, time)
            if time < times.length:
                inside = self._heard(_together([inside, self._entered(time)]).best(), time)
        self._join(self._begun.columns(), _Paths(*self._ended.columns()))
        before, arcs, after, scores = self._links.columns()
        self._cut |= self._begun.cut | self._ended.cut | self._links.cut
        if not self._cut:
            return self._made(before, arcs, after, scores)
        return connected(self._made(*self._with_best(before, arcs, after, scores)))

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
        totals = self._ahead[ended.entries] + ended.scores + self._behind.of_ends[ended.places]
        near = self._behind.near(totals)
        ended = ended.kept(near)
        self._ended.add(time, totals[near], ended.entries, ended.places, ended.scores)
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
        totals = scores + times.heard(nodes, time) + self._behind.of_tokens[tokens]
        near = (tokens != NOTHING) & self._behind.near(totals)
        entered, inverse = np.unique(nodes[near], return_inverse=True)
        entries = self._entries + np.arange(len(entered))
        self._entries += len(entered)
        if self._entries > len(self._ahead):
            self._ahead = np.concatenate([self._ahead, np.full(self._entries, -np.inf)])
        np.maximum.at(self._ahead, entries[inverse], scores[near])
        self._begun.add(time, totals[near], before[near], arcs[near], entries[inverse])
        return _Paths(entries, entered, np.zeros(len(entered)))

    def _heard(self, paths: _Paths, time: int) -> _Paths:
        """Hear a frame, and keep what lies within the beam."""
        tokens = self._times.tokens_at(paths.places, time)
        scores = paths.scores + self._times.heard(paths.places, time)
        totals = self._ahead[paths.entries] + scores + self._behind.of_tokens[tokens]
        near = np.flatnonzero((tokens != NOTHING) & self._behind.near(totals))
        if len(near) > self._most.paths:
            near, self._cut = near[best_places(totals[near], self._most.paths)], True
        return _Paths(paths.entries[near], paths.places[near], scores[near])

    def _join(self, begun: list[Ids], ended: _Paths) -> None:
        """Links from all that has begun to every end of the same entry."""
        before, arcs, entries = begun
        trace, arc_scores = self._times.trace, self._times.search.arc_scores
        order = np.argsort(ended.entries, kind="stable")
        first = np.searchsorted(ended.entries[order], entries)
        counts = np.searchsorted(ended.entries[order], entries, side="right") - first
        times = trace.end_frames[before]
        for low, high in _portions(times, counts):
            many = counts[low:high]
            which = np.repeat(np.arange(low, high), many)
            shift = np.repeat(first[low:high] - np.cumsum(many) + many, many)
            path = order[np.arange(len(which)) + shift]
            after = ended.places[path]
            scores = arc_scores[arcs[which]] + ended.scores[path]
            totals = trace.end_scores[before[which]] + scores + self._behind.of_ends[after]
            near = self._behind.near(totals)
            which = which[near]
            self._links.add(int(times[low]), totals[near], before[which], arcs[which],
                            after[near], scores[near])

    def _with_best(self, before: Ids, arcs: Ids, after: Ids,
                   scores: Scores) -> tuple[Ids, Ids, Ids, Scores]:
        """Links with those of the best words, of which limits may have left some out."""
        trace = self._times.trace
        end = int(trace.last_ends[(trace.end_scores[trace.last_ends] + trace.last_scores).argmax()])
        known = set(zip(before.tolist(), arcs.tolist(), after.tolist(), strict=True))
        missing = []
        while (entry := int(trace.end_entries[end])) != NOTHING:
            link = int(trace.entry_ends[entry]), int(trace.entry_arcs[entry]), end
            if link not in known:
                missing.append(link)
            end = link[0]
        more = np.array(missing, np.int64).reshape(-1, 3)
        own = trace.end_scores[more[:, 2]] - trace.end_scores[more[:, 0]]
        return (np.append(before, more[:, 0]), np.append(arcs, more[:, 1]),
                np.append(after, more[:, 2]), np.append(scores, own))

    def _made(self, before: Ids, arcs: Ids, after: Ids, scores: Scores) -> Lattice:
        """The lattice of links by `arcs` from ends to ends."""
        times, trace, network = self._times, self._times.trace, self._times.network
        by_target = np.argsort(after, kind="stable")
        before, arcs, after = before[by_target], arcs[by_target], after[by_target]
        last = self._behind.near(trace.end_scores[trace.last_ends] + trace.last_scores)
        last_ends = trace.last_ends[last]
        end_language = (network.final_language[trace.end_nodes[last_ends]] if trace.finished
                        else np.zeros(len(last_ends)))
        labels = np.append(network.labels[arcs], np.full(len(last_ends), NOTHING))
        language = np.append(network.language[arcs], end_language)
        is_word = (labels != NOTHING) & (labels != network.silence)
        sources = np.append(before, last_ends)
        targets = np.append(after, np.full(len(last_ends), len(trace.end_frames)))
        nodes, numbers = np.unique(np.concatenate([[0], sources, targets]), return_inverse=True)
        weights = times.search.weights
        return Lattice(
            np.append(trace.end_frames, times.length + 1)[nodes], numbers[1 : len(sources) + 1],
            numbers[len(sources) + 1 :], labels,
            np.append(scores[by_target], trace.last_scores[last]) - weights.language * language
            - weights.word * is_word, language, is_word)


def _portions(times: Ids, counts: Ids) -> Iterator[tuple[int, int]]:
    """Ranges of what begins in one span of times, each of not too many `counts` together."""
    totals = np.cumsum(counts)
    spans = times // SPAN
    low = 0
    while low < len(times):
        done = int(totals[low - 1]) if low else 0
        fits = int(np.searchsorted(totals, done + _JOINED_AT_ONCE, side="right"))
        high = min(int(np.searchsorted(spans, spans[low], side="right")), max(fits, low + 1))
        yield low, high
        low = high
