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
# # 2. Counting words, and remembering them
#
# [The deck's page](../course/2-language-models.md) · [all notebooks](../COURSE.md#notebooks)
#
# A language model says how probable the next word is. One counts what followed the last words,
# another carries a state along. A small grammar, whose true probabilities we know, shows where
# the second is better; then we look at what its words have become, and let it write.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from pipeline.ngram.kneser_ney import estimate
from pipeline.nn.rnn import Stack
from pipeline.systems.base import seeded
from pipeline.tasks.embeddings.shared.answers import Space
from pipeline.tasks.language_model.shared.generation import Sampling, choose

torch.set_num_threads(1)

# %% [markdown]
# ## Perplexity, by hand
#
# $$P(w_1 \dots w_T) = \prod_t P(w_t \mid w_1 \dots w_{t-1}), \qquad
# \mathrm{PP} = P(w_1 \dots w_T)^{-1/T}$$
#
# Three sentences are all that we have read. A bigram counts which word followed which, with `<s>`
# before and `</s>` behind a sentence:
#
# | after   | comes                       |
# | ------- | --------------------------- |
# | `<s>`   | the 3/3                     |
# | the     | dog 2/3, cat 1/3            |
# | dog     | runs 1/2, sleeps 1/2        |
# | cat     | sleeps 1/1                  |
# | runs    | `</s>` 1/1                  |
# | sleeps  | `</s>` 2/2                  |
#
# "the dog sleeps" is four words with its end: 1 · 2/3 · 1/2 · 1 = 1/3, and the perplexity is the
# fourth root of 3. "the cat runs" was never read, and has the probability 0: its perplexity is
# infinite.

# %% name="counting"
read = ["the dog runs", "the dog sleeps", "the cat sleeps"]
pairs, before = {}, {}
for sentence in read:
    words = ["<s>", *sentence.split(), "</s>"]
    for first, second in zip(words, words[1:], strict=False):
        pairs[first, second] = pairs.get((first, second), 0) + 1
        before[first] = before.get(first, 0) + 1


def perplexity_of(sentence):
    words = ["<s>", *sentence.split(), "</s>"]
    shares = [pairs.get(pair, 0) / before[pair[0]] for pair in zip(words, words[1:], strict=False)]
    with np.errstate(divide="ignore"):
        return np.exp(-np.mean(np.log(shares)))


for sentence in ("the dog sleeps", "the cat runs"):
    print(f"{sentence}: {perplexity_of(sentence):.3f}")

# %% name="check-counting" tags=["check"]
assert np.isclose(perplexity_of("the dog sleeps"), 3**0.25)
assert np.isinf(perplexity_of("the cat runs"))

# %% [markdown]
# ## A grammar, of which all is known
#
# Subject and verb agree in number, and between them may stand other nouns that agree with nobody:
# *the dog near the cats behind the birds runs*. We draw the sentences ourselves, so we know the
# probability of each.

# %% name="grammar"
NOUNS, VERBS, PLACES = ["dog", "cat", "bird"], ["run", "sleep", "sing"], ["near", "behind"]
END = "</s>"
words = [END, "the", *PLACES, *NOUNS, *(f"{noun}s" for noun in NOUNS), *VERBS,
         *(f"{verb}s" for verb in VERBS)]
ids = {word: identity for identity, word in enumerate(words)}


def drawn(random):
    """A sentence with its end, and its true log-probability."""
    plural = random.integers(2)
    sentence = ["the", random.choice(NOUNS) + "s" * plural]
    choices = 2 * len(NOUNS)
    while random.random() < 0.5:
        other = random.choice(NOUNS) + "s" * random.integers(2)
        sentence += [str(random.choice(PLACES)), "the", other]
        choices *= 2 * len(PLACES) * 2 * len(NOUNS)
    sentence += [random.choice(VERBS) + "s" * (1 - plural), END]
    return sentence, -np.log(choices * 2 * len(VERBS))


random = np.random.default_rng(1)
training, (testing, truths) = ([drawn(random)[0] for _ in range(2000)],
                               zip(*(drawn(random) for _ in range(500)), strict=True))
tokens = np.array([ids[word] for sentence in testing for word in sentence])
at_verb = np.array([place == len(sentence) - 2 for sentence in testing
                    for place in range(len(sentence))])
