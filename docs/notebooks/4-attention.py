# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4. Where to look
#
# [The deck's page](../course/4-encoder-decoder-attention.md) · [all
# notebooks](../COURSE.md#notebooks)
#
# One network reads a string of letters, another writes it backwards. If all that passes between
# them is one vector, long strings do not fit. If the writer may look at every letter again, they
# do, and we can see where it looks. Then: how to search for the best answer, and how to score
# one.

# %%
import itertools
from collections import Counter
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import sacrebleu
import torch
from torch import nn

from pipeline.nn.attention import GeneralAttention
from pipeline.nn.beam import beam_search
from pipeline.nn.rnn import BidirectionalStack, ends
from pipeline.nn.seq2seq import (
    AttentionContexts,
    BeamScorer,
    Memory,
    RecurrentDecoder,
    SummaryContexts,
)
from pipeline.tasks.translation.shared.measures import bleu, bleu_statistics

torch.set_num_threads(1)

# %% [markdown]
# ## Attention, by hand
#
# The writer's state $s$ asks all states $h_i$ of the reader. Each gets a score, a softmax turns
# scores into weights, and what comes back is the weighted mean:
#
# $$\alpha_i = \mathrm{softmax}_i(s^\top W h_i), \qquad c = \sum_i \alpha_i h_i.$$

# %% name="attention"
torch.manual_seed(1)
attention = GeneralAttention(query=3, memory=4).double()
asked, states = torch.randn(1, 1, 3).double(), torch.randn(1, 5, 4).double()
there = torch.tensor([[True, True, True, True, False]])
with torch.no_grad():
    context, weights = attention(asked, attention.keys(states), states, there)

s, h, W = asked[0, 0].numpy(), states[0].numpy(), attention.key.weight.detach().numpy()
scores = h[:4] @ W.T @ s
alphas = np.exp(scores) / np.exp(scores).sum()
by_hand = alphas @ h[:4]
print("weights:", np.round(weights[0, 0].numpy(), 3), "the last state is padding")

# %% name="check-attention" tags=["check"]
assert np.allclose(weights[0, 0, :4].numpy(), alphas) and weights[0, 0, 4] == 0
assert np.allclose(context[0, 0].numpy(), by_hand)

# %% [markdown]
# ## Two networks that turn strings round
#
# Both read with a bidirectional GRU and write with a GRU, 32 units each. One asks for contexts
# (`AttentionContexts`), the other gets the reader's last states at each step (`SummaryContexts`).
# Strings of 2 to 10 letters, 300 updates; some seconds each.

# %% name="training"
LETTERS, BEGIN, END = "abcdefgh", 8, 9


class Reverser(nn.Module):
    """Reads letters and writes them in reverse; weights are None without attention."""

    def __init__(self, attends, hidden=32):
        super().__init__()
        self.embedding = nn.Embedding(10, 16)
        self.encoder = BidirectionalStack("gru-torch", 16, [hidden], dropout=0.0)
        contexts = (AttentionContexts(GeneralAttention(hidden, 2 * hidden)) if attends
                    else SummaryContexts())
        self.decoder = RecurrentDecoder("gru-torch", 16, hidden, 2 * hidden, contexts, 2 * hidden,
                                        asks="after")
        self.output = nn.Linear(3 * hidden, 10)

    def remember(self, read, lengths):
        """The memory of letters `read` [time, batch]."""
        states = self.encoder(self.embedding(read), lengths)
        memory = Memory(states.transpose(0, 1), torch.arange(len(read)) < lengths[:, None],
                        ends(states, lengths))
        contexts = self.decoder.contexts
        if isinstance(contexts, AttentionContexts):
            memory = replace(memory, keys=contexts.attention.keys(memory.states))
        return memory

    def forward(self, tokens, memory, state):
        """Log-probabilities after `tokens` [batch, time], the state behind, the weights."""
        found, state, looked = self.decoder(self.embedding(tokens), memory, state)
        return torch.log_softmax(self.output(found), dim=-1), state, looked


def batch(random, count, shortest=2, longest=10):
    """Letters [time, batch], lengths, what the writer is given, and what it is to write."""
    strings = [random.integers(0, 8, size=random.integers(shortest, longest + 1))
               for _ in range(count)]
    reads, givens, wanteds = (
        nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], True, -100)
        for rows in (strings, [[BEGIN, *string[::-1]] for string in strings],
                     [[*string[::-1], END] for string in strings]))
    return (reads.clamp(min=0).T, torch.tensor(list(map(len, strings))), givens.clamp(min=0),
            wanteds)


