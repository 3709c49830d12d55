"""Beam search for sentences about inputs (translation, captions), batched over inputs.

At each step the best continuations of all live hypotheses are kept; one that ends leaves the beam
and takes its slot with it, so a beam of width 1 is greedy search and a beam as wide as the number
of possible outputs is exhaustive search. The answer is the finished hypothesis with the highest
log-probability / length ** length_normalisation, where the length counts the end (Jurafsky and
Martin, "Machine Translation"; normalisation: Cho et al. 2014).
"""

from typing import Protocol

import torch
from torch import Tensor


class Scorer(Protocol):
    """A model that continues `beam` hypotheses of each of several sentences, step by step."""

    def advance(self, tokens: Tensor) -> Tensor:
        """Append `tokens` [sentences, beam]; log-probabilities [sentences, beam, vocabulary]."""

    def reorder(self, sentences: Tensor, parents: Tensor) -> None:
        """Keep `sentences` [kept]; hypothesis j of kept sentence i continues `parents[i, j]`."""


def beam_search(scorer: Scorer, limits: Tensor, beam: int, length_normalisation: float, *,
                begin: int, end: int) -> list[list[int]]:
    """The best output of each sentence, without the tokens `begin` and `end` around it.

    `limits` [sentences] is the largest number of tokens before the end; a hypothesis that reaches
    it must end. The search runs on their device, which is the scorer's.

    A sentence is finished as soon as no live hypothesis can overtake its best one:
    log-probabilities only fall and lengths are limited, so live score / (limit + 1) **
    length_normalisation bounds every continuation, and stopping early never changes the answer.
    """
    device, count = limits.device, len(limits)
    sentences = torch.arange(count, device=device)
    answers: list[list[int]] = [[] for _ in range(count)]
    best = torch.full((count,), -torch.inf, device=device)
    live = torch.full((count, beam), -torch.inf, device=device)
    live[:, 0] = 0.0
    slots = torch.full((count, 1), beam, device=device)
    last = torch.full((count, beam), begin, device=device)
    history = last[:, :, None][:, :, :0]
    places = torch.arange(beam, device=device)
    length = 0
    while len(sentences):
        length += 1
        steps = _end_at_limit(scorer.advance(last), length > limits, end)
        vocabulary = steps.shape[-1]
        scores, chosen = (live[:, :, None] + steps).flatten(1).topk(beam)
        scores = scores.masked_fill(places >= slots, -torch.inf)
        parents, last = chosen // vocabulary, chosen % vocabulary
        history = torch.cat([history.take_along_dim(parents[:, :, None], 1),
                             last[:, :, None]], dim=2)

        ended = (last == end) & scores.isfinite()
        finished = scores.masked_fill(~ended, -torch.inf) / length**length_normalisation
        top, index = finished.max(dim=1)
        for row in (top > best).nonzero()[:, 0].tolist():
            answers[int(sentences[row])] = history[row, index[row], :-1].tolist()
        best = torch.maximum(best, top)
        live = scores.masked_fill(ended, -torch.inf)
        slots = slots - ended.sum(dim=1, keepdim=True)

        bound = live.max(dim=1).values / (limits + 1) ** length_normalisation
        kept = (bound > best).nonzero()[:, 0]
        scorer.reorder(kept, parents[kept])
        sentences, limits, best, live, slots, last, history = (
            tensor[kept] for tensor in (sentences, limits, best, live, slots, last, history))
    return answers


def continued_rows(sentences: Tensor, parents: Tensor) -> Tensor:
    """Rows [kept * beam] that `Scorer.reorder` keeps of states [sentences * beam, ...]."""
    return (sentences[:, None] * parents.shape[1] + parents).flatten()


def _end_at_limit(steps: Tensor, ended: Tensor, end: int) -> Tensor:
    """Leave the end alone possible in the sentences where `ended` is true."""
    if not ended.any():
        return steps
    forced = torch.full_like(steps, -torch.inf)
    forced[..., end] = steps[..., end]
    return torch.where(ended[:, None, None], forced, steps)
