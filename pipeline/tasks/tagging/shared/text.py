"""Tagged sentences as they are stored: each distinct word once, and the text as numbers.

What a system wants to know of a word (its spelling, its features, its number in a vocabulary) it
works out once a distinct word, as an array with a row for each, and indexes that by the text.
A split is `<split>.forms.json` (the distinct words), `<split>.words.npy` (int32, a number a word),
`<split>.tags.npy` (int32) and `<split>.offsets.npy` (int64, where each sentence begins); the
arrays are memory-mapped when read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.storage.arrays import map_array, write_array
from pipeline.storage.files import read_json, write_json

NO_TAG = -1
_ARRAYS = ("words", "tags", "offsets")


@dataclass(frozen=True)
class Text:
    """`words` and `tags` [all words], `offsets` [sentences + 1]; a word is a row of `forms`."""

    forms: list[str]
    words: NDArray[np.int32]
    tags: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, sentences: Sequence[Sequence[str]],
           tags: Sequence[Sequence[int]] | None = None) -> Self:
        """Sentences of words; without `tags` every word has NO_TAG."""
        numbers: dict[str, int] = {}
        words = [numbers.setdefault(word, len(numbers)) for sentence in sentences
                 for word in sentence]
        flat = ([NO_TAG] * len(words) if tags is None else
                [tag for sentence in tags for tag in sentence])
        offsets = np.cumsum([0, *map(len, sentences)], dtype=np.int64)
        return cls(list(numbers), np.array(words, np.int32), np.array(flat, np.int32), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)

    def places(self, sentences: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Where the words of `sentences` stand in the text, [sentences, longest], and the mask.

        Behind the end of a sentence the mask is false and the place is 0.
        """
        starts, lengths = self.offsets[sentences], self.lengths[sentences]
        steps = np.arange(lengths.max())
        mask = steps < lengths[:, None]
        return np.where(mask, starts[:, None] + steps, 0), mask

    def write(self, directory: Path, split: str) -> None:
        write_json(directory / f"{split}.forms.json", self.forms)
        for name in _ARRAYS:
            write_array(directory / f"{split}.{name}.npy", getattr(self, name))

    @classmethod
    def read(cls, directory: Path, split: str) -> Self:
        """Raises UserError when the split is missing, damaged, or its files do not fit."""
        forms = read_json(directory / f"{split}.forms.json")
        try:
            text = cls(forms, *(map_array(directory / f"{split}.{name}.npy")
                                for name in _ARRAYS))
        except (OSError, ValueError, EOFError) as error:
            raise UserError(f"{directory}: split {split!r} cannot be read ({error}); run the "
                            "features stage again") from None
        if not len(text.words) == len(text.tags) == text.offsets[-1]:
            raise UserError(f"{directory}: split {split!r} has {len(text.words)} words, "
                            f"{len(text.tags)} tags, and sentences of {text.offsets[-1]} words; "
                            "run the features stage again")
        return text