def trained(attends, updates=300):
    torch.manual_seed(1)
    random, network = np.random.default_rng(1), Reverser(attends)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(updates):
        reads, lengths, givens, wanteds = batch(random, 64)
        memory = network.remember(reads, lengths)
        logs, _, _ = network(givens, memory, network.decoder.start(memory))
        optimiser.zero_grad()
        nn.functional.nll_loss(logs.flatten(0, 1), wanteds.flatten()).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    return network.eval()


networks = {"attention": trained(True), "fixed vector": trained(False)}

# %% [markdown]
# Now they have to write alone, each reading its own last letter, by the project's beam search
# with a beam of one. How many strings come out right, by their length?

# %% name="lengths"
@torch.no_grad()
def answers(network, reads, lengths, beam=1):
    """What is written about each string, letters without the end."""
    def step(tokens, memory, state):
        logs, state, _ = network(tokens[:, None], memory, state)
        return logs[:, 0], state

    memory = network.remember(reads, lengths)
    scorer = BeamScorer(step, memory, network.decoder.start(memory), beam)
    return beam_search(scorer, lengths + 2, beam, 0.0, begin=BEGIN, end=END)


lengths_tried = [2, 4, 6, 8, 10, 12]
right = {name: [] for name in networks}
for length in lengths_tried:
    reads, lengths, _, wanteds = batch(np.random.default_rng(length), 60, length, length)
    for name, network in networks.items():
        right[name].append(np.mean([
            answer == wanted[:-1].tolist() for answer, wanted
            in zip(answers(network, reads, lengths), wanteds, strict=True)]))
for name, shares in right.items():
    plt.plot(lengths_tried, shares, "o-", label=name)
plt.axvspan(10, 12, alpha=0.1, label="longer than any in training")
plt.xlabel("letters")
plt.ylabel("share of strings without a mistake")
plt.legend()
plt.show()

# %% name="check-lengths" tags=["check"]
six, eight = lengths_tried.index(6), lengths_tried.index(8)
assert right["attention"][six] > 0.7, "the network with attention has not learnt its task"
assert right["attention"][eight] > right["fixed vector"][eight] + 0.3

# %% [markdown]
# ## Where it looked
#
# A row for each letter written, a column for each letter read.

# %% name="map"
reads, lengths, givens, wanteds = batch(np.random.default_rng(5), 50, 8, 8)
with torch.no_grad():
    memory = networks["attention"].remember(reads, lengths)
    state = networks["attention"].decoder.start(memory)
    looked = networks["attention"](givens, memory, state)[2].numpy()
plt.imshow(looked[0], cmap="Greys", vmin=0, vmax=1)
plt.xticks(range(8), [LETTERS[letter] for letter in reads[:, 0]])
plt.yticks(range(9), [*(LETTERS[letter] for letter in wanteds[0, :-1]), "end"])
plt.xlabel("read")
plt.ylabel("written")
plt.colorbar(label="weight")
plt.show()

# %% name="check-map" tags=["check"]
assert np.allclose(looked.sum(axis=2), 1, atol=1e-5)
where = (looked * np.arange(8)).sum(axis=2)[:, :8].mean(axis=0)
assert np.corrcoef(where, np.arange(8))[0, 1] < -0.7, "it should look from right to left"

# %% [markdown]
# The same with sentences: [translation](../../leaderboards/translation.md), by the length of the
# source.
#
# ## Greedy and beam search
#
# The best first word need not begin the best sentence. A model of two words, by hand:

# %% name="beam"
chances = {"<s>": {"nice": 0.5, "dog": 0.4, "car": 0.1},
           "nice": {"house": 0.4, "woman": 0.35, "tree": 0.25},
           "dog": {"runs": 0.9, "sleeps": 0.1}, "car": {"stops": 1.0}}
words = list(dict.fromkeys(["<s>", "</s>", *itertools.chain.from_iterable(chances.values())]))
table = torch.zeros(len(words), len(words))
for first, seconds in chances.items():
    for second, chance in seconds.items():
        table[words.index(first), words.index(second)] = chance
table[table.sum(dim=1) == 0, words.index("</s>")] = 1.0


class ByTable:
    """A model whose next word depends on the last one alone, as `beam_search` sees it."""

    def advance(self, tokens):
        return table[tokens].log()

    def reorder(self, sentences, parents):
        """There is no state to be put in order."""


found = {}
for width in (1, 2, 5):
    (sentence,) = beam_search(ByTable(), torch.tensor([4]), width, 0.0, begin=0, end=1)
    chance = np.prod([table[first, second] for first, second
                      in itertools.pairwise([0, *sentence, 1])])
    found[width] = " ".join(words[word] for word in sentence), float(chance)
    print(f"beam {width}: {found[width][0]}, {found[width][1]:.2f}")

# %% [markdown]
# ## Exercise: what did they find?
#
# With what probability does greedy search answer, and what is the highest probability that any
# sentence has? Work it out from the table of `chances`, not from the lines above.

