"""The loop of words against every way to fill an utterance with them."""

from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.tasks.alignment.shared.word_loop import WordLoop

STAYS = np.log([0.7, 0.4, 0.6, 0.5])
WAYS = [np.array([1, 2]), np.array([2]), np.array([3, 3])]


def sequences(longest: int) -> Iterator[tuple[float, list[int]]]:
    """Phones of at most `longest` frames with the log-probability of their words and pauses."""
    def grow(phones: list[int], score: float, words: int) -> Iterator[tuple[float, list[int]]]:
        if phones:
            yield score, phones
        if len(phones) < longest and (not phones or phones[-1] != 0):
            yield from grow([*phones, 0], score + np.log(0.5), words)
        paused = 0.0 if phones and phones[-1] == 0 else np.log(0.5)
        for way in WAYS:
            if len(phones) + len(way) <= longest:
                yield from grow([*phones, *way], score + paused - np.log(len(WAYS)), words + 1)
    yield from grow([], 0.0, 0)


def cuts(phones: int, frames: int) -> Iterator[list[int]]:
    """The first frames of phones that fill frames."""
    if phones == 1:
        yield [0]
        return
    for last in range(phones - 1, frames):
        for earlier in cuts(phones - 1, last):
            yield [*earlier, last]


def path_score(scores: np.ndarray, phones: list[int], starts: list[int]) -> float:
    ends = [*starts[1:], len(scores)]
    total = 0.0
    for place, (phone, start, end) in enumerate(zip(phones, starts, ends, strict=True)):
        total += scores[start:end, phone].sum() + (end - start - 1) * STAYS[phone]
        if place < len(phones) - 1:
            total += np.log1p(-np.exp(STAYS[phone]))
    return total


@pytest.mark.parametrize("seed", range(20))
def test_no_words_in_any_cut_are_better(seed: int) -> None:
    random = np.random.default_rng(seed)
    frames = int(random.integers(1, 7))
    scores = np.log(random.dirichlet(np.ones(4) * 0.5, frames))
    worth: dict[tuple[tuple[int, ...], tuple[int, ...]], float] = {}
    for score, phones in sequences(frames):
        for starts in cuts(len(phones), frames):
            key, total = (tuple(phones), tuple(starts)), score + path_score(scores, phones, starts)
            worth[key] = max(total, worth.get(key, -np.inf))
    symbols, found = WordLoop.of(WAYS, STAYS).best(scores)
    # Where a phone follows itself several cuts are equally good.
    assert worth[tuple(symbols.tolist()), tuple(found.tolist())] == pytest.approx(
        max(worth.values()))


def test_a_phone_may_follow_itself_within_a_word() -> None:
    scores = np.log(np.array([[0.01, 0.01, 0.01, 0.97]] * 2))
    symbols, starts = WordLoop.of(WAYS[2:], STAYS).best(scores)
    assert (symbols.tolist(), starts.tolist()) == ([3, 3], [0, 1])


def test_what_is_too_short_for_a_word_is_a_silence() -> None:
    symbols, starts = WordLoop.of(WAYS[:1], STAYS).best(np.log(np.array([[0.1, 0.6, 0.2, 0.1]])))
    assert (symbols.tolist(), starts.tolist()) == ([0], [0])


def test_a_dictionary_has_words() -> None:
    with pytest.raises(ValueError, match="without words"):
        WordLoop.of([], STAYS)
