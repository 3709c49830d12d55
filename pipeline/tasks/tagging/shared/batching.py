"""Batches of sentences of similar length; letters are given once for each distinct word."""

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.nn.batching import shuffled_batches, sorted_by_length
from pipeline.systems.base import Batch
from pipeline.tasks.tagging.shared.text import Text
from pipeline.tasks.tagging.shared.vocabulary import Vocabulary


class SentenceBatches:
    """Batches of B sentences with T words at most and U distinct words; empty ones are left out.

    `words` [B, T] vocabulary numbers, `forms` [B, T] rows of `letters` [U, longest] with
    `letter_counts` [U], `tags` [B, T], `mask` [B, T] (false at padding), `places` [B, T] in the
    text.
    """

    def __init__(self, text: Text, vocabulary: Vocabulary, sentences: int, seed: int) -> None:
        self.text = text
        self.sentences = sentences
        self.seed = seed
        self.numbers = vocabulary.numbers(text.forms)
        self.letters, self.letter_counts = vocabulary.spelling(text.forms)

    def plan(self, epoch: int) -> list[NDArray[np.int64]]:
        generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        lengths = self.text.lengths
        order = sorted_by_length(lengths, generator)
        return shuffled_batches(order[lengths[order] > 0], self.sentences, generator)

    def load(self, description: NDArray[np.int64]) -> Batch:
        places, mask = self.text.places(description)
        distinct, forms = np.unique(self.text.words[places], return_inverse=True)
        counts = self.letter_counts[distinct]
        arrays = {"words": self.numbers[distinct][forms], "forms": forms,
                  "letters": self.letters[distinct, : counts.max()], "letter_counts": counts,
                  "tags": self.text.tags[places].astype(np.int64), "mask": mask, "places": places}
        return {name: torch.from_numpy(np.ascontiguousarray(array))
                for name, array in arrays.items()}
