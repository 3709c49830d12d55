"""A linear layer, softmax and cross entropy in one, for vocabularies of many thousand words.

The logits of a batch are the largest tensor of a word model by far, and the gradient of the loss
with respect to them is known as soon as they are: softmax minus one-hot. So forward takes a few
rows at a time, computes their loss and that gradient while the rows are in the processor's cache,
and keeps no logits for backward; the two products with the gradient are then made at once.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

ROWS = 512


class _LinearCrossEntropy(torch.autograd.Function):

    @staticmethod
    def forward(ctx: FunctionCtx, inputs: Tensor, weight: Tensor, bias: Tensor, targets: Tensor,
                dtype: torch.dtype) -> Tensor:
        low, low_weight = inputs.to(dtype), weight.to(dtype)
        to_scores = low.new_empty(len(inputs), len(weight))
        to_bias = torch.zeros_like(bias)
        total = inputs.new_zeros((), dtype=torch.float32)
        for start in range(0, len(inputs), ROWS):
            rows = slice(start, start + ROWS)
            labels = targets[rows, None]
            scores = (low[rows] @ low_weight.t()).float().add_(bias).log_softmax(1)
            total -= scores.gather(1, labels).sum()
            scores.exp_().scatter_add_(1, labels, scores.new_full(labels.shape, -1.0))
            to_bias += scores.sum(0)
            to_scores[rows] = scores
        to_inputs = (to_scores @ low_weight).to(inputs.dtype)
        # This order, which needs a transposition more, keeps the processor's tiles full.
        to_weight = (low.t().contiguous() @ to_scores).t().contiguous().to(weight.dtype)
        ctx.save_for_backward(to_inputs, to_weight, to_bias)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        to_inputs, to_weight, to_bias = ctx.saved_tensors
        return to_inputs * gradient, to_weight * gradient, to_bias * gradient, None, None


def linear_cross_entropy(inputs: Tensor, weight: Tensor, bias: Tensor,
                         targets: Tensor) -> Tensor:
    """Summed cross entropy (nats, float32 scalar) of `softmax(inputs @ weight.T + bias)`.

    Shapes: inputs [rows, features], weight [classes, features], bias [classes], targets [rows].
    Inside autocast the products are computed in its type, the softmax in float32. The loss can be
    differentiated once.
    """
    device = inputs.device.type
    dtype = (torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device)
             else weight.dtype)
    with torch.autocast(device, enabled=False):
        return _LinearCrossEntropy.apply(inputs.to(weight.dtype), weight, bias, targets, dtype)
