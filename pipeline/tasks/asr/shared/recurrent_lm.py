"""A recurrent language model of transcripts, for the few hundred sentences that a recogniser knows.

An n-gram forgets all but the last words; an LSTM remembers who began the sentence (Mikolov et al.
2010, "Recurrent neural network based language model"; Sundermeyer, Schlueter and Ney 2012, "LSTM
Neural Networks for Language Modeling"). Too slow and too far-sighted for the search, it scores what
the search has found. Its words are those of the dictionary, so no word is unknown: one that no
training sentence has only keeps a small probability. Each sentence is learnt once however many
voices say it, and training ends when validation sentences get no likelier.

It is trained by a plain loop, not by the systems' trainer: the net is a few ten thousand weights
and learns for seconds, with nothing to resume and no curve of its own to be published.
"""

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from pipeline.entries import Entry
from pipeline.nn.dropout import FreshDropout

Sentence = Sequence[str]
_GRADIENT_NORM = 1.0
_SCORED_AT_ONCE = 64
_IGNORED = -1


class RecurrentSettings(Entry):
    """The net and how it is trained."""

    embedding: int = Field(ge=1)
    hidden: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1, description="of what enters and leaves the LSTM")
    batch_sentences: int = Field(ge=1)
    learning_rate: float = Field(gt=0, description="of Adam")
    epochs: int = Field(ge=1, description="at most")
    patience: int = Field(ge=1, description="epochs without a likelier validation set before the "
                                            "end; the best epoch's weights are kept")


class _Net(nn.Module):
    """Word numbers to logits of the next word; number `words` is both ends of a sentence."""

    def __init__(self, settings: RecurrentSettings, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words + 1, settings.embedding)
        self.lstm = nn.LSTM(settings.embedding, settings.hidden, batch_first=True)
        self.dropout = FreshDropout(settings.dropout)
        self.output = nn.Linear(settings.hidden, words + 1)

    def forward(self, before: Tensor) -> Tensor:
        """Log P(next word | words up to here), [B, T, words + 1], of `before` [B, T]."""
        found, _ = self.lstm(self.dropout(self.embedding(before)))
        return self.output(self.dropout(found)).log_softmax(dim=-1)


class RecurrentLm:
    """Probabilities of sentences of `words`; `trained` and `restored` make one."""

    def __init__(self, settings: RecurrentSettings, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._ids = {word: number for number, word in enumerate(self.words)}
        self._end = len(self.words)
        self._net = _Net(settings, len(self.words)).float()

    @classmethod
    def trained(cls, settings: RecurrentSettings, words: Sequence[str],
                transcripts: Sequence[Sentence], validation: Sequence[Sentence],
                seed: int) -> Self:
        """Learn `transcripts` until `validation` gets no likelier.

        The same seed gives the same weights, and the process's own random numbers are left as they
        were. Raises ValueError without a sentence on either side, KeyError for a word outside
        `words`.
        """
        if not transcripts or not validation:
            raise ValueError("a language model needs sentences to learn and others to stop by")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            found = cls(settings, words)
            found._learn(settings, _once(transcripts), _once(validation))
        return found

    @classmethod
    def restored(cls, settings: RecurrentSettings, words: Sequence[str],
                 tensors: Mapping[str, Tensor]) -> Self:
        """What `tensors` gave. Raises RuntimeError for anything else."""
        with torch.random.fork_rng(devices=[]):
            found = cls(settings, words)
        found._net.load_state_dict(tensors)
        found._net.eval()
        return found

    def tensors(self) -> dict[str, Tensor]:
        return self._net.state_dict()

    @property
    def parameters_count(self) -> int:
        return sum(parameter.numel() for parameter in self._net.parameters())

    def log_probabilities(self, sentences: Sequence[Sentence]) -> list[NDArray[np.float64]]:
        """Log P in nats of each word of a sentence and of its end, [words + 1] of each.

        Raises KeyError for a word outside `words`.
        """
        found = []
        for start in range(0, len(sentences), _SCORED_AT_ONCE):
            part = self._numbered(sentences[start : start + _SCORED_AT_ONCE])
            before, after = self._batch(part)
            with torch.no_grad():
                logs = self._net(before)
            chosen = logs.gather(2, after.clamp(min=0)[..., None])[..., 0].double().numpy()
            found += [row[: len(sentence) + 1] for row, sentence in zip(chosen, part, strict=True)]
        return found

    def next_word(self, sentence: Sentence) -> NDArray[np.float64]:
        """Log P of each of `words` and, last, of the end behind the words given, [words + 1]."""
        before, _ = self._batch(self._numbered([sentence]))
        with torch.no_grad():
            return self._net(before)[0, -1].double().numpy()

    def perplexity(self, sentences: Sequence[Sentence]) -> float:
        """Of a word, ends counted."""
        logs = np.concatenate(self.log_probabilities(sentences))
        return math.exp(-logs.mean())

    def _learn(self, settings: RecurrentSettings, sentences: Sequence[Sentence],
               validation: Sequence[Sentence]) -> None:
        optimizer = torch.optim.Adam(self._net.parameters(), settings.learning_rate)
        numbered = self._numbered(sentences)
        best, since = math.inf, 0
        kept = deepcopy(self._net.state_dict())
        for _ in range(settings.epochs):
            self._net.train()
            order = torch.randperm(len(numbered)).tolist()
            for start in range(0, len(order), settings.batch_sentences):
                self._step(optimizer, [numbered[place] for place in
                                       order[start : start + settings.batch_sentences]])
            self._net.eval()
            found = self.perplexity(validation)
            since += 1
            if found < best:
                best, since, kept = found, 0, deepcopy(self._net.state_dict())
            if since == settings.patience:
                break
        self._net.load_state_dict(kept)

    def _step(self, optimizer: torch.optim.Optimizer, sentences: list[list[int]]) -> None:
        before, after = self._batch(sentences)
        loss = functional.nll_loss(self._net(before).flatten(0, 1), after.flatten(),
                                   ignore_index=_IGNORED)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._net.parameters(), _GRADIENT_NORM)
        optimizer.step()

    def _numbered(self, sentences: Sequence[Sentence]) -> list[list[int]]:
        return [[self._ids[word] for word in sentence] for sentence in sentences]

    def _batch(self, sentences: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
        """What stands before each word and end, and these, [B, T]; padded behind the ends."""
        before = [torch.tensor([self._end, *sentence]) for sentence in sentences]
        after = [torch.tensor([*sentence, self._end]) for sentence in sentences]
        return (pad_sequence(before, batch_first=True, padding_value=self._end),
                pad_sequence(after, batch_first=True, padding_value=_IGNORED))


def _once(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Each sentence once, in the order in which they first come."""
    return [list(words) for words in dict.fromkeys(map(tuple, sentences))]
