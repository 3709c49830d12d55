"""Decoders over a memory: equations, shared memories, carried states and search."""

import pytest
import torch
from torch import Tensor, nn

from pipeline.nn.attention import attention
from pipeline.nn.beam import beam_search
from pipeline.nn.cells import State
from pipeline.nn.seq2seq import (
    AttentionContexts,
    BeamScorer,
    Contexts,
    Memory,
    RecurrentDecoder,
    SummaryContexts,
    run,
)

INPUTS, POSITIONS, WIDTH, HIDDEN, FEATURES, WORDS = 3, 6, 5, 4, 2, 7
BEGIN, END = 0, 1


class Fading(Contexts):
    """Attention that looks less where it looked before: its state is the sum of its weights."""

    def start(self, memory: Memory) -> State:
        return (torch.zeros_like(memory.states[..., 0]),)

    def forward(self, queries: Tensor, memory: Memory,
                carried: State) -> tuple[Tensor, Tensor, State]:
        rows = torch.arange(len(queries)) // (len(queries) // len(memory))
        states, mask = memory.states[rows], memory.mask[rows]
        (seen,), looked = carried, []
        for query in queries.unbind(1):
            scores = (states[..., :HIDDEN] @ query[:, :, None])[..., 0] - 3 * seen
            looked.append(scores.masked_fill(~mask, -torch.inf).softmax(-1))
            seen = seen + looked[-1]
        weights = torch.stack(looked, dim=1)
        return weights @ states, weights, (seen,)


def memory(count: int = INPUTS) -> Memory:
    torch.manual_seed(1)
    states = torch.randn(count, POSITIONS, WIDTH)
    lengths = torch.tensor([6, 2, 4])[:count]
    return Memory(states, torch.arange(POSITIONS) < lengths[:, None], states.mean(dim=1))


def contexts(kind: str) -> Contexts:
    if kind == "fading":
        return Fading()
    if kind == "summary":
        return SummaryContexts()
    return AttentionContexts(attention("general", query=HIDDEN, memory=WIDTH, hidden=3))


def keyed(found: Contexts, of: Memory) -> Memory:
    if not isinstance(found, AttentionContexts):
        return of
    return Memory(of.states, of.mask, of.summary, found.attention.keys(of.states))


def decoder(kind: str, asks: str, cell: str = "lstm") -> RecurrentDecoder:
    torch.manual_seed(2)
    return RecurrentDecoder(cell, FEATURES, HIDDEN, WIDTH, contexts(kind), WIDTH,
                            asks).requires_grad_(False)


every_decoder = pytest.mark.parametrize(("kind", "asks"), [
    (kind, asks) for kind in ("attention", "fading", "summary") for asks in ("before", "after")])


@every_decoder
def test_step_by_step_is_all_at_once(kind: str, asks: str) -> None:
    net, of = decoder(kind, asks), memory()
    of = keyed(net.contexts, of)
    embedded = torch.randn(INPUTS, 5, FEATURES)
    whole, last, weights = net(embedded, of, net.start(of))
    assert whole.shape == (INPUTS, 5, HIDDEN + WIDTH)
    state, parts = net.start(of), []
    for token in embedded.split(1, dim=1):
        part, state, _ = net(token, of, state)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole)
    torch.testing.assert_close(state, last)
    if weights is not None:
        torch.testing.assert_close(weights.sum(-1), torch.ones(INPUTS, 5))


@every_decoder
def test_rows_about_one_input_share_its_memory(kind: str, asks: str) -> None:
    net, of = decoder(kind, asks), memory()
    of = keyed(net.contexts, of)
    embedded = torch.randn(INPUTS * 2, 3, FEATURES)
    state = tuple(tensor.repeat_interleave(2, 0) for tensor in net.start(of))
    shared, _, _ = net(embedded, of, state)
    copied, _, _ = net(embedded, of.select(torch.arange(INPUTS).repeat_interleave(2)), state)
    torch.testing.assert_close(shared, copied)


