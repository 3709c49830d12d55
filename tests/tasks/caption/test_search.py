"""Beam search against exhaustive search, greedy search and a plain beam over one picture."""

import itertools

import numpy as np
import pytest
import torch

from pipeline.tasks.caption.shared.search import beam_search
from pipeline.tasks.caption.shared.words import EOS

WORDS = 5
OTHERS = [word for word in range(WORDS) if word != EOS]


def continuations(picture: int, prefix: tuple[int, ...]) -> np.ndarray:
    """Log-probabilities of the next word, at random but always the same."""
    logits = 2 * np.random.default_rng([7, picture, *prefix]).normal(size=WORDS)
    return logits - np.log(np.exp(logits).sum())


def step(words: torch.Tensor, state: tuple) -> tuple:
    """The state is the picture's number and the words so far, in digits after a leading 1."""
    pictures, prefixes = state
    begun = prefixes * 10 + words
    prefixes = torch.where(prefixes == 0, 1, begun)  # BOS is no word of the prefix
    found = [continuations(int(p), tuple(map(int, str(int(prefix))[1:])))
             for p, prefix in zip(pictures, prefixes, strict=True)]
    return torch.tensor(np.array(found)), (pictures, prefixes)


def search(pictures: list[int], beam: int, limit: int, power: float) -> list[tuple[int, ...]]:
    state = (torch.tensor(pictures), torch.zeros(len(pictures), dtype=torch.int64))
    return [tuple(words) for words in beam_search(step, state, beam, limit, power)]


def score(picture: int, words: tuple[int, ...], power: float) -> float:
    ended = (*words, EOS)
    return sum(continuations(picture, ended[:i])[ended[i]]
               for i in range(len(ended))) / len(ended) ** power


@pytest.mark.parametrize("power", [0.0, 0.7, 1.0])
def test_a_full_beam_is_exhaustive_search(power: float) -> None:
    sentences = [words for length in range(4) for words in itertools.product(OTHERS, repeat=length)]
    assert search([0, 1, 2], WORDS**4, 3, power) == [
        max(sentences, key=lambda words, p=picture: score(p, words, power))
        for picture in range(3)]


def test_a_beam_of_one_is_greedy_search() -> None:
    for picture, found in enumerate(search(list(range(30)), 1, 5, 1.0)):
        words: tuple[int, ...] = ()
        while len(words) < 5 and (best := int(continuations(picture, words).argmax())) != EOS:
            words = (*words, best)
        assert found == words


def plain_beam(picture: int, beam: int, limit: int, power: float) -> tuple[int, ...]:
    kept = [(0.0, ())]
    for length in range(limit + 1):
        grown = [(total, words) for total, words in kept if words[-1:] == (EOS,)]
        grown += [(total + steps[word], (*words, word)) for total, words in kept
                  if words[-1:] != (EOS,) for steps in [continuations(picture, words)]
                  for word in ([EOS] if length == limit else range(WORDS))]
        kept = sorted(grown, reverse=True)[:beam]
    return max(kept, key=lambda entry: entry[0] / len(entry[1]) ** power)[1][:-1]


@pytest.mark.parametrize("beam", [2, 3, 5])
@pytest.mark.parametrize("power", [0.0, 1.0])
def test_pictures_side_by_side_do_not_change_an_answer(beam: int, power: float) -> None:
    assert search(list(range(20)), beam, 6, power) == [
        plain_beam(picture, beam, 6, power) for picture in range(20)]
