"""Beam search, batched over pictures; a beam of 1 is greedy search.

At each step the best continuations of all hypotheses are kept. One that has ended keeps its slot
and its score; the answer is the one with the highest log-probability / length **
length_normalisation, where the length counts EOS.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from pipeline.tasks.caption.shared.words import BOS, EOS

State = tuple[Tensor, ...]
# Log-probabilities [rows, words] after `tokens` [rows], and the next state, tensors [rows, ...].
Step = Callable[[Tensor, State], tuple[Tensor, State]]


def beam_search(step: Step, state: State, beam: int, limit: int,
                length_normalisation: float) -> list[list[int]]:
    """The best sentence of each picture, without EOS, of at most `limit` words.

    `state` is that before the first word, tensors [pictures, ...]; `step` is given rows in which
    the `beam` hypotheses of a picture stand side by side.
    """
    pictures = len(state[0])
    state = tuple(tensor.repeat_interleave(beam, dim=0) for tensor in state)
    scores = torch.full((pictures, beam), -torch.inf)
    scores[:, 0] = 0.0
    history = torch.full((pictures, beam, 1), BOS)
    lengths = torch.zeros(pictures, beam, dtype=torch.int64)
    ended = torch.zeros(pictures, beam, dtype=torch.bool)
    for length in range(1, limit + 2):
        found, state = step(history[:, :, -1].flatten(), state)
        steps = found.view(pictures, beam, -1).clone()
        only_end = torch.full_like(steps, -torch.inf)
        if length <= limit:
            only_end[..., EOS] = 0.0
            steps = torch.where(ended[:, :, None], only_end, steps)
        else:
            only_end[..., EOS] = torch.where(ended, 0.0, steps[..., EOS])
            steps = only_end
        scores, chosen = (scores[:, :, None] + steps).flatten(1).topk(beam)
        parents, words = chosen // steps.shape[-1], chosen % steps.shape[-1]
        rows = (torch.arange(pictures)[:, None] * beam + parents).flatten()
        state = tuple(tensor[rows] for tensor in state)
        history = torch.cat([history.take_along_dim(parents[:, :, None], 1),
                             words[:, :, None]], dim=2)
        lengths = torch.where(ended.gather(1, parents), lengths.gather(1, parents), length)
        ended = words == EOS
        if (ended | scores.isinf()).all():
            break
    best = (scores / lengths**length_normalisation).argmax(dim=1)
    sentences = history[torch.arange(pictures), best, 1:].tolist()
    return [words[: words.index(EOS)] for words in sentences]
