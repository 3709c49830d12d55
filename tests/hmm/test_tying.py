"""Decision trees against all questions tried one by one, and ties of triphones drawn by hand."""

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from pipeline.hmm.decision_trees import (
    Context,
    Limits,
    Questions,
    Split,
    Tree,
    gathered,
    grow,
    log_likelihood,
)
from pipeline.hmm.graphs import NOWHERE
from pipeline.hmm.phones import SIL, Topology
from pipeline.hmm.transcripts import spoken
from pipeline.hmm.tying import TiedTriphones, Unit, Units, classes_by_likeness, tie
from pipeline.hmm.utterances import Alignment, Utterances

PHONES = ["M", "N", "S", "T"]
CLASSES = {"nasal": frozenset("MN"), "M": frozenset("M"), "T": frozenset("T"),
           "silence": frozenset([SIL])}
CONTEXTS = [Context(left, right) for left, right in product(PHONES, PHONES)]
FREE = Limits(least_frames=1, most_leaves=1000)


def in_contexts(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames [count, 2] and the place of their context; the right nasal shifts them."""
    places = random.integers(0, len(CONTEXTS), count)
    shift = np.array([context.right in "MN" for context in CONTEXTS], float)[places]
    return random.normal(0, 1, (count, 2)) + 1.5 * shift[:, None], places


def by_frames(frames: np.ndarray, floor: float = 1e-3) -> float:
    """Log-likelihood of frames under their own Gaussian, frame by frame."""
    if not len(frames):
        return 0.0
    deviations = np.sqrt(np.maximum(frames.var(axis=0), floor))
    return float(norm(frames.mean(axis=0), deviations).logpdf(frames).sum())


def test_the_likelihood_from_moments_is_that_of_the_frames() -> None:
    random = np.random.default_rng(0)
    frames = random.normal(3, 2, (20, 2))
    frames[:, 1] = 5.0  # its variance is the floor's
    moments = gathered(frames, np.zeros(20, np.int64), 2)
    found = log_likelihood(moments, np.full(2, 1e-3))
    assert found[0] == pytest.approx(by_frames(frames)) and found[1] == 0.0


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), least=st.sampled_from([1, 12, 25]))
def test_the_first_split_is_the_best_of_all_questions(seed: int, least: int) -> None:
    frames, places = in_contexts(np.random.default_rng(seed), 60)
    moments = gathered(frames, places, len(CONTEXTS))
    tree, = grow([(CONTEXTS, moments)], Questions(CLASSES), Limits(least, 2), np.full(2, 1e-3))
    gains = {}
    for side, (name, phones) in product(("left", "right"), CLASSES.items()):
        yes = np.array([getattr(CONTEXTS[place], side) in phones for place in places])
        if min(yes.sum(), (~yes).sum()) >= least:
            gains[side, name] = (by_frames(frames[yes]) + by_frames(frames[~yes])
                                 - by_frames(frames))
    if not gains:
        assert tree == 0
        return
    assert isinstance(tree, Split)
    assert tree.gain == pytest.approx(gains[tree.side, tree.question])
    assert tree.gain == pytest.approx(max(gains.values()))
    assert (tree.yes, tree.no) == (0, 1)


def leaves(tree: Tree) -> list[int]:
    return [*leaves(tree.yes), *leaves(tree.no)] if isinstance(tree, Split) else [tree]


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), least=st.sampled_from([1, 10, 40]))
def test_no_leaf_has_fewer_frames_than_wanted(seed: int, least: int) -> None:
    random = np.random.default_rng(seed)
    questions = Questions(CLASSES)
    data = [in_contexts(random, 200) for _ in range(3)]
    seen = [(CONTEXTS, gathered(frames, places, len(CONTEXTS))) for frames, places in data]
    trees = grow(seen, questions, Limits(least, 1000), np.full(2, 1e-3), first=5)
    assert [leaf for tree in trees for leaf in leaves(tree)] == list(
        range(5, 5 + sum(len(leaves(tree)) for tree in trees)))
    for tree, (_, places) in zip(trees, data, strict=True):
        reached = [questions.leaf(tree, CONTEXTS[place]) for place in places]
        assert min(np.bincount(reached)[leaves(tree)]) >= least


def test_trees_share_the_leaves_where_they_gain_most() -> None:
    # The second tree's contexts differ far more, so it has the two splits that there may be.
    contexts = [Context(*pair) for pair in ("MM", "MT", "TM", "TT")]
    near, far = np.tile([0.0, 0.1], 4), np.repeat([0.0, 10.0, 20.0, 30.0], 2)
    moments = gathered(np.concatenate([near, far])[:, None], np.repeat(np.arange(8), 2), 8)
    seen = [(contexts, moments[:4]), (contexts, moments[4:])]
    first, second = grow(seen, Questions(CLASSES), Limits(1, 4), np.array([0.01]))
    assert leaves(first) == [0] and leaves(second) == [1, 2, 3]
    assert isinstance(second, Split) and second.side == "left"
    both = grow(seen, Questions(CLASSES), Limits(1, 9, least_gain=1e9), np.array([0.01]))
    assert both == [0, 1]


def test_leaves_that_sound_alike_are_merged() -> None:
    # Whichever question is first, the second puts MS and TN, which sound alike, into two branches.
    contexts = [Context(*pair) for pair in ("MN", "MS", "TN", "TS")]
    frames = np.repeat([0.0, 50.0, 50.0, 400.0], [2, 1, 1, 6])[:, None]
    moments = gathered(frames, np.repeat(np.arange(4), [2, 1, 1, 6]), 4)
    questions = Questions({"M": frozenset("M"), "N": frozenset("N")})

    def leaves_of(merge_loss: float) -> list[int]:
        tree, = grow([(contexts, moments)], questions, Limits(1, 1000, merge_loss=merge_loss),
                     np.array([0.01]))
        return [questions.leaf(tree, context) for context in contexts]

    assert leaves_of(0.0) == [0, 1, 2, 3]
    assert leaves_of(0.5) == [0, 1, 1, 2]
    # Of the three that are left, 0 and 50 lose least.
    loss = (by_frames(frames[:2], 0.01) + by_frames(frames[2:4], 0.01)
            - by_frames(frames[:4], 0.01))
    assert leaves_of(loss - 1e-6) == [0, 1, 1, 2]
    assert leaves_of(loss + 1e-6) == [0, 0, 0, 1]
    assert leaves_of(1e9) == [0, 0, 0, 0]


def tied_by_hand() -> TiedTriphones:
    """M is told apart by T to the left in its second state; N has one leaf for each."""
    kinds = (Unit("T", "M", "S", 0), Unit("T", "M", "S", 1), Unit("N", "M", "S", 1),
             Unit("T", "N", "S", 0), Unit(SIL, SIL, SIL, 0))
    places = np.repeat([0, 1, 2, 3, 4, NOWHERE], 4)
    frames = np.repeat([0.0, 0.0, 9.0, 3.0, 7.0, 50.0], 4)[:, None]
    return tie(frames, Units(kinds, places), Topology.of(["M", "N"], 2, 3), CLASSES,
               Limits(2, 100, 1.0), np.array([0.1]))


def test_unseen_triphones_are_answered_by_the_trees() -> None:
    tied = tied_by_hand()
    assert tied.states("N", SIL, "M") == (0, 1, 2)
    apart, other = tied.states("T", "M", "S"), tied.states("N", "M", "S")
    assert apart[0] == other[0] == 3 and {apart[1], other[1]} == {4, 5}
    # Never seen: T to the left of M before N, an unknown phone, and N's second state at all.
    # A nasal is asked for, as it is the first class that tells N from T.
    assert tied.states("T", "M", "N") == tied.states("??", "M", SIL) == apart
    assert tied.states("M", "M", SIL) == other
    assert tied.states("M", "N", "M") == (6, 7)
    assert len(tied.stay) == 8
    with pytest.raises(KeyError):
        tied.states("M", "S", "M")
    question, = tied.first_questions()
    assert question[:4] == ("M", 1, "left", "nasal")
    # Four frames at 0 and four at 9 have variance 20.25, each alone the floor's 0.1.
    assert question.gain == pytest.approx(4 * np.log(20.25 / 0.1) + 4)


def test_ties_survive_being_written_as_json() -> None:
    tied = tied_by_hand()
    tied = tied.with_stay(np.log(np.linspace(0.1, 0.8, 8)))
    again = TiedTriphones.from_json(json.loads(json.dumps(tied.to_json())))
    assert again.to_json() == tied.to_json()
    assert again.stay.tolist() == tied.stay.tolist()
    for left, phone, right in product([*PHONES, SIL], ["M", "N", SIL], [*PHONES, SIL]):
        assert again.states(left, phone, right) == tied.states(left, phone, right)


def test_all_states_together_are_at_most_as_many_as_wanted() -> None:
    random = np.random.default_rng(2)
    kinds = tuple(Unit(left, "M", right, position)
                  for left, right, position in product(PHONES, PHONES, (0, 1)))
    places = random.integers(0, len(kinds), 2000)
    frames = random.normal(0, 1, (2000, 2)) + places[:, None]
    tied = tie(frames, Units(kinds, places), Topology.of(["M"], 2, 3), CLASSES, Limits(1, 9),
               np.full(2, 0.01))
    assert len(tied.stay) == 9


def test_units_of_an_alignment_are_those_of_its_nodes() -> None:
    tied = tied_by_hand()
    transcript = spoken(["MN"], {"MN": [["M", "N"]]}, tied)
    graph = transcript.graph
    utterances = Utterances(np.zeros((6, 1)), np.array([0, 4, 6]), [graph, graph])
    chain = [place for place, node in enumerate(transcript.nodes) if node.phone != SIL]
    alignment = Alignment(np.array([*chain, NOWHERE, NOWHERE]), np.zeros(6, np.int64),
                          np.array([0.0, -np.inf]), np.zeros(2))
    units = Units.of(utterances, [transcript, transcript], alignment)
    named = [units.kinds[place] if place != NOWHERE else None for place in units.places]
    assert named == [(SIL, "M", "N", 0), (SIL, "M", "N", 1), ("M", "N", SIL, 0),
                     ("M", "N", SIL, 1), None, None]
    assert units.states(tied).tolist() == [*tied.states(SIL, "M", "N"),
                                           *tied.states("M", "N", SIL), NOWHERE, NOWHERE]


def test_phones_with_like_means_are_one_class() -> None:
    classes = classes_by_likeness({"M": np.array([0.0, 0]), "N": np.array([1.0, 0]),
                                   "S": np.array([9.0, 9]), "T": np.array([9.0, 11])})
    assert list(classes) == ["M", "N", "S", "T", "M N", "S T", SIL]
    assert classes["M N"] == {"M", "N"}