def test_the_state_before_a_token_asks_by_hand() -> None:
    net, of = decoder("summary", "before", "elman"), memory()
    (before,) = net.start(of)
    torch.testing.assert_close(
        before, torch.tanh(of.summary @ net.first.linear.weight.T + net.first.linear.bias))
    token = torch.randn(INPUTS, 1, FEATURES)
    found, _, _ = net(token, of, (before,))
    own = net.layer
    state = torch.tanh(torch.cat([token[:, 0], of.summary], 1) @ own.weight_ih_l0.T
                       + own.bias_ih_l0 + before @ own.weight_hh_l0.T + own.bias_hh_l0)
    torch.testing.assert_close(found[:, 0], torch.cat([state, of.summary], 1))


def test_a_row_has_the_state_of_its_layer() -> None:
    net = decoder("summary", "after", "gru-keep").layer
    inputs, state = torch.randn(3, 5, FEATURES), (torch.randn(3, HIDDEN),)
    outputs, (last,) = run(net, inputs, state)
    expected, _ = net(inputs.transpose(0, 1), (state[0][None],))
    torch.testing.assert_close(outputs.transpose(0, 1), expected)
    torch.testing.assert_close(last, expected[-1])


class Speller(nn.Module):
    """A decoder with an embedding and an output layer, as a task would have."""

    def __init__(self, kind: str, asks: str) -> None:
        super().__init__()
        self.decoder = decoder(kind, asks)
        self.embedding = nn.Embedding(WORDS, FEATURES)
        self.output = nn.Linear(HIDDEN + WIDTH, WORDS)
        self.requires_grad_(False)
        for parameter in self.parameters():
            parameter.normal_(std=1.5)

    def advance(self, tokens: Tensor, of: Memory, state: State) -> tuple[Tensor, State]:
        read, state, _ = self.decoder(self.embedding(tokens)[:, None], of, state)
        return self.output(read[:, 0]).log_softmax(-1), state

    def search(self, of: Memory, beam: int) -> list[list[int]]:
        scorer = BeamScorer(self.advance, of, self.decoder.start(of), beam)
        return beam_search(scorer, torch.full((len(of),), 6), beam, 1.0, begin=BEGIN, end=END)


class Recomputed:
    """Scores each hypothesis of one input from its whole prefix: no state to mix up."""

    def __init__(self, speller: Speller, of: Memory) -> None:
        self.speller = speller
        self.of = of
        self.prefixes: list[list[int]] = []

    def advance(self, tokens: Tensor) -> Tensor:
        before = self.prefixes or [[] for _ in tokens[0]]
        self.prefixes = [[*prefix, token] for prefix, token in zip(before, tokens[0].tolist(),
                                                                   strict=True)]
        return torch.stack([self.after(prefix) for prefix in self.prefixes])[None]

    def after(self, prefix: list[int]) -> Tensor:
        state = self.speller.decoder.start(self.of)
        for token in prefix:
            found, state = self.speller.advance(torch.tensor([token]), self.of, state)
        return found[0]

    def reorder(self, sentences: Tensor, parents: Tensor) -> None:
        if len(sentences):
            self.prefixes = [self.prefixes[parent] for parent in parents[0].tolist()]


@every_decoder
def test_search_follows_the_states_of_its_hypotheses(kind: str, asks: str) -> None:
    """Also what an attention carries from step to step belongs to a hypothesis."""
    speller, of = Speller(kind, asks), memory()
    of = keyed(speller.decoder.contexts, of)
    found = speller.search(of, beam=4)
    for row, answer in enumerate(found):
        alone = of.select(torch.tensor([row]))
        expected = beam_search(Recomputed(speller, alone), torch.tensor([6]), 4, 1.0,
                               begin=BEGIN, end=END)
        assert [answer] == expected
