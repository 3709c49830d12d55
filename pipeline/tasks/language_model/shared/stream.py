"""A text as one stream of ids, as it is stored and read.

Sentences stand end to end, each closed by <eos>, which is predicted like any other word; nothing
stands for a beginning. This is the usual arrangement of the Penn Treebank (Mikolov et al. 2010), in
which perplexities are comparable. Of characters, a line's newline closes it and is predicted. A
split is `<split>.tokens.npy` (int32, all tokens) and `<split>.lengths.npy` (int32, tokens of each
sentence or line, the end included), memory-mapped when read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.storage.arrays import map_array, write_array

Unit = Literal["word", "character"]
END: dict[Unit, str] = {"word": "<eos>", "character": "\n"}
UNKNOWN = "<unk>"


@dataclass(frozen=True)
class Stream:
    """`tokens` has shape [tokens], `lengths` [texts]; the lengths sum to the tokens."""

    tokens: NDArray[np.int32]
    lengths: NDArray[np.int32]

    def write(self, directory: Path, split: str) -> None:
        for part, array in (("tokens", self.tokens), ("lengths", self.lengths)):
            write_array(directory / f"{split}.{part}.npy", array)

    @classmethod
    def read(cls, directory: Path, split: str) -> Self:
        """Raises UserError when the split is missing, damaged, or its two files do not fit."""
        try:
            tokens, lengths = (map_array(directory / f"{split}.{part}.npy")
                               for part in ("tokens", "lengths"))
        except (OSError, ValueError, EOFError) as error:
            raise UserError(f"{directory}: split {split!r} cannot be read ({error}); run the "
                            "features stage again") from None
        if int(lengths.sum()) != len(tokens):
            raise UserError(f"{directory}: split {split!r} has {len(tokens)} tokens, its "
                            f"texts {int(lengths.sum())}; run the features stage again")
        return cls(tokens, lengths)
