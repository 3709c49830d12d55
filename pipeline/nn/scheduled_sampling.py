"""Scheduled sampling: what a decoder reads in training, the correct words or its own.

With teacher forcing a decoder always reads the correct beginning, and at test time it meets its
own mistakes for the first time. Scheduled sampling gives it the correct word with a probability
that falls during training, and otherwise a word drawn from its own distribution (Bengio, Vinyals,
Jaitly and Shazeer 2015). A probability of one throughout is teacher forcing.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def sampled_inputs(correct: Tensor, probability: float,
                   distribution: Callable[[Tensor], Tensor]) -> Tensor:
    """Inputs [batch, steps] of a decoder: `correct`, but for some tokens that it drew itself.

    `correct` [batch, steps] begins with the start symbol, which stays. `distribution(tokens)` takes
    the inputs [batch] of one step and returns log-probabilities [batch, vocabulary] of the next
    token; it keeps the state. Each token stays with `probability`, independently, and is else
    drawn from the distribution that the inputs before it lead to, so the result depends on torch's
    generator alone. No gradient passes through a draw.
    """
    if probability >= 1:
        return correct
    inputs = correct.clone()
    kept = torch.rand(correct.shape, device=correct.device) < probability
    with torch.no_grad():
        for step in range(1, correct.shape[1]):
            drawn = distribution(inputs[:, step - 1]).float().exp().multinomial(1)[:, 0]
            inputs[:, step] = torch.where(kept[:, step], correct[:, step], drawn)
    return inputs
