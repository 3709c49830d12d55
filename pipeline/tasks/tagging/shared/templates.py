"""Features of a word in its sentence, written by hand, as numbers.

A template names places relative to the word and says what to take of the words there: the word
itself, its shape, an ending ... (Ratnaparkhi 1996, "A Maximum Entropy Model for Part-of-Speech
Tagging"). Its value is a string, and every value that training has often enough is a feature. What
a template takes of a word is computed once a distinct word, not once an occurrence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.tagging.shared.spelling import shape
from pipeline.tasks.tagging.shared.text import Text

ABSENT = 0
_OUTSIDE = "\n"  # no word holds a line break
_BETWEEN = "\t"  # nor a tab, while a treebank's word may hold a space


@dataclass(frozen=True)
class Template:
    """`take` of the words at `places` (0: the word itself, -1: the one before it)."""

    name: str
    places: tuple[int, ...]
    take: Callable[[str], str]


def _prefix(letters: int) -> Callable[[str], str]:
    return lambda form: form[:letters].lower() if len(form) >= letters else ""


def _suffix(letters: int) -> Callable[[str], str]:
    return lambda form: form[-letters:].lower() if len(form) >= letters else ""


def _itself(form: str) -> str:
    return form


TEMPLATES = (
    Template("form", (0,), _itself),
    Template("word", (0,), str.lower),
    Template("shape", (0,), shape),
    *(Template(f"prefix {n}", (0,), _prefix(n)) for n in range(1, 5)),
    *(Template(f"suffix {n}", (0,), _suffix(n)) for n in range(1, 6)),
    *(Template(f"word {place:+d}", (place,), str.lower) for place in (-2, -1, 1, 2)),
    *(Template(f"shape {place:+d}", (place,), shape) for place in (-1, 1)),
    *(Template(f"suffix 3 {place:+d}", (place,), _suffix(3)) for place in (-1, 1)),
    Template("words -1 0", (-1, 0), str.lower),
    Template("words 0 +1", (0, 1), str.lower),
    Template("words -1 +1", (-1, 1), str.lower),
    Template("shapes -1 0", (-1, 0), shape),
)


@dataclass(frozen=True)
class FeatureSet:
    """`values[name]` lists the known values of each template; features are numbered from 1 on."""

    values: dict[str, list[str]]

    @classmethod
    def fit(cls, text: Text, min_count: int) -> "FeatureSet":
        """All values that occur at least `min_count` times."""
        found = {}
        for template in TEMPLATES:
            values, index = _values(text, template)
            names, codes = np.unique(np.array(values), return_inverse=True)
            counts = np.bincount(codes[index], minlength=len(names))
            found[template.name] = [str(name) for name in names[counts >= min_count] if name]
        return cls(found)

    def __len__(self) -> int:
        """Number of features, ABSENT included."""
        return 1 + sum(map(len, self.values.values()))

    def of(self, text: Text) -> NDArray[np.int32]:
        """The features of each word, [all words, templates], ABSENT where a value is unknown."""
        first, columns = 1, []
        for template in TEMPLATES:
            known = {value: first + place
                     for place, value in enumerate(self.values[template.name])}
            first += len(known)
            values, index = _values(text, template)
            numbers = np.array([known.get(value, ABSENT) for value in values], np.int32)
            columns.append(numbers[index])
        return np.stack(columns, axis=1)


def _values(text: Text, template: Template) -> tuple[Sequence[str], NDArray[np.int64]]:
    """Values of a template, each at least once, and which of them each word has."""
    taken = [template.take(form) for form in text.forms] + [_OUTSIDE]
    columns = [_shifted(text, place) for place in template.places]
    if len(columns) == 1:
        return taken, columns[0]
    names, codes = np.unique(np.array(taken), return_inverse=True)
    first, second = (codes[column].astype(np.int64) for column in columns)
    pairs, index = np.unique(first * len(names) + second, return_inverse=True)
    return [f"{names[a]}{_BETWEEN}{names[b]}"
            for a, b in zip(*divmod(pairs, len(names)), strict=True)], index


def _shifted(text: Text, place: int) -> NDArray[np.int64]:
    """The word `place` words further in the same sentence; len(forms) outside the sentence."""
    sentence = np.repeat(np.arange(len(text)), text.lengths)
    there = np.arange(len(text.words)) + place
    inside = (there >= 0) & (there < len(text.words))
    there = np.where(inside, there, 0)
    if len(there):
        inside &= sentence[there] == sentence
        return np.where(inside, text.words[there], len(text.forms))
    return there
