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
# # 3. In this order, but when?
#
# [The deck's page](../course/3-order-and-ctc.md) · [all notebooks](../COURSE.md#notebooks)
#
# Somebody says *beefy*: /B/ /IY/ /F/ /IY/. We know what was said and in which order, but not
# when. First a table finds the best of all times; then all of them are added up, and a network
# learns to name symbols from that sum alone.

# %%
import itertools

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from pipeline.nn import ctc, order_synchronous
from pipeline.nn.ctc_alignment import best_alignment, strings_and_paths
from pipeline.nn.rnn import BidirectionalStack

torch.set_num_threads(1)
random = np.random.default_rng(1)

# %% [markdown]
# ## Expansion and compression
#
# Symbols become frames when each is repeated for as long as it lasts, and come back when runs of
# equal frames are merged, each placed where its run ends.

# %% name="expansion"
PHONES = ["B", "IY", "F"]
beefy = [0, 1, 2, 1]
frames = order_synchronous.expand(beefy, [2, 4, 3, 3])
runs = order_synchronous.compress(frames)
print(" ".join(PHONES[frame] for frame in frames))
print(", ".join(f"{PHONES[run.symbol]} until frame {run.last}" for run in runs))

# %% name="check-expansion" tags=["check"]
assert [run.symbol for run in runs] == beefy
assert [run.last for run in runs] == [1, 5, 8, 11]

# %% [markdown]
# ## The table
#
# A network says at each frame how probable each phone is. Ours is made up: it mostly hears what
# is there, and not always.

# %% name="heard"
scores = random.normal(size=(len(frames), len(PHONES)))
scores[np.arange(len(frames)), frames] += 1.5
log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
alone = [PHONES[run.symbol] for run in order_synchronous.time_synchronous(log_probs)]
print("the most probable phone at each frame, runs merged:", " ".join(alone))

# %% [markdown]
# The table of /B/ /IY/ /F/ /IY/ has a row for each symbol of the sequence (IY has two) and a
# column for each frame. An alignment goes from the top left to the bottom right, and at each
# frame it stays in its row or goes down one. The best way to a cell comes through the best way to
# one of two others:
#
# $$\mathrm{score}(t, r) = \log y_t(S_r)
# + \max\big(\mathrm{score}(t-1, r), \mathrm{score}(t-1, r-1)\big)$$

# %% name="viterbi"
def best_path(table):
    """Row of each frame on the best path through `table` [frames, rows], and its score."""
    best = np.full(table.shape, -np.inf)
    best[0, 0] = table[0, 0]
    from_above = np.zeros(table.shape, bool)
    for t in range(1, len(table)):
        above = np.concatenate([[-np.inf], best[t - 1, :-1]])
        from_above[t] = above > best[t - 1]
        best[t] = table[t] + np.maximum(best[t - 1], above)
    row = table.shape[1] - 1
    rows = [row]
    for t in range(len(table) - 1, 0, -1):
        row -= from_above[t, row]
        rows.append(row)
    return np.array(rows[::-1]), best[-1, -1]


