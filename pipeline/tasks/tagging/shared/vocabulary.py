"""Words and letters as a network's embeddings number them.

A word is looked up in lower case with all digits alike; what that loses, its spelling keeps, which
is given letter by letter.
"""

import re
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNKNOWN = 0
_HEAD, _TAIL = 8, 12
_DIGIT = re.compile(r"[0-9]")


def normalised(form: str) -> str:
    return _DIGIT.sub("0", form.lower())


class Vocabulary:
    """Numbers of the training text's words and letters, from `spec.json`; UNKNOWN is any other."""

    def __init__(self, spec: dict[str, Any]) -> None:
        counts: Counter[str] = Counter()
        for form, count in zip(spec["forms"], spec["counts"], strict=True):
            counts[normalised(form)] += count
        self._words = {word: number for number, word in enumerate(counts, start=1)}
        self._letters = {letter: number for number, letter in enumerate(
            sorted(set("".join(spec["forms"]))), start=1)}
        self.counts = np.array([0, *counts.values()], np.float32)

    @property
    def words(self) -> int:
        """Numbers of words, UNKNOWN included."""
        return len(self._words) + 1

    @property
    def letters(self) -> int:
        """Numbers of letters, UNKNOWN included."""
        return len(self._letters) + 1

    def numbers(self, forms: list[str]) -> NDArray[np.int64]:
        """The word number of each form."""
        return np.array([self._words.get(normalised(form), UNKNOWN) for form in forms], np.int64)

    def spelling(self, forms: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Letters of each form, [forms, longest], and their counts; padding is UNKNOWN.

        Of a long form the middle is left out: an address ends and begins like others.
        """
        short = [form if len(form) <= _HEAD + _TAIL else form[:_HEAD] + form[-_TAIL:]
                 for form in forms]
        lengths = np.array([len(form) for form in short], np.int64)
        letters = np.full((len(forms), lengths.max(initial=1)), UNKNOWN, np.int64)
        for row, form in enumerate(short):
            letters[row, : len(form)] = [self._letters.get(letter, UNKNOWN) for letter in form]
        return letters, lengths
