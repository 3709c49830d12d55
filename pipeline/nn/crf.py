"""Linear-chain conditional random field: a softmax over whole paths of tags.

A path scores its emissions and its transitions, and its probability is exp(score) over the sum of
exp(score) of all paths, the partition (Lafferty, McCallum and Pereira 2001). The sum is computed in
log space, forwards. A step log sum_i exp(alpha_i + T_ik) is the logarithm of a product of matrices,
exp(alpha - its largest) times exp(T - its largest), so it costs a fast product and no exponential
for each pair of tags; what underflows there is smaller than rounding as long as the transitions
are within `SPREAD` of each other, and beyond it the step is computed as it is written here.

The derivative of the log partition is what the forward-backward algorithm finds: by emissions the
marginal of each tag, by transitions the expected count of each pair. The backward pass computes
these instead of following the forward pass operation by operation.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable

# exp(-60) is 1e-26: times the least that float32 can hold beside 1, still nothing.
SPREAD = 60.0


class LinearChainCRF(nn.Module):
    """Scores of beginning with a tag, of a tag after a tag (from, to), and of ending with a tag.

    Emissions are [batch, time, tags]; `mask` [batch, time] is true at the steps of a sequence and
    false at the padding behind it, and every sequence has a first step. `tags` [batch, time] may
    hold anything at padding. Wrong shapes raise ValueError.
    """

    def __init__(self, tags: int) -> None:
        super().__init__()
        if tags < 1:
            raise ValueError(f"expected at least 1 tag, got {tags}")
        self.start = nn.Parameter(torch.empty(tags).uniform_(-0.1, 0.1))
        self.transitions = nn.Parameter(torch.empty(tags, tags).uniform_(-0.1, 0.1))
        self.end = nn.Parameter(torch.empty(tags).uniform_(-0.1, 0.1))

    def loss(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Negative log-likelihood in nats of each path, [batch]; differentiable once."""
        return self.log_partition(emissions, mask) - self.path_score(emissions, tags, mask)

    def path_score(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Score of each path `tags`, [batch]."""
        emissions = self._checked(emissions, mask)
        if tags.shape != mask.shape:
            raise ValueError(f"expected tags of shape {list(mask.shape)}, got {list(tags.shape)}")
        inside = tags[mask]
        if int(inside.min()) < 0 or int(inside.max()) >= len(self.start):
            raise ValueError(f"expected tags from 0 to {len(self.start) - 1}, got "
                             f"{int(inside.min())} to {int(inside.max())}")
        path = tags.masked_fill(~mask, 0)
        last = path.gather(1, mask.sum(1, keepdim=True) - 1)[:, 0]
        emitted = emissions.gather(2, path[:, :, None])[:, :, 0].sum(1)
        moved = self.transitions[path[:, :-1], path[:, 1:]].masked_fill(~mask[:, 1:], 0.0).sum(1)
        return self.start[path[:, 0]] + emitted + moved + self.end[last]

    def log_partition(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Log of the sum of exp(score) over all paths, [batch]; differentiable once."""
        emissions = self._checked(emissions, mask)
        lowest, highest = self.transitions.detach().aminmax()
        arguments = (emissions, mask, self.start, self.transitions, self.end)
        # Autocast would round the products of probabilities to three digits.
        with torch.autocast(emissions.device.type, enabled=False):
            if float(highest - lowest) < SPREAD:
                return _LogPartition.apply(*arguments)
            return _log_partition_by_definition(*arguments)

    def marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Probability of each tag at each step, [batch, time, tags]; zero at padding."""
        with torch.enable_grad():
            leaf = emissions.detach().requires_grad_()
            return torch.autograd.grad(self.log_partition(leaf, mask).sum(), leaf)[0]

    @torch.no_grad()
    def decode(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The best path of each sequence (Viterbi 1967), [batch, time], and its score, [batch].

        Padding of a path is 0. A step's scores are [tags, batch], so that the maximum over the tags
        before runs over whole rows of memory. Which tag gave it is looked up on the best path
        alone, on the way back, which saves an argmax over all pairs of tags at every step.
        """
        steps = self._checked(emissions, mask).permute(1, 2, 0).contiguous()
        on = mask.t().contiguous()
        best = torch.empty_like(steps)
        best[0] = self.start[:, None] + steps[0]
        pairs = steps.new_empty(len(self.start), *steps.shape[1:])
        for step in range(1, len(best)):
            torch.add(best[step - 1][:, None], self.transitions[:, :, None], out=pairs)
            moved = pairs.amax(0).add_(steps[step])
            torch.where(on[step], moved, best[step - 1], out=best[step])
        scores, tag = (best[-1] + self.end[:, None]).max(0)
        paths = [tag]
        for step in range(len(best) - 1, 0, -1):
            before = (best[step - 1] + self.transitions[:, tag]).argmax(0)
            tag = torch.where(on[step], before, tag)
            paths.append(tag)
        return torch.stack(paths[::-1], 1).masked_fill(~mask, 0), scores

    @torch.no_grad()
    def table(self) -> NDArray[np.float64]:
        """Transitions with start as last row and end as last column, [tags + 1, tags + 1]."""
        rows = torch.cat([self.transitions, self.start[None]])
        ends = torch.cat([self.end, self.end.new_zeros(1)])
        return torch.cat([rows, ends[:, None]], 1).double().cpu().numpy()

    def _checked(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """The emissions in at least the parameters' precision, zero at padding."""
        if emissions.dim() != 3:
            raise ValueError("expected emissions of shape [batch, time, tags], got "
                             f"{list(emissions.shape)}")
        if emissions.shape[2] != len(self.start):
            raise ValueError(f"expected last dimension of emissions is {len(self.start)}, got "
                             f"{emissions.shape[2]}")
        if mask.shape != emissions.shape[:2]:
            raise ValueError(f"expected a mask of shape {list(emissions.shape[:2])}, got "
                             f"{list(mask.shape)}")
        if not bool(mask[:, 0].all()):
            raise ValueError("expected every sequence to have a first step; leave empty ones out")
        if bool((mask[:, 1:] & ~mask[:, :-1]).any()):
            raise ValueError("expected a mask that is true up to a sequence's end and false behind")
        emissions = emissions.to(torch.promote_types(emissions.dtype, self.start.dtype))
        return emissions.masked_fill(~mask[:, :, None], 0.0)


class _LogPartition(torch.autograd.Function):
    """Time stands first inside: a step's scores [batch, tags] are together in memory."""

    @staticmethod
    def forward(ctx: FunctionCtx, emissions: Tensor, mask: Tensor, start: Tensor,
                transitions: Tensor, end: Tensor) -> Tensor:
        steps, on = emissions.transpose(0, 1).contiguous(), mask.t()[:, :, None].contiguous()
        largest = transitions.max()
        matrix = (transitions - largest).exp()
        alpha = torch.empty_like(steps)
        alpha[0] = start + steps[0]
        steps = steps + largest
        for step in range(1, len(steps)):
            before = alpha[step - 1]
            torch.where(on[step], _log_product(before, matrix) + steps[step], before,
                        out=alpha[step])
        total = (alpha[-1] + end).logsumexp(1)
        ctx.save_for_backward(alpha, steps, on, matrix, end, total)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        alpha, steps, on, matrix, end, total = ctx.saved_tensors
        beta = torch.empty_like(alpha)
        beta[-1] = end
        back = matrix.t().contiguous()
        for step in range(len(beta) - 1, 0, -1):
            after = beta[step]
            torch.where(on[step], _log_product(after + steps[step], back), after,
                        out=beta[step - 1])
        weight = (on * gradient[:, None])
        marginals = (alpha + beta - total[:, None]).exp_() * weight
        height = alpha[:-1].amax(2, keepdim=True)
        into = (steps[1:] + beta[1:] + (height - total[:, None])).exp_() * weight[1:]
        pairs = (alpha[:-1] - height).exp_().flatten(0, 1).t() @ into.flatten(0, 1)
        to_end = ((alpha[-1] + end - total[:, None]).exp() * gradient[:, None]).sum(0)
        return marginals.transpose(0, 1), None, marginals[0].sum(0), pairs * matrix, to_end


def _log_product(scores: Tensor, matrix: Tensor) -> Tensor:
    """log(exp(scores) @ matrix) for scores [batch, tags] of any size."""
    height = scores.amax(1, keepdim=True)
    return (scores - height).exp_().mm(matrix).log_().add_(height)


def _log_partition_by_definition(emissions: Tensor, mask: Tensor, start: Tensor,
                                 transitions: Tensor, end: Tensor) -> Tensor:
    """The recursion as the lecture writes it, for transitions of any size."""
    alpha = start + emissions[:, 0]
    for step in range(1, emissions.shape[1]):
        moved = (alpha[:, :, None] + transitions).logsumexp(1) + emissions[:, step]
        alpha = torch.where(mask[:, step, None], moved, alpha)
    return (alpha + end).logsumexp(1)