between = np.repeat([len(sentence) // 3 - 1 for sentence in testing], list(map(len, testing)))
ceiling = np.exp(-sum(truths) / len(tokens))
print(" ".join(testing[0]))
print(f"{len(words)} words; nobody can be better than a perplexity of {ceiling:.3f}")

# %% [markdown]
# ### The n-gram
#
# The project's Kneser-Ney model, `pipeline.ngram.kneser_ney.estimate`, takes some probability
# from what was seen and gives it to shorter contexts, so that nothing is impossible. With a small
# vocabulary there are too few kinds of counts to estimate by how much, and it says that it falls
# back on fixed discounts.

# %% name="ngrams"
text = np.array([ids[word] for sentence in training for word in sentence])
ngrams = {order: estimate(text, len(words), ids[END], order) for order in (2, 4)}
scores = {f"{order}-gram": model.score(tokens) for order, model in ngrams.items()}
for name, logs in scores.items():
    print(f"{name}: perplexity {np.exp(-logs.mean()):.3f}")

# %% name="check-ngrams" tags=["check"]
unseen = (ids["sings"], ids["sings"])
assert np.isclose(np.exp(ngrams[4].distribution(unseen)).sum(), 1, atol=1e-5)
assert np.isfinite(ngrams[4].log_probability(unseen, ids["the"]))
assert all(np.exp(-logs.mean()) > ceiling for logs in scores.values())

# %% [markdown]
# ### The recurrent network
#
# $$h_t = \mathrm{cell}(E[w_t], h_{t-1}), \qquad
# P(w_{t+1} \mid w_1 \dots w_t) = \mathrm{softmax}(V h_t + c)$$
#
# A state takes the place of the last words. One LSTM of 32 units, some seconds.

# %% name="network"
torch.manual_seed(1)


class Recurrent(nn.Module):
    """Log-probabilities of the next word after each of `read` [time, batch]."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(words), 12)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)  # small, so that training shows
        self.stack = Stack("lstm", 12, [32], dropout=0.0)
        self.output = nn.Linear(32, len(words))

    def forward(self, read, state):
        states, state = self.stack(self.embedding(read), state)
        return torch.log_softmax(self.output(states), dim=-1), state


def padded(sentences):
    """What is read and what comes next, [time, batch]; a sentence begins after the last one's end.
    """
    shape = (max(map(len, sentences)) + 1, len(sentences))
    table = torch.full(shape, -100)
    table[0] = ids[END]
    for column, sentence in enumerate(sentences):
        table[1 : len(sentence) + 1, column] = torch.tensor([ids[word] for word in sentence])
    return table[:-1].clamp(min=0), table[1:]


network = Recurrent()
optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
for start in [*range(0, len(training), 25)] * 6:
    reads, nexts = padded(training[start : start + 25])
    logs, _ = network(reads, network.stack.start(reads.shape[1]))
    optimiser.zero_grad()
    nn.functional.nll_loss(logs.flatten(0, 1), nexts.flatten()).backward()
    optimiser.step()

reads, nexts = padded(testing)
with torch.no_grad():
    logs, _ = network(reads, network.stack.start(len(testing)))
said = logs.gather(2, nexts.clamp(min=0)[:, :, None])[:, :, 0].T[nexts.T >= 0]
scores["LSTM"] = said.double().numpy()
print(f"LSTM: perplexity {np.exp(-scores['LSTM'].mean()):.3f}; at best {ceiling:.3f}")

# %% [markdown]
# On average they are close. Look at the verb alone, by how many nouns stand between it and its
# subject. Half of the time another noun comes instead, and three verbs fit, so the best
# perplexity there is is 6. The n-gram that no longer sees the subject must guess the number as
# well: 12.

# %% name="at-the-verb"
far = {name: [np.exp(-logs[at_verb & (between.clip(max=3) == count)].mean())
              for count in range(4)] for name, logs in scores.items()}
for name, perplexities in far.items():
    plt.plot(range(4), perplexities, "o-", label=name)
    print(f"{name}: {', '.join(f'{perplexity:.2f}' for perplexity in perplexities)}")
plt.axhline(6, linestyle="--", color="grey", label="at best")
plt.xticks(range(4), ["none", "1", "2", "3 or more"])
plt.xlabel("nouns between subject and verb")
plt.ylabel("perplexity of the verb")
plt.legend()
plt.show()

# %% name="check-at-the-verb" tags=["check"]
assert far["4-gram"][0] < 7 and far["4-gram"][1] > 9
assert far["LSTM"][2] < 8, "the LSTM has not learnt what agrees with what"
assert np.exp(-scores["LSTM"].mean()) < np.exp(-scores["4-gram"].mean())

# %% [markdown]
# The same, on a larger grammar and with intervals and seeds: the track
# [lm-word](../../leaderboards/lm-word.md), whose metric `perplexity_long` is of those verbs.
#
# ## Exercise: nothing known
#
# A model gives each of 10,000 words the same probability. What is its perplexity, and how many
# bits does a word cost?

# %% name="uniform" tags=["exercise"]
perplexity_of_all = ...
bits_of_a_word = ...

# %% name="check-uniform" tags=["check"]
if ... in (perplexity_of_all, bits_of_a_word):
    print("Not answered yet: put numbers in place of the dots.")
else:
    assert np.isclose(perplexity_of_all, 10_000), "as many words as are equally likely"
    assert np.isclose(bits_of_a_word, 13.2877, atol=0.01), "2 to the power of it is the perplexity"
    print("Right.")

# %% [markdown] name="solution-uniform" tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# perplexity_of_all = (1 / 10_000) ** -1
# bits_of_a_word = np.log2(10_000)
# ```
#
# </details>

# %% [markdown]
# ## Corners, and what training makes of them
#
# As one-hot vectors all words are corners of a cube, each √2 away from each other. To multiply a
# corner with a matrix $E$ is to look up a row of it, and training moves the rows.

# %% name="corners"
corners = np.eye(len(words))
apart = np.linalg.norm(corners[:, None] - corners[None], axis=2)
E = network.embedding.weight.detach().numpy()
centred = E - E.mean(axis=0)
axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
for word, (x, y) in zip(words, centred @ axes.T, strict=True):
    plt.plot(x, y, ".", color="tab:blue")
    plt.annotate(word, (x, y), xytext=(3, 3), textcoords="offset points")
plt.title("embeddings, along their two longest axes")
plt.show()

# %% name="check-corners" tags=["check"]
others = ~np.eye(len(words), dtype=bool)
assert np.allclose(apart[others], 2**0.5)
assert np.allclose(corners[ids["dog"]] @ E, E[ids["dog"]])

# %% [markdown]
# Nobody told the network which words are verbs, or which are plural. `Space` holds words as the
# project's track of word vectors does; the neighbours are by the cosine:

# %% name="neighbours"
# It always has a place for words that it does not know; theirs is 0 here, like nothing.
space = Space([*words, "<unk>"], np.vstack([E, 0 * E[:1]]).astype(np.float64))
asked = ["dog", "cats", "near"]
near = dict(zip(asked, space.neighbours(asked, 2), strict=True))
for word, found in near.items():
    print(f"{word}: {', '.join(found)}")

# %% name="check-neighbours" tags=["check"]
singular, plural = ([ids[f"{noun}{ending}"] for noun in NOUNS] for ending in ("", "s"))
cosines = space.points @ space.points.T
assert cosines[np.ix_(singular, singular)].mean() > cosines[np.ix_(singular, plural)].mean()

# %% [markdown]
# ## Text that writes itself
#
# Draw a word, read it, draw the next. A temperature divides the scores before the softmax: below
# 1 the draws are safer, at 0 there is no chance left, above 1 they are wilder.

# %% name="writing"
@torch.no_grad()
def written(temperature, length=14):
    """So many words, by the project's `choose`, which `unrolled create` draws with too."""
    sampling, generator = Sampling(temperature, top_k=0, seed=1), seeded(1)
    token, state, text = torch.tensor([[ids[END]]]), network.stack.start(1), []
    for _ in range(length):
        logs, state = network(token, state)
        token = choose(logs[0], sampling, generator)[None]
        text.append(words[int(token)])
    return " ".join(text).replace(END, "·")


for temperature in (0.0, 0.5, 1.0, 3.0):
    print(f"{temperature}: {written(temperature)}")

# %% [markdown]
# ## Exercise: the temperature
#
# Probabilities of `scores` [words] at a `temperature` above 0, in NumPy.

# %% name="temperature" tags=["exercise"]
def tempered(scores, temperature):
    ...


# %% name="check-temperature" tags=["check"]
with torch.no_grad():
    after_the, _ = network(torch.tensor([[ids["the"]]]), network.stack.start(1))
row = after_the[0, 0].double()
if tempered(row.numpy(), 1.0) is None:
    print("Not answered yet: tempered() returns nothing.")
else:
    entropies = []
    for temperature in (0.25, 0.5, 1.0, 2.0, 4.0):
        found = tempered(row.numpy(), temperature)
        right = torch.softmax(row / temperature, dim=0).numpy()
        assert np.allclose(found, right), f"not the probabilities at temperature {temperature}"
        entropies.append(-(found * np.log2(found)).sum())
    assert entropies == sorted(entropies)
    print("Right. Bits of the next word:", ", ".join(f"{bits:.2f}" for bits in entropies))

# %% [markdown] name="solution-temperature" tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def tempered(scores, temperature):
#     powers = np.exp((scores - scores.max()) / temperature)
#     return powers / powers.sum()
# ```
#
# </details>
