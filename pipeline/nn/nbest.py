"""Beam search that hands back all that it finished, for something else to choose from.

As `pipeline.nn.beam`: at each step the best continuations of all live hypotheses are kept, and one
that ends takes its slot with it. But here the search goes on until every slot is taken, since a
language model or a second network may prefer what this one thinks less probable (Chan et al. 2016,
who choose among the finished hypotheses).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.nn.beam import Scorer


@dataclass(frozen=True)
class Finished:
    """An output without the tokens around it, and its log-probability, the end included."""

    tokens: list[int]
    log_probability: float


def n_best(scorer: Scorer, limits: Tensor, beam: int, *, begin: int,
           end: int) -> list[list[Finished]]:
    """Up to `beam` outputs of each sentence, the most probable first, no output twice.

    `limits` [sentences] is the largest number of tokens before the end: a hypothesis that reaches
    it must end, so one that repeats itself for ever ends too. With a beam as wide as the number of
    possible outputs all of them come back; a beam of 1 is greedy search.
    """
    device, count = limits.device, len(limits)
    sentences = torch.arange(count, device=device)
    answers: list[list[Finished]] = [[] for _ in range(count)]
    live = torch.full((count, beam), -torch.inf, device=device)
    live[:, 0] = 0.0
    slots = torch.full((count, 1), beam, device=device)
    last = torch.full((count, beam), begin, device=device)
    history = last[:, :, None][:, :, :0]
    places = torch.arange(beam, device=device)
    while len(sentences):
        steps = scorer.advance(last)
        over = (limits <= history.shape[2])[:, None, None]
        vocabulary = steps.shape[-1]
        not_end = torch.arange(vocabulary, device=device) != end
        steps = steps.masked_fill(over & not_end, -torch.inf)
        scores, chosen = (live[:, :, None] + steps).flatten(1).topk(beam)
        scores = scores.masked_fill(places >= slots, -torch.inf)
        parents, last = chosen // vocabulary, chosen % vocabulary
        history = torch.cat([history.take_along_dim(parents[:, :, None], 1),
                             last[:, :, None]], dim=2)

        ended = (last == end) & scores.isfinite()
        for row, place in ended.nonzero().tolist():
            answers[int(sentences[row])].append(
                Finished(history[row, place, :-1].tolist(), float(scores[row, place])))
        live = scores.masked_fill(ended, -torch.inf)
        slots = slots - ended.sum(dim=1, keepdim=True)

        kept = live.isfinite().any(dim=1).nonzero()[:, 0]
        scorer.reorder(kept, parents[kept])
        sentences, limits, live, slots, last, history = (
            tensor[kept] for tensor in (sentences, limits, live, slots, last, history))
    return [sorted(found, key=lambda one: -one.log_probability) for found in answers]
