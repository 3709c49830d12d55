"""Beam search against exhaustive search, greedy search and a plain search without shortcuts."""

import itertools
import math

import numpy as np
import pytest
import torch

from pipeline.nn.beam import beam_search

VOCABULARY = 5
BEGIN, END = 1, 2


class RandomLanguage:
    """Log-probabilities that depend on the sentence and on the whole prefix, at random."""

    def __init__(self, sentences: int, seed: int, sharpness: float = 2.0) -> None:
        self.seed = seed
        self.sharpness = sharpness
        self.sentences = list(range(sentences))
        self.prefixes: list[list[tuple[int, ...]]] | None = None

    def continuations(self, sentence: int, prefix: tuple[int, ...]) -> np.ndarray:
        generator = np.random.default_rng([self.seed, sentence, *prefix])
        logits = self.sharpness * generator.normal(size=VOCABULARY)
        return logits - np.log(np.exp(logits).sum())

    def advance(self, tokens: torch.Tensor) -> torch.Tensor:
        if self.prefixes is None:
            self.prefixes = [[()] * tokens.shape[1] for _ in self.sentences]
        else:
            self.prefixes = [[(*prefix, int(token)) for prefix, token in zip(row, new, strict=True)]
                             for row, new in zip(self.prefixes, tokens, strict=True)]
        return torch.tensor(np.array([
            [self.continuations(sentence, prefix) for prefix in row]
            for sentence, row in zip(self.sentences, self.prefixes, strict=True)]))

    def reorder(self, sentences: torch.Tensor, parents: torch.Tensor) -> None:
        self.prefixes = [[self.prefixes[row][parent] for parent in chosen]
                         for row, chosen in zip(sentences.tolist(), parents.tolist(), strict=True)]
        self.sentences = [self.sentences[row] for row in sentences.tolist()]

    def log_probability(self, sentence: int, output: tuple[int, ...]) -> float:
        ended = (*output, END)
        return sum(self.continuations(sentence, ended[:i])[ended[i]] for i in range(len(ended)))


def search(language: RandomLanguage, limits: torch.Tensor, beam: int,
           power: float) -> list[list[int]]:
    return beam_search(language, limits, beam, power, begin=BEGIN, end=END)


def normalised(language: RandomLanguage, sentence: int, output: tuple[int, ...],
               power: float) -> float:
    return language.log_probability(sentence, output) / (len(output) + 1) ** power


def plain_beam(language: RandomLanguage, sentence: int, limit: int, beam: int,
               power: float) -> tuple[int, ...]:
    """One sentence, no early end: every slot is followed until it ends or meets the limit."""
    live, finished = [(0.0, ())], []
    for length in range(limit + 1):
        grown = [(score + step, (*prefix, token)) for score, prefix in live
                 for token, step in enumerate(language.continuations(sentence, prefix))
                 if length < limit or token == END]
        kept = sorted(grown, reverse=True)[: beam - len(finished)]
        finished += [(score / len(output) ** power, output) for score, output in kept
                     if output[-1] == END]
        live = [entry for entry in kept if entry[1][-1] != END]
    return max(finished)[1][:-1]


@pytest.mark.parametrize("power", [0.0, 0.6, 1.0])
def test_full_width_is_exhaustive_search(power):
    limits = torch.tensor([3, 1, 2, 0])
    words = [token for token in range(VOCABULARY) if token != END]
    found = search(RandomLanguage(4, seed=7), limits, VOCABULARY**4, power)
    for sentence, limit in enumerate(limits.tolist()):
        language = RandomLanguage(4, seed=7)
        outputs = [output for length in range(limit + 1)
                   for output in itertools.product(words, repeat=length)]
        best = max(outputs, key=lambda output, n=sentence, model=language: normalised(
            model, n, output, power))
        assert tuple(found[sentence]) == best


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_width_one_is_greedy_search(power):
    limits = torch.tensor([6] * 20)
    found = search(RandomLanguage(20, seed=3), limits, 1, power)
    language = RandomLanguage(20, seed=3)
    for sentence in range(20):
        output: list[int] = []
        while len(output) < 6:
            token = int(language.continuations(sentence, tuple(output)).argmax())
            if token == END:
                break
            output.append(token)
        assert found[sentence] == output


@pytest.mark.parametrize("beam", [2, 3, 5])
@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_early_end_and_batching_change_no_answer(beam, power):
    limits = torch.tensor([2, 7, 4, 7, 1, 7, 7, 7])
    found = search(RandomLanguage(8, seed=11), limits, beam, power)
    language = RandomLanguage(8, seed=11)
    assert [tuple(output) for output in found] == [
        plain_beam(language, sentence, limit, beam, power)
        for sentence, limit in enumerate(limits.tolist())]


def test_a_wider_beam_finds_likelier_outputs_where_greedy_search_errs():
    language = RandomLanguage(40, seed=5, sharpness=1.0)
    limits = torch.full((40,), 5)
    greedy, wide = (search(RandomLanguage(40, seed=5, sharpness=1.0), limits, beam, 0.0)
                    for beam in (1, 200))
    gains = [normalised(language, n, tuple(b), 0.0) - normalised(language, n, tuple(a), 0.0)
             for n, (a, b) in enumerate(zip(greedy, wide, strict=True))]
    assert min(gains) >= 0 and max(gains) > math.log(2)


def test_no_sentences_give_no_answers():
    assert search(RandomLanguage(0, seed=1), torch.empty(0, dtype=torch.int64), 4, 1.0) == []
