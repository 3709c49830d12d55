"""Decision trees that say which contexts of a phone's state share one density.

Young, Odell and Woodland 1994, "Tree-Based State Tying for High Accuracy Acoustic Modelling". All
frames of a tree's contexts begin in one leaf with one Gaussian. A question asks whether the phone
to the left, or to the right, is in a class (is it a nasal?); the leaf and question that raise the
likelihood most are split, until gains or leaves run out. Trees of all states grow together, so
leaves go where the data want them. A context that was never seen goes down the tree like any other.

The likelihood of frames under their own Gaussian follows from count, sum and sum of squares, which
add up; no frame is looked at twice.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal, NamedTuple

import numpy as np

from pipeline.hmm.gmm import Floats, Frames, Ids, grouped

Classes = Mapping[str, frozenset[str]]
"""Classes of phones that questions ask for, by name."""

Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")


class Context(NamedTuple):
    left: str
    right: str


@dataclass(frozen=True)
class Split:
    """A question, and what follows for contexts of each answer; `gain` in nats."""

    side: Side
    question: str
    gain: float
    yes: "Tree"
    no: "Tree"


Tree = Split | int
"""A leaf is a number."""


@dataclass(frozen=True)
class Limits:
    """When trees stop growing: a leaf has at least `least_frames`, a split gains `least_gain` nats.

    All trees together have at most `most_leaves`. Then leaves of one tree are merged whose loss is
    less than `merge_loss` nats.
    """

    least_frames: float
    most_leaves: int
    least_gain: float = 0.0
    merge_loss: float = 0.0


def log_likelihood(moments: Floats, floor: Floats) -> Floats:
    """That of frames under the best Gaussian with variances of at least `floor` [D], [...].

    `moments` [..., 1 + 2 D] are the frames' count, sum and sum of squares.
    """
    dimension = len(floor)
    frames = moments[..., 0]
    divisor = np.where(frames > 0, frames, 1.0)[..., None]
    means = moments[..., 1 : 1 + dimension] / divisor
    spread = np.maximum(moments[..., 1 + dimension :] / divisor - means ** 2, 0.0)
    variances = np.maximum(spread, floor)
    return -0.5 * frames * (np.log(2 * np.pi * variances) + spread / variances).sum(axis=-1)


@dataclass(frozen=True)
class Questions:
    """Whether the phone on a side is in a class: each class asked to the left, then to the right.
    """

    classes: Classes

    def asked(self) -> list[tuple[Side, str]]:
        return [(side, name) for side in SIDES for name in self.classes]

    def answers(self, contexts: Sequence[Context]) -> Floats:
        """1 for yes and 0 for no, [contexts, questions]."""
        return np.array([[float(getattr(context, side) in self.classes[name])
                          for side, name in self.asked()] for context in contexts])

    def leaf(self, tree: Tree, context: Context) -> int:
        """The leaf of a context, seen or not."""
        while isinstance(tree, Split):
            answer = getattr(context, tree.side) in self.classes[tree.question]
            tree = tree.yes if answer else tree.no
        return tree


@dataclass
class _Leaf:
    """Contexts of one tree that are together, with the best split of them."""

    moments: Floats  # [contexts, 1 + 2 D]
    answers: Floats  # [contexts, questions]
    question: int = -1
    gain: float = -np.inf
    parts: "tuple[_Leaf, _Leaf] | None" = None
    number: int = -1

    def look(self, floor: Floats, least: float) -> None:
        """Find the split that gains most and leaves `least` frames on both sides."""
        yes = self.answers.T @ self.moments
        no = (1 - self.answers).T @ self.moments
        whole = log_likelihood(self.moments.sum(axis=0), floor)
        gains = log_likelihood(yes, floor) + log_likelihood(no, floor) - whole
        fewest = np.minimum(yes[:, 0], no[:, 0])
        gains[(fewest < least) | (fewest == 0)] = -np.inf
        if len(gains):
            self.question = int(gains.argmax())
            self.gain = float(gains[self.question])

    def divide(self) -> "tuple[_Leaf, _Leaf]":
        yes = self.answers[:, self.question] > 0
        self.parts = (_Leaf(self.moments[yes], self.answers[yes]),
                      _Leaf(self.moments[~yes], self.answers[~yes]))
        return self.parts

    def ends(self) -> "list[_Leaf]":
        """The leaves under this one, that of yes before that of no."""
        return [end for part in self.parts for end in part.ends()] if self.parts else [self]

    def tree(self, asked: list[tuple[Side, str]]) -> Tree:
        if not self.parts:
            return self.number
        yes, no = self.parts
        return Split(*asked[self.question], self.gain, yes.tree(asked), no.tree(asked))


def grow(seen: Sequence[tuple[Sequence[Context], Floats]], questions: Questions, limits: Limits,
         floor: Floats, first: int = 0) -> list[Tree]:
    """A tree for each of `seen`: its contexts and their moments [contexts, 1 + 2 D].

    Leaves are numbered from `first` on. A tree without contexts is a leaf. Of splits that gain
    alike, that of the earlier leaf and question is made. `floor` [D] is the least variance.
    """
    asked = questions.asked()
    roots = [_Leaf(moments, questions.answers(contexts).reshape(len(contexts), len(asked)))
             for contexts, moments in seen]
    serial = count()
    queue: list[tuple[float, int, _Leaf]] = []

    def offer(leaf: _Leaf) -> None:
        leaf.look(floor, limits.least_frames)
        if leaf.gain > limits.least_gain:
            heapq.heappush(queue, (-leaf.gain, next(serial), leaf))

    for root in roots:
        offer(root)
    leaves = len(roots)
    while queue and leaves < limits.most_leaves:
        for part in heapq.heappop(queue)[2].divide():
            offer(part)
        leaves += 1
    for root in roots:
        first = _number(root.ends(), limits.merge_loss, floor, first)
    return [root.tree(asked) for root in roots]


def _number(leaves: list[_Leaf], most_loss: float, floor: Floats, first: int) -> int:
    """Number the leaves of one tree, merged ones alike; return the next free number."""
    groups = _merged([leaf.moments.sum(axis=0) for leaf in leaves], most_loss, floor)
    for number, group in enumerate(groups, start=first):
        for place in group:
            leaves[place].number = number
    return first + len(groups)


def _merged(moments: list[Floats], most_loss: float, floor: Floats) -> list[list[int]]:
    """Leaves in groups: the pair that loses least is merged while it loses less than `most_loss`.

    Groups are in the order of their first leaf.
    """
    groups, sums = [[place] for place in range(len(moments))], np.array(moments)
    while len(groups) > 1:
        alone = log_likelihood(sums, floor)
        losses = (alone[:, None] + alone
                  - log_likelihood(sums[:, None] + sums, floor))
        losses[np.tril_indices(len(groups))] = np.inf
        one, other = divmod(int(losses.argmin()), len(groups))
        if losses[one, other] >= most_loss:
            break
        groups[one] += groups.pop(other)
        sums[one] += sums[other]
        sums = np.delete(sums, other, axis=0)
    return groups


def gathered(frames: Frames, groups: Ids, count: int) -> Floats:
    """Count, sum and sum of squares of the frames [F, D] of each group, [count, 1 + 2 D].

    `groups` [F] are from 0; a negative one is none.
    """
    moments = np.zeros((count, 1 + 2 * frames.shape[1]))
    for group, rows in grouped(groups):
        x = frames[rows].astype(np.float64)
        moments[group] = np.concatenate([[len(x)], x.sum(axis=0), (x * x).sum(axis=0)])
    return moments
