"""Order-synchronous sequences: symbols in the order of the frames, one symbol for several frames.

A network says at each frame how probable each symbol is. A sequence of symbols becomes one of
frames by expansion (each symbol as often as it lasts) and comes back by compression (runs merged,
the symbol placed at its run's last frame). CMU 11-785, "Connectionist Temporal Classification",
first part: the explicit table, its Viterbi search, and the searches without a given sequence.

The table of an utterance has a row for each symbol of its sequence, in order, again where a symbol
comes again, and a column for each frame. An alignment begins top left, ends bottom right, and at
each frame stays or goes down one row. Four things are not as the slides have them: the last run is
a symbol as well; the first row has none above it to come from; scores are logarithms, since
products of some hundred probabilities are 0; and a sequence with equal neighbours, which
compression would merge, is refused until `separated` has put a separator between them.

B is the number of utterances, T that of frames, S that of symbols, N that of a table's rows. Many
utterances take each frame together; no sum or comparison crosses them, so an answer does not depend
on its company.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.nn import alignment_tables
from pipeline.nn.alignment_tables import Ids, Scores, Tables, groups, known, table
from pipeline.nn.ctc import BLANK, prefix_n_best

Emissions = NDArray[np.floating]


class Run(NamedTuple):
    """A symbol and the last frame of its run."""

    symbol: int
    last: int


class Separated(NamedTuple):
    """A sequence with separators, and which symbol of the sequence without each of them is.

    A separator belongs to the symbol before it: `places[row]` [N] of a path through the table of
    `symbols` says which symbol without separators a frame is in.
    """

    symbols: list[int]
    places: Ids


def expand(symbols: Sequence[int], counts: Sequence[int]) -> Ids:
    """The symbol of each frame, [sum of counts], where symbol i lasts `counts[i]` frames.

    Raises ValueError for equal neighbours, which `compress` would merge, and for a symbol without
    a frame.
    """
    _refuse_equal_neighbours(symbols)
    if len(counts) != len(symbols) or min(counts, default=1) < 1:
        raise ValueError(f"each of {len(symbols)} symbols needs a count of at least 1, "
                         f"got {list(counts)}")
    return np.repeat(np.asarray(symbols, np.int64), counts)


def compress(frames: Sequence[int] | Ids, separator: int | None = None) -> list[Run]:
    """The runs of equal symbols of `frames` [T], in order; those of a `separator` are left out."""
    path = np.asarray(frames, np.int64)
    lasts = np.flatnonzero(np.append(path[1:] != path[:-1], len(path) > 0))
    return [Run(int(path[last]), int(last)) for last in lasts if path[last] != separator]


def separated(symbols: Sequence[int], separator: int) -> Separated:
    """`symbols` with the separator between equal neighbours.

    Raises ValueError for a sequence that itself has the separator beside the separator.
    """
    found: list[int] = []
    places: list[int] = []
    for place, symbol in enumerate(symbols):
        if found and found[-1] == symbol:
            found.append(separator)
            places.append(place - 1)
        found.append(symbol)
        places.append(place)
    _refuse_equal_neighbours(found)
    return Separated(found, np.array(places, np.int64))


def time_synchronous(log_probs: Emissions) -> list[Run]:
    """The most probable symbol at each frame of `log_probs` [T, S], runs merged."""
    return compress(log_probs.argmax(axis=1))


def blocked(log_probs: Emissions, symbols: Sequence[int]) -> list[Run]:
    """Like `time_synchronous`, of the symbols of a sequence only; their order counts for nothing.

    So the answer need not be the sequence: symbols may be missing, too many or in another order.
    """
    present = np.unique(np.asarray(symbols, np.int64))
    return compress(present[log_probs[:, present].argmax(axis=1)])


def best_alignments(log_probs: Emissions | Sequence[Emissions], lengths: Sequence[int] | Ids,
                    symbols: Sequence[Sequence[int] | Ids]) -> tuple[list[Ids], Scores]:
    """The best path of each utterance through its table: its row at each frame, and its score.

    `log_probs` are [B, T, S] or B arrays [T_b, S], in nats; frames behind `lengths` [B] count for
    nothing. `symbols` are B sequences. Paths are B arrays [length], scores [B] sums of
    log-probabilities; where every path is impossible the score is -inf and the path any. Of equally
    good paths the one that stays longest in later rows is taken. Raises ValueError for a sequence
    that is empty, has more symbols than its utterance frames, or has equal neighbours, and for
    log-probabilities that are no number or +inf.
    """
    tables = _tables(log_probs, lengths, symbols)
    paths: list[Ids] = [np.zeros(0, np.int64)] * len(tables)
    scores = np.zeros(len(tables))
    for which in groups(lengths, list(map(len, symbols))):
        together = Tables.of([tables[place] for place in which])
        together.find_best()
        scores[which] = together.ends()
        for place, path in zip(which, together.paths(), strict=True):
            paths[place] = path
    return paths, scores


def log_likelihoods(log_probs: Emissions | Sequence[Emissions], lengths: Sequence[int] | Ids,
                    symbols: Sequence[Sequence[int] | Ids]) -> Scores:
    """log of the sum over all alignments of each utterance's sequence, [B], in nats.

    Arguments and errors are those of `best_alignments`; -inf where every alignment is impossible.
    """
    tables = _tables(log_probs, lengths, symbols)
    found = np.zeros(len(tables))
    for which in groups(lengths, list(map(len, symbols))):
        together = Tables.of([tables[place] for place in which])
        together.sum_up()
        found[which] = known(together.ends())
    return found


def posteriors(log_probs: Emissions | Sequence[Emissions], lengths: Sequence[int] | Ids,
               symbols: Sequence[Sequence[int] | Ids]) -> tuple[list[Scores], Scores]:
    """P(row at a frame | the sequence), B arrays [length, N_b], and `log_likelihoods` [B].

    The probabilities of a frame's rows sum to 1, or are 0 where every alignment is impossible.
    Arguments and errors are those of `best_alignments`.
    """
    tables = _tables(log_probs, lengths, symbols)
    found = list(tables)
    totals = np.zeros(len(tables))
    for which in groups(lengths, list(map(len, symbols))):
        shares, totals[which] = alignment_tables.posteriors([tables[place] for place in which])
        for place, share in zip(which, shares, strict=True):
            found[place] = share
    return found, totals


def order_synchronous(log_probs: Emissions, stay: float | Scores,
                      follows: Scores | None = None) -> list[Run]:
    """The symbols of the best path of one utterance [T, S]: see `order_synchronous_batch`."""
    return order_synchronous_batch([log_probs], stay, follows)[0]


def order_synchronous_batch(utterances: Sequence[Emissions], stay: float | Scores,
                            follows: Scores | None = None) -> list[list[Run]]:
    """The symbols of each utterance's best path where any symbol may follow any other.

    An utterance is [T, S], log-probabilities. `stay`, one or [S], is log P(the symbol lasts another
    frame); `follows` [S, S] is log P(next symbol | symbol that is left), its diagonal counts for
    nothing, and by default all others are equally probable. So a change of symbol has a price, by
    which this differs from `time_synchronous`. Of equally good paths the one of the lower symbol is
    taken, from the last frame on. Raises ValueError for a `stay` over 0.
    """
    if not utterances:
        return []
    arriving = _arriving(utterances[0].shape[1], stay, follows)
    lengths = np.array([len(one) for one in utterances])
    best = np.zeros((lengths.max(), len(utterances), len(arriving)))
    for place, one in enumerate(utterances):
        best[: len(one), place] = one
    for before, now in pairwise(best):
        now += (before[:, None] + arriving).max(axis=2)
    frames = np.zeros(best.shape[:2], np.int64)
    symbol = np.zeros(len(utterances), np.int64)
    for step in range(len(best) - 1, -1, -1):
        ways = best[step]
        goes_on = step + 1 < lengths
        ways[goes_on] += arriving[symbol[goes_on]]
        symbol = frames[step] = ways.argmax(axis=1)
    return [compress(path[:length]) for path, length in zip(frames.T, lengths, strict=True)]


def best_sequences(utterances: Sequence[Emissions], beam: int) -> list[list[int]]:
    """The sequence whose alignments together are most probable, of each utterance [T, S].

    A best path counts one alignment of its sequence, this all of them. It is the search of prefixes
    of CTC where the blank is impossible; exact where `beam` is as wide as there are prefixes. When
    its symbols end is what `best_alignments` says.
    """
    with_blank = [np.insert(np.asarray(one, np.float64), BLANK, -np.inf, axis=1)
                  for one in utterances]
    return [[symbol - 1 for symbol in found[0].symbols]
            for found in prefix_n_best(with_blank, _NothingKnown(), beam, 0.0)]


class _NothingKnown:
    """All sequences are equally probable but for the sound."""

    def start(self) -> int:
        return 0

    def extend(self, states: Ids, symbols: Ids) -> tuple[Scores, Ids]:
        return np.zeros(len(states)), states

    def finish(self, states: Ids) -> Scores:
        return np.zeros(len(states))


def _arriving(symbols: int, stay: float | Scores, follows: Scores | None) -> Scores:
    """log P(to | from) of a loop over all symbols, [to, from]."""
    staying = np.broadcast_to(np.asarray(stay, np.float64), symbols)
    if not (staying <= 0).all():
        raise ValueError(f"the log-probability of staying must be 0 at most, got {stay}")
    if follows is None:
        follows = np.full((symbols, symbols), -np.log(max(symbols - 1, 1)))
    with np.errstate(divide="ignore"):
        arriving = np.ascontiguousarray((np.log(-np.expm1(staying))[:, None] + follows).T)
    np.fill_diagonal(arriving, staying)
    return arriving


def _tables(log_probs: Emissions | Sequence[Emissions], lengths: Sequence[int] | Ids,
            symbols: Sequence[Sequence[int] | Ids]) -> list[Scores]:
    """The table of each utterance [T_b, N_b]; ValueError as `best_alignments` says."""
    if not len(log_probs) == len(lengths) == len(symbols):
        raise ValueError(f"{len(log_probs)} utterances, {len(lengths)} lengths and {len(symbols)} "
                         f"sequences do not go together")
    found = []
    sequences = [np.asarray(sequence, np.int64) for sequence in symbols]
    for place, (one, length, sequence) in enumerate(
            zip(log_probs, lengths, sequences, strict=True)):
        if not 1 <= len(sequence) <= length <= len(one):
            raise ValueError(f"utterance {place}: {len(sequence)} symbols do not fit {length} of "
                             f"{len(one)} frames; there must be a symbol, and a frame for each")
        if sequence.min() < 0 or sequence.max() >= one.shape[1]:
            raise ValueError(f"utterance {place}: symbols from 0 to {one.shape[1] - 1} are known, "
                             f"got {sequence.min()} to {sequence.max()}")
        _refuse_equal_neighbours(sequence, f"utterance {place}: ")
        found.append(table(one[:length], sequence))
    return found


def _refuse_equal_neighbours(symbols: Sequence[int] | Ids, where: str = "") -> None:
    sequence = np.asarray(symbols)
    same = np.flatnonzero(sequence[1:] == sequence[:-1])
    if len(same):
        place = same[0]
        raise ValueError(f"{where}symbols {place} and {place + 1} are both {sequence[place]}, "
                         f"which compression merges; put a separator between them (`separated`)")
