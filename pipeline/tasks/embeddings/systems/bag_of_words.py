"""Soft bag of words: the mean of the vectors around a word predicts the word in the middle.

The continuous bag of words of Mikolov et al. 2013, "Efficient Estimation of Word Representations in
Vector Space", with the negative sampling, subsampling and windows of `skip_gram`. The mean forgets
the order of the context.
"""

from torch import Tensor
from torch.nn import functional

from pipeline.systems.base import Batch
from pipeline.tasks.embeddings.shared.negative_sampling import (
    NegativeSampling,
    positive_loss,
)
from pipeline.tasks.embeddings.shared.negative_sampling import Settings as Settings


class BagOfWords(NegativeSampling):
    """s(mean of v_context . u_centre) is the probability of the word in the middle, not noise."""

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Nats of telling centres from noise; the terms are centres."""
        sizes = batch["sizes"]
        hidden = functional.embedding_bag(batch["contexts"], self.input,
                                          sizes.cumsum(0) - sizes, mode="mean")
        total = positive_loss(hidden, self.output[batch["centres"]])
        return total + self.negative_loss(hidden, sizes.new_ones(len(sizes))), float(len(sizes))
