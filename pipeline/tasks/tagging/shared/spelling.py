"""What the spelling of a word says about its tag.

`SuffixModel` is the unknown-word model of TnT (Brants 2000): the tags of rare words by their shape
(capital, digits ...) and their last letters, each longer ending smoothed by the shorter one.
"""

import functools
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SIGNS = str.maketrans({letter: sign for letters, sign in (
    (string.ascii_uppercase, "X"), (string.ascii_lowercase, "x"), (string.digits, "9"))
    for letter in letters})
_RUNS = re.compile(r"(X|x|9)\1+")


def shape(form: str) -> str:
    """A form with X for a run of capitals, x for small letters, 9 for digits: Mid-90s -> Xx-9x."""
    return _RUNS.sub(r"\1", form.translate(_SIGNS))[:6]


@dataclass(frozen=True)
class SuffixModel:
    """`probabilities` [endings, tags] of the tags of a word with a shape and an ending.

    An ending is the word's shape, a tab, and its last letters in lower case; '' stands for all
    words and comes first.
    """

    endings: list[str]
    probabilities: NDArray[np.float64]

    @classmethod
    def fit(cls, forms: Sequence[str], counts: NDArray[np.float64], longest: int) -> "SuffixModel":
        """From `counts` [forms, tags] of (rare) words and endings of up to `longest` letters.

        P(tag | ending) = (relative frequency + theta P(tag | shorter ending)) / (1 + theta), theta
        the standard deviation of the tags' probabilities. Endings of one occurrence are left out.
        """
        sums: dict[str, NDArray[np.float64]] = {}
        for form, row in zip(forms, counts, strict=True):
            for ending in endings(form, longest):
                sums[ending] = sums[ending] + row if ending in sums else row
        whole = sums.get("", np.zeros(counts.shape[1]))
        prior = (whole + 1) / (whole.sum() + len(whole))
        theta = float(prior.std(ddof=1)) if len(prior) > 1 else 1.0
        found = {"": prior}
        for ending in sorted(sums, key=lambda ending: (len(ending), ending)):
            if ending and (total := sums[ending].sum()) > 1:
                found[ending] = (sums[ending] / total + theta * found[_shorter(ending)]) / (
                    1 + theta)
        return cls(list(found), np.stack(list(found.values())))

    @functools.cached_property
    def places(self) -> dict[str, int]:
        """The row of each ending."""
        return {ending: row for row, ending in enumerate(self.endings)}

    def rows(self, forms: Sequence[str], longest: int) -> NDArray[np.int64]:
        """The row of `probabilities` of each form's longest known ending."""
        return np.array([self._row(form, longest) for form in forms], np.int64)

    def _row(self, form: str, longest: int) -> int:
        places = self.places
        key, lower = shape(form) + "\t", form.lower()
        for start in range(max(0, len(lower) - longest), len(lower) + 1):
            row = places.get(key + lower[start:])
            if row is not None:
                return row
        return places[""]


def endings(form: str, longest: int) -> Iterator[str]:
    """The keys of a form from the most general to the most special."""
    yield ""
    key, lower = shape(form) + "\t", form.lower()
    for length in range(min(longest, len(lower)) + 1):
        yield key + lower[len(lower) - length :]


def _shorter(ending: str) -> str:
    """The ending with one letter less; of a mere shape, all words."""
    key, _, letters = ending.partition("\t")
    return f"{key}\t{letters[1:]}" if letters else ""
