"""From tokens and ends back to those before them: the best score that is still to come for each.

One pass serves twice. Behind a whole utterance it tells how far each token lies from the best
sentence, which a lattice is made of. While the search still goes on, it begins with the tokens of
the present frame, each as good as any, and tells what no longer lies near the best way to any of
them; that can be forgotten (Povey et al. 2012, "Generating exact lattices in the WFST framework",
section on pruning, which does so every 25 frames).

Nodes of several utterances are told apart by keys: utterance * nodes + node.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.network import NOTHING, Network

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]

# By how much sums of the same numbers in another order may differ.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Standing:
    """Ends at a time and the tokens that the frame behind it has left.

    `of_ends` and `of_tokens` are the best scores from there on, -inf where nothing is known yet;
    looking back raises them in place.
    """

    end_keys: Ids
    end_scores: Scores
    of_ends: Scores
    token_keys: Ids
    token_scores: Scores
    of_tokens: Scores


class Places:
    """Finds keys among others, by a table of all `count` keys that there can be."""

    def __init__(self, count: int) -> None:
        self._table = np.full(count, NOTHING)

    def of(self, keys: Ids, known: Ids) -> Ids:
        """The place in `known` of each of `keys`, `NOTHING` where it is not there."""
        self._table[known] = np.arange(len(known))
        found = self._table[keys]
        self._table[known] = NOTHING
        return found


@dataclass(frozen=True)
class LookingBack:
    """`heard` gives the scores of the frame behind a time in keys; what scores less than `least`
    together with what is to come leads back to nothing.
    """

    network: Network
    arc_scores: Scores
    heard: Callable[[Ids, int], Scores]
    least: float
    places: Places

    def near(self, scores: Scores) -> NDArray[np.bool_]:
        """Whether scores with all that is to come are within the beam."""
        return (scores >= self.least) & (scores > -np.inf)

    def through(self, at: Callable[[int], Standing], last: int, first: int) -> None:
        """From time `last` back to `first`, with what stands `at` each."""
        here = at(last)
        for time in range(last, first - 1, -1):
            before = at(time - 1) if time > first else None
            near = self.near(here.token_scores + here.of_tokens)
            keys = here.token_keys[near]
            if len(keys):
                nodes = keys % self.network.nodes
                onward = self.heard(keys, time) + here.of_tokens[near]
                self._pass_back(keys, onward, here, before)
                if before is not None:
                    self._raise_tokens(before, keys, self.network.stay[nodes] + onward)
            if before is None:
                return
            near = self.near(here.end_scores + here.of_ends)
            self._pass_back(here.end_keys[near], here.of_ends[near], here, before)
            here = before

    def _pass_back(self, keys: Ids, onward: Scores, here: Standing,
                   before: Standing | None) -> None:
        """From keys that are come to at a time, to the ends and the tokens before them."""
        network, nodes = self.network, keys % self.network.nodes
        places, arcs = network.arriving(nodes)
        sources = network.sources[arcs]
        scores = self.arc_scores[arcs] + onward[places]
        begins = sources < network.boundaries
        source_keys = (keys - nodes)[places] + sources
        ends = self.places.of(source_keys[begins], here.end_keys)
        np.maximum.at(here.of_ends, ends[ends != NOTHING], scores[begins][ends != NOTHING])
        if before is not None:
            self._raise_tokens(before, source_keys[~begins], scores[~begins])

    def _raise_tokens(self, before: Standing, keys: Ids, scores: Scores) -> None:
        tokens = self.places.of(keys, before.token_keys)
        np.maximum.at(before.of_tokens, tokens[tokens != NOTHING], scores[tokens != NOTHING])
