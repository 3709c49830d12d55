"""Skip-gram with negative sampling: a word's vector predicts each word near it.

Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their Compositionality",
with that paper's subsampling of frequent words, its noise (frequencies to the power 0.75) and
word2vec's windows of random reach. Each true word near a centre is told from `negatives` noise
words by the logistic loss.
"""

import torch
from torch import Tensor

from pipeline.systems.base import Batch
from pipeline.tasks.embeddings.shared.negative_sampling import (
    NegativeSampling,
    positive_loss,
)
from pipeline.tasks.embeddings.shared.negative_sampling import Settings as Settings


class SkipGram(NegativeSampling):
    """s(v_centre . u_context) is the probability that the two were neighbours, not noise."""

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Nats of telling neighbours from noise; the terms are pairs of neighbours."""
        hidden = self.input[batch["centres"]]
        rows = torch.repeat_interleave(hidden, batch["sizes"], dim=0)
        total = positive_loss(rows, self.output[batch["contexts"]])
        total = total + self.negative_loss(hidden, batch["sizes"])
        return total, float(len(batch["contexts"]))
