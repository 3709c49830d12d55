"""What a search of several utterances writes down while it goes on, and what of it is forgotten.

Every end of a word, every word that begins and, for lattices, every token of every frame would be
16 bytes a token and more: gigabytes for ten minutes of speech. So every 200 frames the last 300
are gone through backwards from the tokens that there are (`looking_back.py`). What lies further
than the lattice beam from the best way to each of them cannot lie within it of the best sentence
either, whatever will be heard, and is forgotten; without lattices, all that is on no best way. Each
frame is pruned with a second of what follows or more, and costs one and a half visits, so time
grows with the length of a recording and memory with what is said in it. What is left makes the very
same lattice, unless everything sounds alike to a network that has learnt little: then only the best
of each frame are kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.looking_back import ROUNDING, LookingBack, Places, Standing
from pipeline.decoding.network import NOTHING, Network
from pipeline.decoding.trace import Trace

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]

PERIOD = 200
LOOKED_BACK = 300
MOST = 400  # tokens, and ends, of a frame that is looked back on for the last time


@dataclass
class _Records:
    """Ends, entries and tokens of some times, each in the order of time.

    Ends and entries are numbered from 0 in the order in which they were written, with gaps where
    some are forgotten.
    """

    end_numbers: Ids
    end_times: Ids
    end_keys: Ids
    end_scores: Scores
    end_entries: Ids
    entry_numbers: Ids
    entry_ends: Ids
    entry_arcs: Ids
    token_times: Ids
    token_keys: Ids
    token_scores: Scores

    @classmethod
    def together(cls, parts: list["_Records"]) -> "_Records":
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts])
                     for field in fields(cls)))

    def kept(self, ends: NDArray[np.bool_], entries: NDArray[np.bool_],
             tokens: NDArray[np.bool_]) -> "_Records":
        which = {"end": ends, "ent": entries, "tok": tokens}
        return _Records(*(getattr(self, field.name)[which[field.name[:3]]]
                          for field in fields(self)))


_NONE = np.zeros(0, np.int64)
_EMPTY = _Records(_NONE, _NONE, _NONE, np.zeros(0), _NONE, _NONE, _NONE, _NONE, _NONE, _NONE,
                  np.zeros(0))


class Log:
    """Records of `utterances`, and their traces once they are over.

    `beam` says what is kept for lattices, None that none are wanted; `heard` gives the weighted
    scores of the frame behind a time in keys. Call `add_ends`, `add_entries` and, for lattices,
    `add_tokens` once for each time, in this order.
    """

    def __init__(self, network: Network, arc_scores: Scores, utterances: int, beam: float | None,
                 heard: Callable[[Ids, int], Scores]) -> None:
        self._network, self._beam = network, beam
        self._places = Places(utterances * network.nodes)
        self._back = LookingBack(network, arc_scores, heard,
                                 -np.inf if beam is None else -beam - ROUNDING, self._places)
        self._settled: list[_Records] = []
        self._recent: list[_Records] = []
        self._end_count = self._entry_count = 0
        self._limited = False
        self._traces: dict[int, Trace] = {}

    def add_ends(self, keys: Ids, scores: Scores, entries: Ids, time: int) -> Ids:
        """Write down ends with the entries of the words that end; their numbers."""
        numbers = np.arange(self._end_count, self._end_count + len(keys))
        self._end_count += len(keys)
        self._recent.append(_Records(numbers, np.full(len(keys), time), keys, scores, entries,
                                     _NONE, _NONE, _NONE, _NONE, _NONE, np.zeros(0)))
        return numbers

    def add_entries(self, ends: Ids, arcs: Ids) -> Ids:
        """Write down words that begin behind ends; their numbers."""
        numbers = np.arange(self._entry_count, self._entry_count + len(ends))
        self._entry_count += len(ends)
        now = self._recent[-1]
        now.entry_numbers, now.entry_ends, now.entry_arcs = numbers, ends, arcs
        return numbers

    def add_tokens(self, keys: Ids, scores: Scores, time: int) -> None:
        """Write down the tokens that a frame has left."""
        now = self._recent[-1]
        now.token_times, now.token_keys = np.full(len(keys), time), keys
        now.token_scores = scores

    def forget(self, time: int, entries: Ids) -> None:
        """Forget what leads nowhere; `entries` are those of all tokens that the frame behind `time`
        has left. It is the last time that was written.

        Utterances that are over should have their traces by now: of them, all is forgotten.
        """
        first = time + 1 - len(self._recent)
        near = self._near(first, time)
        low_entry = min([part.entry_numbers[0] for part in self._recent
                         if len(part.entry_numbers)], default=self._entry_count)
        low_end = min([part.end_numbers[0] for part in self._recent if len(part.end_numbers)],
                      default=self._end_count)
        entry_wanted = np.zeros(self._entry_count - low_entry, bool)
        end_wanted = np.zeros(self._end_count - low_end, bool)
        entry_wanted[entries[entries >= low_entry] - low_entry] = True
        for place in range(len(self._recent) - 1, -1, -1):
            part, (ends, tokens) = self._recent[place], near[place]
            # What the beam keeps needs what came before it, for its best words.
            kept = entry_wanted[part.entry_numbers - low_entry]
            before = part.entry_ends[kept]
            end_wanted[before[before >= low_end] - low_end] = True
            ends = ends | end_wanted[part.end_numbers - low_end]
            entered = part.end_entries[ends]
            entry_wanted[entered[entered >= low_entry] - low_entry] = True
            self._recent[place] = part.kept(ends, kept, tokens)
        over = len(self._recent) - (LOOKED_BACK - PERIOD)
        if over > 0:
            self._settled.append(_Records.together(self._recent[:over]))
            self._recent = self._recent[over:]

    def _near(self, first: int, last: int) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """Which ends and tokens of each recent time lie within the beam."""
        if self._beam is None:
            return [(np.zeros(len(part.end_keys), bool), np.zeros(len(part.token_keys), bool))
                    for part in self._recent]
        found = [Standing(part.end_keys, part.end_scores, np.full(len(part.end_keys), -np.inf),
                          part.token_keys, part.token_scores,
                          np.full(len(part.token_keys), -np.inf)) for part in self._recent]
        found[-1].of_tokens[:] = -found[-1].token_scores
        self._back.through(lambda time: found[time - first], last, first)
        leaving = len(found) - (LOOKED_BACK - PERIOD)
        return [(self._best(one.end_scores + one.of_ends, place < leaving),
                 self._best(one.token_scores + one.of_tokens, place < leaving))
                for place, one in enumerate(found)]

    def _best(self, totals: Scores, limited: bool) -> NDArray[np.bool_]:
        """What is near; if `limited`, not much more than `MOST`, but all the best ways stay."""
        near = self._back.near(totals)
        if limited and np.count_nonzero(near) > MOST:
            self._limited = True
            place = len(totals) - MOST
            near &= totals >= np.partition(totals, place)[place] - ROUNDING
        return near

    def finish(self, utterance: int, time: int, ends: Ids, scores: Scores) -> None:
        """An utterance is over, and may have ended in `ends`, which adds `scores`."""
        self._traces[utterance] = self._trace(utterance, time, ends, scores, None)

    def cut_off(self, utterance: int, time: int, scores: Scores, entries: Ids) -> None:
        """An utterance ends within the word of the one path given, or of none at its beginning."""
        self._traces[utterance] = self._trace(utterance, time, _NONE, np.zeros(1),
                                              (scores, entries))

    def _trace(self, utterance: int, time: int, last_ends: Ids, last_scores: Scores,
               cut: tuple[Scores, Ids] | None) -> Trace:
        mine = _Records.together([_EMPTY, *map(self._of(utterance), self._settled),
                                  *map(self._of(utterance), self._recent)])
        entered, entry_ends = mine.entry_numbers, mine.entry_ends
        times, scores, pasts = mine.end_times, mine.end_scores, mine.end_entries
        nodes = mine.end_keys % self._network.nodes
        last = np.searchsorted(mine.end_numbers, last_ends)
        if cut is not None:
            # The end within a word stands behind all others; without one, it is the beginning.
            last = np.array([len(times) if len(cut[0]) else 0])
            times = np.append(times, np.full(len(cut[0]), time))
            nodes = np.append(nodes, np.full(len(cut[0]), NOTHING))
            scores, pasts = np.append(scores, cut[0]), np.append(pasts, cut[1])
        entries = np.where(pasts == NOTHING, NOTHING, np.searchsorted(entered, pasts))
        first_token = (np.zeros(1, np.int64) if self._beam is None
                       else np.searchsorted(mine.token_times, np.arange(time + 1)))
        return Trace(times, nodes, scores, entries, np.searchsorted(mine.end_numbers, entry_ends),
                     mine.entry_arcs, last, last_scores, cut is None, first_token,
                     mine.token_keys % self._network.nodes, mine.token_scores, self._limited)

    def _of(self, utterance: int) -> Callable[[_Records], _Records]:
        low = utterance * self._network.nodes
        high = low + self._network.nodes

        def own(part: _Records) -> _Records:
            ends = (part.end_keys >= low) & (part.end_keys < high)
            return part.kept(ends, np.isin(part.entry_ends, part.end_numbers[ends]),
                             (part.token_keys >= low) & (part.token_keys < high))

        return own

    def traces(self) -> list[Trace]:
        """The trace of each utterance, with numbers of its own, once all are over."""
        return [self._traces[utterance] for utterance in range(len(self._traces))]
