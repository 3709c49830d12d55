"""Translations as text, with something in place of each unknown word.

A network with a small vocabulary can say that a word belongs somewhere without knowing which. It
looks at a source word while it says so, and a name or a number is often the same word in both
languages, so that source word is copied (Jean et al. 2015; Luong, Sutskever et al. 2015).
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.tasks.translation.shared.tokenizer import SPACE, UNK, Tokenizer, piece_model

KEPT = f"{SPACE}<unk>"
Attention = Callable[[Tensor, Tensor, list[list[int]]], Tensor | None]


class AnswerWriter:
    """Makes text of target tokens.

    `artefacts` has the models of pieces, `sources` are the source sentences; `attention` is
    `Translator.attention_weights`, or None where an unknown word is written as <unk>.
    """

    def __init__(self, artefacts: Path | None, sources: list[str],
                 attention: Attention | None) -> None:
        self.sources = sources
        self.attention = attention
        self.target = Tokenizer(piece_model(artefacts, "target"))
        self.source = Tokenizer(piece_model(artefacts, "source"))

    def texts(self, items: NDArray[np.int64], source: Tensor, lengths: Tensor,
              answers: list[list[int]]) -> list[str]:
        """Texts of `answers`, which translate the padded `source` [B, S] of the test's `items`."""
        texts = [self.target.decode(answer) for answer in answers]
        rows = [row for row, answer in enumerate(answers) if UNK in answer]
        if rows:
            chosen = torch.tensor(rows, device=source.device)
            words = self._words(items[rows], source[chosen], lengths[chosen],
                                [answers[row] for row in rows])
            for row, found in zip(rows, words, strict=True):
                texts[row] = self.target.decode_with(answers[row], found)
        return texts

    def _words(self, items: NDArray[np.int64], source: Tensor, lengths: Tensor,
               answers: list[list[int]]) -> list[list[str]]:
        """For each token of each answer the piece that replaces it if it is UNK."""
        if self.attention is None:
            return [[KEPT] * len(answer) for answer in answers]
        weights = self.attention(source, lengths, answers)
        assert weights is not None
        looked_at = most_attended(weights, lengths).tolist()
        pieces = [[*self.source.split(self.sources[item]), ""] for item in items]
        return [[words[position] for position in row[: len(answer)]]
                for words, row, answer in zip(pieces, looked_at, answers, strict=True)]


def most_attended(weights: Tensor, lengths: Tensor) -> Tensor:
    """Source position [B, T] with the highest of `weights` [B, T, S]; EOS only if it is alone.

    `lengths` [B] count EOS, the last token of each source.
    """
    positions = torch.arange(weights.shape[2], device=weights.device)
    words = positions < (lengths[:, None] - 1).clamp(min=1)
    return weights.masked_fill(~words[:, None, :], -torch.inf).argmax(dim=2)