# %% name="search" tags=["exercise"]
greedy_finds = ...
best_there_is = ...

# %% name="check-search" tags=["check"]
if ... in (greedy_finds, best_there_is):
    print("Not answered yet: put numbers in place of the dots.")
else:
    every = {(one, two): chance * other for one, chance in chances["<s>"].items()
             for two, other in chances[one].items()}
    assert np.isclose(greedy_finds, found[1][1]), "greedy takes the best word, and again"
    assert np.isclose(best_there_is, max(every.values())), "try every pair"
    assert found[5][0].split() == list(max(every, key=every.get))
    print("Right.")

# %% [markdown] name="solution-search" tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# greedy_finds = 0.5 * 0.4
# best_there_is = 0.4 * 0.9
# ```
#
# </details>

# %% [markdown]
# Where a network is unsure, a wider beam finds answers that it thinks more probable. Whether they
# are better is another question. The network with a fixed vector, on strings that are too long
# for it:

# %% name="beam-of-network"
reads, lengths, _, _ = batch(np.random.default_rng(6), 60, 8, 8)
unsure = networks["fixed vector"]


@torch.no_grad()
def log_probabilities(written):
    """Of what was written, by the network itself."""
    memory, found = unsure.remember(reads, lengths), []
    for place, answer in enumerate(written):
        one = memory.select(torch.tensor([place]))
        logs, _, _ = unsure(torch.tensor([[BEGIN, *answer]]), one, unsure.decoder.start(one))
        found.append(logs[0, range(len(answer) + 1), [*answer, END]].sum().item())
    return np.array(found)


by_width = {width: log_probabilities(answers(unsure, reads, lengths, width)) for width in (1, 8)}
for width, logs in by_width.items():
    print(f"beam {width}: log-probability {logs.mean():.2f} on average")

# %% name="check-beam-of-network" tags=["check"]
assert by_width[8].mean() > by_width[1].mean()

# %% [markdown]
# ## BLEU, by hand
#
# $$\mathrm{BLEU} = \min\big(1, e^{1 - r/c}\big) \cdot \Big(\prod_{n=1}^{4} p_n\Big)^{1/4}$$
#
# $p_n$ is the share of the candidate's n-grams that the reference has too, each counted at most
# as often as there; a candidate of $c$ words that is shorter than the reference's $r$ is fined.

# %% name="bleu"
reference = "he read the long letter twice before he answered it"
candidates = ["he read the letter twice before he answered",
              "he read twice the long letter before he answered it"]


def ngrams(text, n):
    words = text.split()
    return Counter(tuple(words[place : place + n]) for place in range(len(words) - n + 1))


def precision(candidate, n):
    """Matches and n-grams of the candidate."""
    ours, theirs = ngrams(candidate, n), ngrams(reference, n)
    return (ours & theirs).total(), ours.total()


def bleu_by_hand(candidate):
    shares = [matches / total for matches, total in (precision(candidate, n) for n in range(1, 5))]
    length, wanted = len(candidate.split()), len(reference.split())
    return 100 * np.exp(min(0.0, 1 - wanted / length)) * np.prod(shares) ** 0.25


for candidate in candidates:
    counts = ", ".join("/".join(map(str, precision(candidate, n))) for n in range(1, 5))
    print(f"{bleu_by_hand(candidate):.2f} ({counts}): {candidate}")

# %% name="check-bleu" tags=["check"]
for candidate in candidates:
    by_sacrebleu = sacrebleu.corpus_bleu([candidate], [[reference]]).score
    by_project = float(bleu(np.array(bleu_statistics(candidate, reference), float)))
    assert np.isclose(bleu_by_hand(candidate), by_sacrebleu), candidate
    assert np.isclose(bleu_by_hand(candidate), by_project), candidate

# %% [markdown]
# ## Exercise: the fine for brevity
#
# As a function of the candidate's and the reference's number of words.

# %% name="brevity" tags=["exercise"]
def brevity(candidate_words, reference_words):
    ...


# %% name="check-brevity" tags=["check"]
if brevity(8, 10) is None:
    print("Not answered yet: brevity() returns nothing.")
else:
    assert np.isclose(brevity(8, 10), np.exp(-0.25)), "8 words for 10: e to the power of 1 - 10/8"
    assert brevity(12, 10) == 1, "who is longer is not fined, and wins nothing"
    fined = sacrebleu.corpus_bleu([candidates[0]], [[reference]]).bp
    assert np.isclose(brevity(8, 10), fined)
    print("Right.")

# %% [markdown] name="solution-brevity" tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def brevity(candidate_words, reference_words):
#     return np.exp(min(0.0, 1 - reference_words / candidate_words))
# ```
#
# </details>
