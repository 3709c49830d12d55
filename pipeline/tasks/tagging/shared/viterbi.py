"""Viterbi decoding of hidden Markov models of any order, many sentences at once.

The recursion runs over a table with one dimension for each tag that the next transition looks back
on. Two things make it fast: all sentences that are long enough take a step together, and a word
keeps only the tags that it can have (`candidates`), two or three for most words. Which tag came
before is looked up on the best path alone, on the way back.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.tagging.shared.text import Text

SENTENCES_AT_ONCE = 1024


@dataclass(frozen=True)
class Candidates:
    """The tags that each form can have, and their scores, both [forms, most candidates].

    A score is log P(form | tag), up to a constant of the form. A form has `counts` [forms] of
    them; the places behind have -inf.
    """

    tags: NDArray[np.int64]
    scores: NDArray[np.float64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, scores: NDArray[np.float64], most: int) -> "Candidates":
        """The up to `most` best tags of each form by `scores` [forms, tags]; -inf is no candidate.

        Of equal scores the lower tag comes first. Raises ValueError when a form has no candidate.
        """
        tags = np.argsort(-scores, axis=1, kind="stable")[:, :most]
        kept = np.take_along_axis(scores, tags, axis=1)
        counts = (kept > -np.inf).sum(axis=1)
        if len(scores) and counts.min() == 0:
            raise ValueError(f"form {int(counts.argmin())} can have no tag")
        width = counts.max(initial=1)
        return cls(tags[:, :width], kept[:, :width], counts)


def viterbi(transitions: NDArray[np.float64], candidates: Candidates,
            text: Text) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Tags [all words] of the best path of each sentence, and its log-probability [sentences].

    `transitions` [tags + 1] * order are log P(last | all before); the last number stands for the
    boundary, before the first word and behind the last. A sentence without words has
    probability 1. Of equally probable paths one is taken, always the same.
    """
    found = np.zeros(len(text.words), np.int64)
    scores = np.zeros(len(text))
    by_length = np.argsort(-text.lengths, kind="stable")
    by_length = by_length[text.lengths[by_length] > 0]
    for start in range(0, len(by_length), SENTENCES_AT_ONCE):
        sentences = by_length[start : start + SENTENCES_AT_ONCE]
        scores[sentences] = _decode(transitions, candidates, text, sentences, found)
    return found, scores


def _decode(transitions: NDArray[np.float64], candidates: Candidates, text: Text,
            sentences: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.float64]:
    """Decode `sentences`, longest first, into `found`; return their log-probabilities."""
    history = transitions.ndim - 1
    boundary = len(transitions) - 1
    starts, lengths = text.offsets[sentences], text.lengths[sentences]
    tags = [np.full((len(sentences), 1), boundary)] * history
    table = np.zeros((len(sentences), *[1] * history))
    tables, steps = [table], [*tags]
    final = np.zeros((len(sentences), history), np.int64)
    scores = np.zeros(len(sentences))
    for step in range(lengths[0]):
        active = int(np.searchsorted(-lengths, -step, side="left"))
        words = text.words[starts[:active] + step]
        width = candidates.counts[words].max()
        tags = [tag[:active] for tag in [*tags, candidates.tags[words, :width]]]
        table = (table[:active, ..., None] + transitions[_index(tags)]).max(axis=1)
        table += candidates.scores[words, :width].reshape(active, *[1] * (history - 1), width)
        tags = tags[1:]
        tables.append(table)
        steps.append(tags[-1])
        ended = slice(int(np.searchsorted(-lengths, -step - 1, side="left")), active)
        if ended.start < ended.stop:
            behind = [tag[ended] for tag in tags] + [np.full((ended.stop - ended.start, 1),
                                                             boundary)]
            whole = (table[ended, ..., None] + transitions[_index(behind)])[..., 0]
            flat = whole.reshape(len(whole), -1)
            best = flat.argmax(axis=1)
            scores[ended] = flat[np.arange(len(best)), best]
            final[ended] = np.stack(np.unravel_index(best, whole.shape[1:]), axis=1)
    _trace_back(transitions, tables, steps, final, starts, lengths, found)
    return scores


def _trace_back(transitions: NDArray[np.float64], tables: list[NDArray[np.float64]],
                steps: list[NDArray[np.int64]], final: NDArray[np.int64],
                starts: NDArray[np.int64], lengths: NDArray[np.int64],
                found: NDArray[np.int64]) -> None:
    """Follow the best paths from their ends.

    `tables[t]` has the best scores before word t, `steps[history + t]` the candidates of word t;
    `final` [sentences, history] the last places on each best path, as places among candidates.
    """
    history = final.shape[1]
    path = final.copy()
    for step in range(lengths[0] - 1, -1, -1):
        active = int(np.searchsorted(-lengths, -step, side="left"))
        rows = np.arange(active)
        now = path[:active]
        before = tables[step][:active]
        # Tags at the places of the path; the one before them, at history + 1, is sought.
        chosen = [steps[step + 1 + place][rows, now[:, place]] for place in range(history)]
        found[starts[:active] + step] = chosen[-1]
        oldest = steps[step][:active]
        scores = (before[(rows, slice(None), *(now[:, place] for place in range(history - 1)))]
                  + transitions[(oldest, *(tag[:, None] for tag in chosen))])
        path[:active, 1:] = now[:, :-1]
        path[:active, 0] = scores.argmax(axis=1)


def _index(tags: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], ...]:
    """Indices of `transitions` for all combinations of the candidates `tags`, each [rows, own]."""
    order = len(tags)
    return tuple(tag.reshape(len(tag), *[1] * place, -1, *[1] * (order - 1 - place))
                 for place, tag in enumerate(tags))
