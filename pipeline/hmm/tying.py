"""Triphones with tied states: a phone between two others, also across words.

A triphone is a phone in its context, and most of those that words can make are rare or never seen.
So states are tied: each state of each centre phone has a decision tree over its neighbours
(`pipeline.hmm.decision_trees`), whose leaves are the states that the recogniser has. Silence knows
no context.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

from pipeline.hmm.decision_trees import (
    Classes,
    Context,
    Limits,
    Questions,
    Side,
    Split,
    Tree,
    gathered,
    grow,
)
from pipeline.hmm.gmm import Floats, Frames, Ids
from pipeline.hmm.graphs import NOWHERE
from pipeline.hmm.phones import FIRST_STAY, SIL, TiedStates, Topology
from pipeline.hmm.transcripts import Spoken
from pipeline.hmm.utterances import Alignment, Utterances


class Unit(NamedTuple):
    """A state, from 0, of a phone between two others."""

    left: str
    phone: str
    right: str
    position: int


@dataclass(frozen=True)
class Units:
    """Which unit each frame belongs to: `places` [F] in `kinds`, NOWHERE without a path."""

    kinds: tuple[Unit, ...]
    places: Ids

    @classmethod
    def of(cls, utterances: Utterances, transcripts: Sequence[Spoken],
           alignment: Alignment) -> Self:
        """Those of an alignment with the graphs of `transcripts`, whatever states they named."""
        kinds: dict[Unit, int] = {}
        places = np.full(len(alignment.nodes), NOWHERE)
        for utterance, transcript in enumerate(transcripts):
            own = slice(*utterances.offsets[utterance : utterance + 2])
            if alignment.scores[utterance] > -np.inf:
                of_nodes = np.array([kinds.setdefault(Unit(*node[:4]), len(kinds))
                                     for node in transcript.nodes])
                places[own] = of_nodes[alignment.nodes[own]]
        return cls(tuple(kinds), places)

    def states(self, tied: TiedStates) -> Ids:
        """The tied state of each frame, [F]."""
        table = [tied.states(unit.left, unit.phone, unit.right)[unit.position]
                 for unit in self.kinds]
        return np.array([*table, NOWHERE])[self.places]


class FirstQuestion(NamedTuple):
    """What is asked first of a phone's state, and how many nats the answer is worth."""

    phone: str
    position: int
    side: Side
    question: str
    gain: float


@dataclass(frozen=True)
class TiedTriphones:
    """A tree for each state of each phone but SIL; leaves are tied states, behind those of SIL."""

    topology: Topology
    questions: Questions
    trees: dict[str, tuple[Tree, ...]]
    stay: Floats

    def states(self, left: str, phone: str, right: str) -> tuple[int, ...]:
        if phone == SIL:
            return tuple(range(self.topology.lengths[SIL]))
        context = Context(left, right)
        return tuple(self.questions.leaf(tree, context) for tree in self.trees[phone])

    def with_stay(self, stay: Floats) -> Self:
        return replace(self, stay=stay)

    def first_questions(self) -> list[FirstQuestion]:
        """Of every state whose contexts were told apart at all."""
        return [FirstQuestion(phone, position, tree.side, tree.question, tree.gain)
                for phone, trees in self.trees.items() for position, tree in enumerate(trees)
                if isinstance(tree, Split)]

    def to_json(self) -> dict[str, Any]:
        """All of it in dicts, lists, texts and numbers."""
        return {"lengths": self.topology.lengths, "stay": self.stay.tolist(),
                "classes": {name: sorted(phones)
                            for name, phones in self.questions.classes.items()},
                "trees": {phone: [_tree_to_json(tree) for tree in trees]
                          for phone, trees in self.trees.items()}}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """What `to_json` gave. Raises KeyError or TypeError for anything else."""
        classes = {name: frozenset(phones) for name, phones in stored["classes"].items()}
        return cls(Topology(stored["lengths"]), Questions(classes),
                   {phone: tuple(_tree_from_json(tree) for tree in trees)
                    for phone, trees in stored["trees"].items()},
                   np.array(stored["stay"], np.float64))


def tie(frames: Frames, units: Units, topology: Topology, classes: Classes, limits: Limits,
        floor: Floats) -> TiedTriphones:
    """Tied states from frames [F, D] and the units to which an alignment gave them.

    `limits.most_leaves` counts the states of SIL too. `floor` [D] is the least variance.
    """
    moments = gathered(frames, units.places, len(units.kinds))
    members: dict[tuple[str, int], list[int]] = {
        (phone, position): [] for phone, length in topology.lengths.items() if phone != SIL
        for position in range(length)}
    for place, unit in enumerate(units.kinds):
        if unit.phone != SIL:
            members[unit.phone, unit.position].append(place)
    seen = [([Context(units.kinds[place].left, units.kinds[place].right) for place in places],
             moments[places]) for places in members.values()]
    silence = topology.lengths[SIL]
    questions = Questions(classes)
    grown = grow(seen, questions, replace(limits, most_leaves=limits.most_leaves - silence), floor,
                 silence)
    trees: dict[str, tuple[Tree, ...]] = {}
    for (phone, _), tree in zip(members, grown, strict=True):
        trees[phone] = (*trees.get(phone, ()), tree)
    states = max((_most(tree) for tree in grown), default=silence - 1) + 1
    return TiedTriphones(topology, questions, trees, np.full(states, np.log(FIRST_STAY)))


def classes_by_likeness(means: dict[str, Floats]) -> dict[str, frozenset[str]]:
    """Classes of phones that sound alike, where nobody gave phonetic ones.

    `means` are a vector [n] of each phone, its states' means end to end, say. They are clustered
    from below so that the variance within clusters grows least (Ward), and every cluster is a
    class, single phones too; a name is its phones, sorted. Kaldi finds its questions alike (Povey
    et al. 2011, "The Kaldi Speech Recognition Toolkit").
    """
    from scipy.cluster.hierarchy import linkage

    clusters = [frozenset([phone]) for phone in sorted(means)]
    if len(clusters) > 1:
        for one, other, _, _ in linkage(np.array([means[phone] for phone in sorted(means)]),
                                        "ward"):
            clusters.append(clusters[int(one)] | clusters[int(other)])
        clusters.pop()  # the class of all phones asks nothing but where silence is
    clusters.append(frozenset([SIL]))
    return {" ".join(sorted(cluster)): cluster for cluster in clusters}


def _most(tree: Tree) -> int:
    return max(_most(tree.yes), _most(tree.no)) if isinstance(tree, Split) else tree


def _tree_to_json(tree: Tree) -> Any:
    if not isinstance(tree, Split):
        return tree
    return {"side": tree.side, "question": tree.question, "gain": tree.gain,
            "yes": _tree_to_json(tree.yes), "no": _tree_to_json(tree.no)}


def _tree_from_json(stored: Any) -> Tree:
    if isinstance(stored, int):
        return stored
    return Split(stored["side"], stored["question"], stored["gain"],
                 _tree_from_json(stored["yes"]), _tree_from_json(stored["no"]))
