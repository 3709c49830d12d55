"""Output layers for large vocabularies that do not score every word at every step of training.

The softmax over all words costs as much as there are words, and is most of a word model's work
(`pipeline.nn.softmax` is that layer, computed with little memory). Two ways around it:

- *Sampled softmax* estimates the sum over the vocabulary. Noise words j are drawn from a proposal q
  and weighed by 1 / (K q_j), so that the expected value of the estimate is the sum itself (Bengio
  and Senécal 2003 and 2008, "Adaptive importance sampling to accelerate training of a neural
  probabilistic language model"; for large vocabularies Jean et al. 2015). The true word's own term
  is known and stands in the estimate as it is; noise that hits it is left out. All rows of a batch
  share their noise, which makes of it one product of matrices. It is for training alone: the
  logarithm of an estimate is no probability, so scores need the full sum.
- *Adaptive softmax* scores frequent words at once and rare ones in groups, each of which has one
  score among the frequent and is opened where the word is in it (Grave et al. 2017, "Efficient
  softmax approximation for GPUs"; the layer is torch's). Its probabilities are exact.

Both want words numbered by falling frequency.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def zipf_log_probabilities(types: int, device: torch.device | None = None) -> Tensor:
    """Natural logs of the proposal, [types]: word k (from 0) has log(1 + 1 / (k + 1)), normalised.

    It falls nearly as 1 / (k + 1), as words of a text do by their rank (Zipf 1949), and needs no
    counts.
    """
    ranks = torch.arange(1, types + 1, dtype=torch.float64, device=device)
    return (torch.log1p(1 / ranks).log() - math.log(math.log(types + 1))).float()


def zipf_noise(types: int, count: int, device: torch.device | None = None) -> Tensor:
    """`count` words drawn from that proposal, with replacement, by torch's random numbers.

    The distribution function is log(k + 2) / log(types + 1), whose inverse is an exponential.
    """
    # In single precision the far words, which share few numbers, would be drawn too unevenly.
    drawn = torch.rand(count, dtype=torch.float64, device=device)
    return (drawn * math.log(types + 1)).exp().long().sub_(1).clamp_(0, types - 1)


def estimated_log_sum(inputs: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, noise: Tensor,
                      log_proposal: Tensor) -> tuple[Tensor, Tensor]:
    """Logs of the estimated sums of exp(score) over all words, and the targets' scores; [rows].

    Shapes: inputs [rows, features], weight [types, features], bias [types], targets [rows], noise
    [count], log_proposal [types]. The expected value over `noise`, drawn with replacement from the
    proposal, of the exponential of the first is the full sum.
    """
    of_target = (inputs * functional.embedding(targets, weight)).sum(1).float() + bias[targets]
    correction = bias[noise] - log_proposal[noise] - math.log(len(noise))
    of_noise = (inputs @ functional.embedding(noise, weight).t()).float() + correction
    of_noise = of_noise.masked_fill(noise == targets[:, None], -torch.inf)
    return torch.cat([of_target[:, None], of_noise], 1).logsumexp(1), of_target


def sampled_cross_entropy(inputs: Tensor, weight: Tensor, bias: Tensor, targets: Tensor,
                          noise: Tensor, log_proposal: Tensor) -> Tensor:
    """Summed estimated cross entropy (nats, scalar); arguments as of `estimated_log_sum`."""
    log_sum, of_target = estimated_log_sum(inputs, weight, bias, targets, noise, log_proposal)
    return (log_sum - of_target).sum()


class AdaptiveSoftmax(nn.Module):
    """Words in groups: those before the first of `cutoffs` in the head, the others behind it.

    Group i begins at cutoffs[i], and its words see inputs projected to `features / shrink**(i + 1)`
    numbers. Raises ValueError for cutoffs that do not rise from 1 or reach the number of words, and
    for a group that would see nothing.
    """

    def __init__(self, features: int, types: int, cutoffs: Sequence[int], shrink: float) -> None:
        super().__init__()
        if features // shrink ** len(cutoffs) < 1:
            raise ValueError(f"the last of {len(cutoffs)} groups would see none of {features} "
                             f"features, each having 1 / {shrink:g} of those before")
        self.layer = nn.AdaptiveLogSoftmaxWithLoss(features, types, list(cutoffs), shrink,
                                                   head_bias=True)

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Summed cross entropy (nats, scalar) of `targets` [rows] after `inputs` [rows, features].

        Only groups that have a target are opened, so how a row is rounded depends on the others.
        """
        with torch.autocast(inputs.device.type, enabled=False):
            return -self.layer(inputs.float(), targets).output.sum()

    def log_probabilities(self, inputs: Tensor) -> Tensor:
        """Of all words, [rows, types], after `inputs` [rows, features]; every group is opened."""
        with torch.autocast(inputs.device.type, enabled=False):
            return self.layer.log_prob(inputs.float())