table = log_probs[:, beefy]
path, score = best_path(table)
plt.imshow(np.exp(table).T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
plt.plot(path, "o-", color="tab:red")
plt.yticks(range(4), [f"/{PHONES[phone]}/" for phone in beefy])
plt.xlabel("frame")
plt.colorbar(label="probability of the phone")
plt.title("the table of beefy, and its best path")
plt.show()

# %% [markdown]
# With so small a table we can try every path: those that cut 12 frames into four runs. And the
# project has the same search, for many utterances at once.

# %% name="every-path"
def every_path(length, rows):
    """Every path through a table of so many frames and rows, each an array [length]."""
    for cuts in itertools.combinations(range(1, length), rows - 1):
        yield np.searchsorted(cuts, np.arange(length), side="right")


tried = {tuple(one): table[np.arange(len(one)), one].sum() for one in every_path(12, 4)}
(projects,), (its_score,) = order_synchronous.best_alignments([log_probs], [12], [beefy])
print(f"{len(tried)} paths; the best has {max(tried.values()):.3f}, ours {score:.3f}")

# %% name="check-viterbi" tags=["check"]
assert np.isclose(score, max(tried.values())) and np.isclose(score, its_score)
assert tuple(path) == max(tried, key=tried.get) == tuple(projects)

# %% [markdown]
# ## Exercise: how many paths?
#
# Of a table with so many rows and frames, without trying them. (`math.comb` chooses.)

# %% name="paths" tags=["exercise"]
def number_of_paths(rows, length):
    ...


# %% name="check-paths" tags=["check"]
if number_of_paths(4, 12) is None:
    print("Not answered yet: number_of_paths() returns nothing.")
else:
    for rows, length in ((1, 5), (3, 5), (4, 12), (5, 5)):
        right = sum(1 for _ in every_path(length, rows))
        assert number_of_paths(rows, length) == right, f"{rows} rows, {length} frames: {right}"
    print("Right.")

# %% [markdown] name="solution-paths" tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def number_of_paths(rows, length):
#     import math
#
#     return math.comb(length - 1, rows - 1)
# ```
#
# Of the steps between frames, all but the first frame's, some go down: one for each row but the
# first.
#
# </details>

# %% [markdown]
# ## CTC: a blank, and all paths at once
#
# *Hello* has two l. If runs are merged, it comes back as *helo*, so there is a blank, written _,
# which says "nothing new": merge the repeats, then drop the blanks.

# %% name="hello"
LETTERS = "_helo"


def string_of(path):
    return "".join(LETTERS[symbol] for symbol in ctc.collapse([LETTERS.index(one) for one in path]))


for shown in ("hhe_ll_loo", "_heel_lo__", "hheelllloo", "he_l_l_lo_"):
    print(shown, "→", string_of(shown))

# %% name="check-hello" tags=["check"]
assert string_of("hhe_ll_loo") == string_of("_heel_lo__") == "hello"
assert string_of("hheelllloo") == "helo" and string_of("he_l_l_lo_") == "helllo"

# %% [markdown]
# The probability of a string is the sum over all paths that become it,
#
# $$P(S \mid X) = \sum_{\pi: \mathrm{collapse}(\pi) = S} \prod_t y_t(\pi_t).$$
#
# For six frames, a blank and three letters there are 4^6 = 4096 paths. We try all of them, and
# compare with CTC's forward recursion, which goes through the frames once: ours below, the
# project's, and PyTorch's loss.

# %% name="forward"
few = random.normal(size=(6, 4))
few -= np.log(np.exp(few).sum(axis=1, keepdims=True))
brute = {string: sum(paths.values()) for string, paths in strings_and_paths(np.exp(few)).items()}


def forward(log_probs, string):
    """P(string): the sum over its paths, frame by frame; the blank is symbol 0."""
    padded = [0, *itertools.chain.from_iterable((symbol, 0) for symbol in string)]
    sums = np.zeros(len(padded))
    sums[0] = 1.0
    for frame in np.exp(log_probs):
        ways = sums.copy()
        ways[1:] += sums[:-1]
        for place in range(2, len(padded)):
            if padded[place] not in (0, padded[place - 2]):
                ways[place] += sums[place - 2]
        sums = ways * frame[padded]
    return sums[-2:].sum()


ways = {string: (forward(few, string), np.exp(ctc.string_log_probability(few, string)))
        for string in brute}
print(f"{len(brute)} strings from {4**6} paths; their probabilities add up to "
      f"{sum(brute.values()):.6f}")

# %% name="check-forward" tags=["check"]
for string, probability in brute.items():
    ours, projects = ways[string]
    assert np.allclose([ours, projects], probability, rtol=1e-8, atol=0), string
some = (1, 2, 1)
loss = nn.functional.ctc_loss(torch.tensor(few)[:, None], torch.tensor([some]), (6,), (3,))
assert np.isclose(loss.item() * len(some), -np.log(brute[some]))

# %% [markdown]
# ## Exercise: how many frames?
#
# How many frames does a string need at least? One a letter is enough for a string without equal
# neighbours; *hello* needs more.

# %% name="fewest" tags=["exercise"]
def fewest_frames(string):
    ...


# %% name="check-fewest" tags=["check"]
if fewest_frames("hello") is None:
    print("Not answered yet: fewest_frames() returns nothing.")
else:
    for string in ("h", "hello", "lll", "heel", "helol"):
        symbols = [LETTERS.index(letter) for letter in string]
        possible = [length for length in range(1, 10) if np.isfinite(
            ctc.string_log_probability(np.full((length, 5), np.log(0.2)), symbols))]
        assert fewest_frames(string) == possible[0], f"{string} needs {possible[0]}"
    print("Right.")

# %% [markdown] name="solution-fewest" tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def fewest_frames(string):
#     return len(string) + sum(a == b for a, b in zip(string, string[1:]))
# ```
#
# One blank between equal neighbours.
#
# </details>

# %% [markdown]
# ## The best path is not the best string
#
# Two frames, and at each the blank has 0.6 and the letter a 0.4. The best path says nothing:
# 0.36. But three other paths say *a*, and together they have 0.64. Prefix beam search keeps
# strings instead of paths, and adds up what belongs together.

# %% name="best-string"
class NothingKnown:
    """A language model that has no opinion, as `prefix_beam_search` asks one."""

    def start(self):
        return 0

    def extend(self, states, symbols):
        return np.zeros(len(states)), states

    def finish(self, states):
        return np.zeros(len(states))


two = np.array([[0.6, 0.4], [0.6, 0.4]])
strings = strings_and_paths(two)
for string, paths in strings.items():
    said = "a" * len(string) or "(nothing)"
    print(f"{said}: {sum(paths.values()):.2f} by {len(paths)} paths")
by_path = ctc.best_path(np.log(two))
by_string = ctc.prefix_beam_search(np.log(two), NothingKnown(), 8, 0.0)

# %% name="check-best-string" tags=["check"]
assert by_path == [] and by_string == [1]
assert list(strings) == [(1,), ()] and np.isclose(sum(strings[(1,)].values()), 0.64)

# %% [markdown]
# ## A network that was never told when
#
# Three sounds, a, b and c, each a direction in four dimensions, last two to five frames each,
# with noise on top. A sound may follow itself, so each begins with a click, the fourth dimension.
# The network is told which sounds were heard, in order, and nothing else. Its loss is $-\log P(S
# \mid X)$.

# %% name="listening"
def recording():
    """Frames [time, 4] of two to four sounds, the sounds as symbols 1 to 3, where each begins."""
    sounds = random.integers(1, 4, size=random.integers(2, 5))
    counts = random.integers(2, 6, size=len(sounds))
    begins = np.cumsum(counts) - counts
    read = 2 * np.eye(4)[np.repeat(sounds - 1, counts)] + 0.5 * random.normal(size=(sum(counts), 4))
    read[begins, 3] += 2
    return read, sounds, begins


class Listener(nn.Module):
    """Log-probabilities of the blank and three sounds at each frame."""

    def __init__(self):
        super().__init__()
        self.stack = BidirectionalStack("lstm", 4, [16], dropout=0.0)
        self.output = nn.Linear(32, 4)

    def forward(self, read, lengths):
        return torch.log_softmax(self.output(self.stack(read, lengths)), dim=-1)


def batch(count):
    heard, sounds, begins = zip(*(recording() for _ in range(count)), strict=True)
    read = nn.utils.rnn.pad_sequence([torch.tensor(one, dtype=torch.float32) for one in heard])
    return read, torch.tensor([len(one) for one in heard]), sounds, begins


torch.manual_seed(1)
listener = Listener()
optimiser = torch.optim.Adam(listener.parameters(), lr=0.02)
for _ in range(160):
    read, lengths, sounds, _ = batch(32)
    optimiser.zero_grad()
    nn.functional.ctc_loss(listener(read, lengths), torch.tensor(np.concatenate(sounds)), lengths,
                           torch.tensor([len(one) for one in sounds])).backward()
    optimiser.step()

read, lengths, sounds, begins = batch(200)
with torch.no_grad():
    emissions = listener(read, lengths).numpy()
heard = [ctc.best_path(emissions[:length, place]) for place, length in enumerate(lengths)]
right = np.mean([one == list(said) for one, said in zip(heard, sounds, strict=True)])
shown = emissions[: lengths[0], 0]
plt.plot(np.exp(shown), "o-", label=["blank", "a", "b", "c"])
for begin, sound in zip(begins[0], sounds[0], strict=True):
    plt.axvline(begin - 0.5, color="grey", linewidth=0.5)
    plt.text(begin - 0.3, 1.02, "_abc"[sound])
plt.xlabel("frame; lines where a sound begins")
plt.ylabel("probability")
plt.legend()
plt.show()
silent = np.mean([np.exp(emissions[:length, place, 0]).mean()
                  for place, length in enumerate(lengths)])
print(f"{right:.0%} of 200 recordings are named without a mistake; {silent:.0%} of what is said "
      "is the blank")

# %% name="check-listening" tags=["check"]
assert right > 0.7, "the network has not learnt to name three sounds"
best = best_alignment(shown.astype(np.float64), list(sounds[0]))
assert ctc.collapse(best.path) == list(sounds[0])
assert best.log_probability <= ctc.string_log_probability(shown, sounds[0]) + 1e-6

# %% [markdown]
# It is silent between sounds, so that equal ones stay apart, and where it begins to name one is
# not where the sound begins: the loss knows order alone. Whether that matters depends on what is
# asked. For times it does: see the track [alignment](../../leaderboards/alignment.md), and what
# became of the lecture's claims among the
# [verdicts](../../leaderboards/README.md#connectionist-temporal-classification).
