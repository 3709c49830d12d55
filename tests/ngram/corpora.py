"""Small texts, and the textbook's Kneser-Ney formula over dictionaries of word tuples."""

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np

END, START = "</s>", "<s>"


def random_sentences(count: int, seed: int) -> list[list[str]]:
    """Words a, b, ... with a falling frequency, so that all counts of counts occur."""
    generator = random.Random(seed)
    letters = "abcdefghijklmnop"
    weights = [1 / (rank + 1) for rank in range(len(letters))]
    return [generator.choices(letters, weights, k=generator.randint(1, 7)) for _ in range(count)]


def stream(sentences: Sequence[Sequence[str]], words: Sequence[str]) -> np.ndarray:
    ids = {word: number for number, word in enumerate(words)}
    return np.array([ids[word] for sentence in sentences for word in (*sentence, END)])


class Textbook:
    """Chen and Goodman 1999, equations 26 to 28, written down as they are printed."""

    def __init__(self, sentences: Sequence[Sequence[str]], types: int, order: int) -> None:
        self.types = types
        self.order = order
        raw = Counter()
        for sentence in sentences:
            tokens = (START, *sentence, END)
            for last in range(1, len(tokens) + 1):
                for length in range(1, min(order, last) + 1):
                    raw[tokens[last - length : last]] += 1
        self.counts = Counter()
        for ngram, count in raw.items():
            if len(ngram) == order or ngram[0] == START:
                self.counts[ngram] += count
        left = {ngram for ngram in raw if len(ngram) > 1}
        for ngram in left:
            if ngram[1] != START:
                self.counts[ngram[1:]] += 1
        del self.counts[(START,)]
        self.discounts = {n: self._discounts(n) for n in range(1, order + 1)}

    def _discounts(self, n: int) -> list[float]:
        of_counts = Counter(count for ngram, count in self.counts.items() if len(ngram) == n)
        n1, n2, n3, n4 = (of_counts[count] for count in (1, 2, 3, 4))
        if 0 in (n1, n2, n3, n4):
            return [0.0, 0.5, 1.0, 1.5]
        y = n1 / (n1 + 2 * n2)
        found = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
        if any(not 0 <= value <= count for count, value in enumerate(found, start=1)):
            return [0.0, 0.5, 1.0, 1.5]
        return [0.0, *found]

    def probability(self, context: tuple[str, ...], word: str) -> float:
        context = context[-(self.order - 1):] if self.order > 1 else ()
        lower = self.probability(context[1:], word) if context else 1 / self.types
        followers = {ngram: count for ngram, count in self.counts.items()
                     if len(ngram) == len(context) + 1 and ngram[:-1] == context}
        total = sum(followers.values())
        if total == 0:
            return lower
        discounts = self.discounts[len(context) + 1]
        mass = sum(discounts[min(count, 3)] for count in followers.values())
        count = followers.get((*context, word), 0)
        return (count - discounts[min(count, 3)] + mass * lower) / total
