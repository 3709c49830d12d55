"""Utterances with their transcripts, and what a model expects of their hidden states.

Two kinds of expectation train the same model: the best path of each utterance (Viterbi training,
"segmental k-means"), or all paths by their probability (Baum-Welch; Rabiner 1989, "A Tutorial on
Hidden Markov Models and Selected Applications in Speech Recognition", section III.C). The first
needs no new path while the old one serves, and is many times as fast.

F is the number of frames of all utterances, U that of utterances, S that of tied states.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.hmm.gmm import Floats, Frames, Ids, Mixtures
from pipeline.hmm.gmm_training import Statistics, add_aligned
from pipeline.hmm.graphs import NOWHERE, Graphs, best_paths, expectations
from pipeline.hmm.phones import TiedStates

CELLS = 1_000_000  # frames times nodes that are searched at once; the memory is a few times that


@dataclass(frozen=True)
class AcousticModel:
    """States of phones, and the densities of frames in them."""

    tied: TiedStates
    mixtures: Mixtures


@dataclass(frozen=True)
class Utterances:
    """Frames [F, D] of utterances end to end, cut at `offsets` [U + 1], and their graphs.

    No utterance is empty.
    """

    frames: Frames
    offsets: Ids
    graphs: Sequence[Graphs]

    def of(self, utterance: int) -> Frames:
        return self.frames[self.offsets[utterance] : self.offsets[utterance + 1]]

    def of_all(self, chosen: Ids) -> Frames:
        """The frames of chosen utterances end to end."""
        if len(chosen) == 1:
            return self.of(int(chosen[0]))
        return np.concatenate([self.of(utterance) for utterance in chosen.tolist()])

    def batches(self) -> Iterator[Ids]:
        """Utterances of like length, the longest first, whose graphs are searched together."""
        lengths = np.diff(self.offsets)
        batch: list[int] = []
        nodes = 0
        for utterance in np.argsort(-lengths, kind="stable").tolist():
            size = len(self.graphs[utterance].emits)
            if batch and lengths[batch[0]] * (nodes + size) > CELLS:
                yield np.array(batch)
                batch, nodes = [], 0
            batch.append(utterance)
            nodes += size
        if batch:
            yield np.array(batch)


@dataclass(frozen=True)
class Alignment:
    """The best path of each utterance.

    `nodes` [F] are places in the utterance's own graph and `states` [F] what they emit, NOWHERE in
    an utterance that has no path. `scores` [U] are log P(frames, path), -inf without one, and
    `choices` [U] what of it the choices of pronunciations and silences are.
    """

    nodes: Ids
    states: Ids
    scores: Floats
    choices: Floats


@dataclass(frozen=True)
class Expected:
    """What a pass over utterances expects: what every Gaussian saw and how often states stay.

    `stays` [S] are expected frames of each state that it does not leave with the next.
    `log_likelihood` is that of all frames with a path, `frames` their number, `left_out` how many
    utterances have none.
    """

    statistics: Statistics
    stays: Floats
    log_likelihood: float
    frames: int
    left_out: int


def align(model: AcousticModel, utterances: Utterances) -> Alignment:
    """Forced alignment of utterances with their transcripts."""
    nodes = np.full(len(utterances.frames), NOWHERE)
    states = np.full(len(utterances.frames), NOWHERE)
    scores, choices = np.full((2, len(utterances.graphs)), -np.inf)
    for batch in utterances.batches():
        graphs, emissions, frames = _together(model, utterances, batch)
        found = best_paths(graphs, model.tied.stay, emissions, frames)
        scores[batch], choices[batch] = found.scores, found.choices
        for row in np.flatnonzero(found.scores > -np.inf):
            path = found.nodes[row, : frames[row]]
            own = slice(utterances.offsets[batch[row]], utterances.offsets[batch[row] + 1])
            nodes[own] = path - graphs.offsets[row]
            states[own] = graphs.emits[path]
    return Alignment(nodes, states, scores, choices)


def expected_aligned(model: AcousticModel, utterances: Utterances,
                     alignment: Alignment) -> Expected:
    """Expectations on one path alone, whichever model found it.

    The log-likelihood is that of frames and path.
    """
    statistics = Statistics.none(model.mixtures)
    total = add_aligned(statistics, model.mixtures, utterances.frames, alignment.states)
    inside = alignment.nodes != NOWHERE
    goes_on = np.append(alignment.nodes[1:] == alignment.nodes[:-1], False)
    goes_on[utterances.offsets[1:] - 1] = False
    stay, count = model.tied.stay, len(model.tied.stay)
    stays = np.bincount(alignment.states[inside & goes_on], minlength=count)
    leaves = np.bincount(alignment.states[inside & ~goes_on], minlength=count)
    found = alignment.scores > -np.inf
    total += stays @ stay + leaves @ np.log(-np.expm1(stay)) + alignment.choices[found].sum()
    return Expected(statistics, stays.astype(np.float64), float(total), int(inside.sum()),
                    int((~found).sum()))


def expected(model: AcousticModel, utterances: Utterances) -> Expected:
    """Expectations over all paths. The log-likelihood is that of the frames."""
    statistics = Statistics.none(model.mixtures)
    stays = np.zeros(len(model.tied.stay))
    total, frames, left_out = 0.0, 0, 0
    for batch in utterances.batches():
        graphs, emissions, lengths = _together(model, utterances, batch)
        found = expectations(graphs, model.tied.stay, emissions, lengths)
        stays += np.bincount(graphs.emits, found.stays, minlength=len(stays))
        possible = found.log_likelihoods > -np.inf
        for rows in _of_one_graph(utterances, batch):
            rows = rows[possible[rows]]
            if len(rows):
                states, places = utterances.graphs[batch[rows[0]]].states
                of_nodes = np.concatenate([
                    found.posteriors[: lengths[row], graphs.offsets[row] : graphs.offsets[row + 1]]
                    for row in rows])
                statistics.add(model.mixtures, utterances.of_all(batch[rows]), states,
                               of_nodes @ np.eye(len(states))[places])
        frames += int(lengths[possible].sum())
        total += float(found.log_likelihoods[possible].sum())
        left_out += int((~possible).sum())
    return Expected(statistics, stays, total, frames, left_out)


def _together(model: AcousticModel, utterances: Utterances,
              batch: Ids) -> tuple[Graphs, Floats, Ids]:
    """The graphs of a batch as one, log p(frame | node) [T, nodes], and frames of each.

    Densities are computed for the states that an utterance's graph names, and no others.
    """
    graphs = Graphs.joined([utterances.graphs[utterance] for utterance in batch])
    lengths = np.diff(utterances.offsets)[batch]
    emissions = np.zeros((lengths.max(), len(graphs.emits)))
    for rows in _of_one_graph(utterances, batch):
        states, places = utterances.graphs[batch[rows[0]]].states
        densities = model.mixtures.log_densities(utterances.of_all(batch[rows]), states)[:, places]
        ends = np.cumsum(lengths[rows])
        for row, end in zip(rows.tolist(), ends.tolist(), strict=True):
            own = slice(graphs.offsets[row], graphs.offsets[row + 1])
            emissions[: lengths[row], own] = densities[end - lengths[row] : end]
    return graphs, emissions, lengths


def _of_one_graph(utterances: Utterances, batch: Ids) -> list[Ids]:
    """Places in a batch whose utterances have the very same graph, like recordings of one word.

    Their frames are taken together, since a call costs more than the frames of a word.
    """
    places: dict[int, list[int]] = {}
    for row, utterance in enumerate(batch.tolist()):
        places.setdefault(id(utterances.graphs[utterance]), []).append(row)
    return [np.array(rows) for rows in places.values()]
