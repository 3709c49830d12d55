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
# # 5. Hidden states, sound, and verdicts
#
# [The pages of the deck](../course/5-hidden-markov-models.md)
# ([speech](../course/5-speech-recognition.md)) · [all notebooks](../COURSE.md#notebooks)
#
# The most probable tags of a sentence, a model that explains what it sees better each time it
# looks, what a recogniser hears of a sound, how its errors are counted; and at the end the
# question whether one tagger is better than another, answered from this project's own results.

# %%
import itertools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from pipeline.audio.front_end import FLOOR, LogMel, audio_features
from pipeline.commands.project import suite_file
from pipeline.hmm.forward_backward import forward_backward
from pipeline.hmm.transitions import AnyToAny
from pipeline.hmm.viterbi import Candidates, viterbi
from pipeline.results.claims import read_claims
from pipeline.results.leaderboard import metrics_of
from pipeline.results.trainings import trainings_of
from pipeline.results.verdicts import verdict
from pipeline.scoring.effects import Resampled, holm
from pipeline.suite.schema import load
from pipeline.tasks.asr.scoring import aligned_words

# %% [markdown]
# ## Cats cannot fly
#
# $$v_i(t) = \max_{t'} v_{i-1}(t') P(t \mid t') P(w_i \mid t)$$
#
# Three tags, noun (N), modal (MD) and verb (V), with numbers made up for the course. Alone, *fly*
# is rather a noun; but what follows a modal?

# %% name="viterbi"
TAGS, sentence = ["N", "MD", "V"], ["cats", "cannot", "fly"]
first = np.array([0.8, 0.0, 0.0])
after = np.array([[0.0, 0.2, 0.0], [0.05, 0.0, 0.8], [0.0, 0.0, 0.0]])  # a row for the tag before
says = np.array([[0.01, 0.0, 0.03], [0.0, 0.2, 0.0], [0.0, 0.0, 0.02]])  # a row for each tag


def best_tags():
    """Tags of the best path, and its probability."""
    best, came = first * says[:, 0], []
    for word in range(1, len(sentence)):
        ways = best[:, None] * after
        came.append(ways.argmax(axis=0))
        best = ways.max(axis=0) * says[:, word]
        print(sentence[word], dict(zip(TAGS, best.tolist(), strict=True)))
    path = [int(best.argmax())]
    for before in reversed(came):
        path.append(int(before[path[-1]]))
    return path[::-1], best.max()


path, probability = best_tags()
print(" ".join(f"{word}/{TAGS[tag]}" for word, tag in zip(sentence, path, strict=True)))

# %% [markdown]
# The project's search works with logarithms, on many sentences at once, for models of any order.
# Its transitions have one more row and column, for the edges of a sentence. And all 3^3 = 27
# sequences can be tried.

# %% name="other-searches"
with np.errstate(divide="ignore"):
    edges = np.zeros((4, 4))
    edges[:3, :3], edges[3, :3] = np.log(after), np.log(first)
    candidates = Candidates.of(np.log(says.T), most=3)
its_path, (log_probability,) = viterbi(edges, candidates, np.arange(3), np.array([0, 3]))


def probability_of(tags):
    chain = first[tags[0]] * np.prod([after[pair] for pair in itertools.pairwise(tags)])
    return chain * np.prod([says[tag, word] for word, tag in enumerate(tags)])


likeliest = max(itertools.product(range(3), repeat=3), key=probability_of)

# %% name="check-viterbi" tags=["check"]
assert path == its_path.tolist() == list(likeliest)
assert np.isclose(probability, np.exp(log_probability), atol=0)
assert np.isclose(probability, probability_of(likeliest), atol=0)

# %% [markdown]
# ## Who threw which coin?
#
# Two coins, one fair and one that shows heads nine times in ten, are swapped now and then behind
# a curtain. From heads and tails alone: how probable are they, which coin was it when, and how
# are the coins? The first is a sum over all paths,
#
# $$\alpha_t(j) = b_j(x_t) \sum_i \alpha_{t-1}(i) a_{ij},$$
#
# and for few throws all paths can be tried.

# %% name="coins"
random = np.random.default_rng(1)
swaps, heads = np.array([[0.95, 0.05], [0.1, 0.9]]), np.array([0.5, 0.9])


def thrown(length):
    """Coins and what they showed, 1 for heads."""
    coins = [int(random.integers(2))]
    while len(coins) < length:
        coins.append(int(random.random() < swaps[coins[-1], 1]))
    return np.array(coins), (random.random(length) < heads[coins]).astype(int)


coins, shown = (np.array(part) for part in zip(*(thrown(60) for _ in range(30)), strict=True))


def expectations(start, moves, chances, throws):
    """What the project's forward-backward algorithm expects; `throws` [sequences, length]."""
    emissions = np.log(np.where(throws[:, :, None] == 1, chances, 1 - chances))
    return forward_backward(np.log(start), AnyToAny(np.log(moves)), emissions,
                            np.full(len(throws), throws.shape[1]))


half, few = np.array([0.5, 0.5]), shown[:1, :8]
summed = np.exp(expectations(half, swaps, heads, few).log_likelihoods[0])
tried = sum(0.5 * np.prod([swaps[pair] for pair in itertools.pairwise(way)])
            * np.prod(np.where(few[0] == 1, heads[list(way)], 1 - heads[list(way)]))
            for way in itertools.product(range(2), repeat=8))
print(f"{summed:.8f} by the recursion, {tried:.8f} by all {2**8} paths")

# %% name="check-coins" tags=["check"]
assert np.isclose(summed, tried, rtol=1e-10, atol=0)

# %% [markdown]
# Baum and Welch: begin with some model, take the expected counts as if they had been seen, and
# estimate anew. The likelihood never falls.

# %% name="baum-welch"
start, moves, chances = half, np.array([[0.6, 0.4], [0.4, 0.6]]), np.array([0.4, 0.6])
likelihoods = []
for _ in range(40):
    expected = expectations(start, moves, chances, shown)
    likelihoods.append(expected.log_likelihoods.sum())
    shares = expected.posteriors
    start = shares[:, 0].mean(axis=0)
    moves = expected.transitions.sum(axis=0)
    moves /= moves.sum(axis=1, keepdims=True)
    chances = (shares * shown[:, :, None]).sum(axis=(0, 1)) / shares.sum(axis=(0, 1))
plt.plot(likelihoods, ".-")
plt.axhline(expectations(half, swaps, heads, shown).log_likelihoods.sum(), linestyle="--",
            color="grey", label="the coins as they are")
plt.xlabel("pass")
plt.ylabel("log-likelihood")
plt.legend()
plt.show()
print("heads, estimated:", np.round(chances, 2), "and true:", heads)

# %% name="check-baum-welch" tags=["check"]
assert (np.diff(likelihoods) > -1e-9).all(), "a pass has made the model worse"
assert np.abs(chances - heads).max() < 0.1

# %% [markdown]
# ## What a recogniser hears
#
# Every 10 ms a window is laid over the samples, its power taken, and collected in triangles that
# are equally wide on the mel scale $m(f) = 1127 \ln(1 + f/700)$. Here is a sound: a voice that
# rises from 110 to 220 Hz, with two resonances that move as from *a* to *i*.

# %% name="sound"
RATE = 16_000
times = np.arange(RATE) / RATE
turns = np.cumsum(110 + 110 * times) / RATE
resonances = ((800 - 500 * times, 120), (1200 + 1100 * times, 150))
sound = np.zeros(RATE)
for harmonic in range(1, 30):
    frequency = harmonic * (110 + 110 * times)
    loudness = sum(1 / (1 + ((frequency - centre) / width) ** 2) for centre, width in resonances)
    sound += loudness * np.sin(2 * np.pi * harmonic * turns)
sound = (0.1 * sound).astype(np.float32)
settings = LogMel(kind="log-mel", sample_rate=RATE, window="hamming", frame_ms=32, hop_ms=10,
                  dft_points=512, mels=40, low_hz=0, high_hz=8000, deltas=0)


def log_mel(samples):
    """Log energies [frames, 40], by hand."""
    starts = range(0, len(samples) - 512 + 1, 160)
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(512) / 512)
    power = np.abs(np.fft.rfft([samples[start : start + 512] * window for start in starts])) ** 2
    mels = np.linspace(0, 1127 * np.log(1 + 8000 / 700), 42)
    corners = 700 * (np.exp(mels / 1127) - 1)
    bins = np.linspace(0, 8000, 257)
    up = (bins - corners[:-2, None]) / np.diff(corners)[:-1, None]
    down = (corners[2:, None] - bins) / np.diff(corners)[1:, None]
    return np.log(power @ np.maximum(0, np.minimum(up, down)).T + FLOOR)


heard = log_mel(sound)
plt.imshow(heard.T, origin="lower", aspect="auto")
plt.xlabel("frame of 10 ms")
plt.ylabel("mel filter")
plt.show()

# %% name="check-sound" tags=["check"]
projects = audio_features(settings, sound)
assert heard.shape == projects.shape == (97, 40)
assert np.abs(heard - projects).max() < 0.05 and np.abs(heard - projects).mean() < 1e-3

# %% [markdown]
# ## Word errors
#
# $$\mathrm{WER} = (S + D + I) / N$$
#
# The recognised words are aligned with the reference by the fewest edits.

# %% name="errors"
spoken = "the meeting begins at nine on monday"
recognised = "a meeting begins nine on this monday"
alignment = aligned_words(spoken, recognised)
for part in alignment.alignments[0]:
    print(f"{part.type:10}", spoken.split()[part.ref_start_idx : part.ref_end_idx], "→",
          recognised.split()[part.hyp_start_idx : part.hyp_end_idx])
print(f"{alignment.wer:.1%}")

# %% [markdown]
# ## Exercise: the fewest edits
#
# How many substitutions, deletions and insertions turn the words `reference` into `hypothesis`,
# at least? A table with a row for each beginning of the one and a column for each beginning of
# the other will do: it is Viterbi's search once more.

# %% name="edits" tags=["exercise"]
def fewest_edits(reference, hypothesis):
    ...


# %% name="check-edits" tags=["check"]
if fewest_edits(["a"], ["b"]) is None:
    print("Not answered yet: fewest_edits() returns nothing.")
else:
    for one, other in ((spoken, recognised), ("a b c", "b c d"), ("a", "b c d e"), ("a b", "a b")):
        right = round(aligned_words(one, other).wer * len(one.split()))
        assert fewest_edits(one.split(), other.split()) == right, f"{one!r} to {other!r}: {right}"
    print("Right. One word for which four are heard has a word error rate of 400 %.")

# %% [markdown] name="solution-edits" tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def fewest_edits(reference, hypothesis):
#     row = list(range(len(hypothesis) + 1))
#     for i, word in enumerate(reference, start=1):
#         before, row = row, [i]
#         for j, other in enumerate(hypothesis, start=1):
#             row.append(min(before[j - 1] + (word != other), before[j] + 1, row[-1] + 1))
#     return row[-1]
# ```
#
# </details>

# %% [markdown]
# ## Is it better, or was it luck?
#
# Two taggers read the same test sentences, and one has more of them right. It may have had a
# lucky seed, or the sentences may suit it. This project trains a network with several seeds,
# mostly five, and keeps what each scored on every sentence, so that anybody can ask again. We take
# a sentence of the lecture, one of the
# [real suite's claims](../../real/leaderboards/README.md#claims), and the committed statistics
# behind it.

# %% name="claim"
suite = load(suite_file("real", Path.cwd()))
claims = {claim["id"]: claim for claim in read_claims(suite)}
claim = claims["xpos-bilstm-crf-beats-crf"]
better, worse, track = claim["better"], claim["worse"], claim["track"]
print(claim["text"])
rows = {row: trainings_of(suite, track, row) for row in (better, worse)}
metric = metrics_of(suite, track)[claim["metric"]]
seeds = {row: np.array([one.score(metric) for one in trained.statistics])
         for row, trained in rows.items()}
for row, scores in seeds.items():
    print(f"{row}: {claim['metric']} {np.round(scores, 2)} of seeds {list(rows[row].seeds)}")

# %% [markdown]
# The effect is the difference of the means. Its error has two parts. One is the luck of seeds,
# $s^2/n$ for each network (a conditional random field comes out the same from every seed, and
# adds none). The other is the luck of the test set: draw whole documents again, with replacement,
# ten thousand times, and see how much the effect moves.
#
# $$\mathrm{error}^2 = \sum_{\text{networks}} \frac{s^2}{n} + \mathrm{variance\ over\ resamples}$$

# %% name="bootstrap"
documents, of_item = np.unique(rows[better].statistics[0].groups, return_inverse=True)


def sums_by_document(row):
    """What the metric sums, over each document, mean over trainings, [documents, columns]."""
    tables = [one.table(metric.columns) for one in rows[row].statistics]
    found = np.zeros((len(documents), len(metric.columns)))
    np.add.at(found, of_item, np.mean(tables, axis=0))
    return found


count = len(documents)
times_drawn = random.multinomial(count, np.full(count, 1 / count), size=10_000)
drawn = [metric.value(times_drawn @ sums_by_document(row)) for row in (better, worse)]
moved = drawn[0] - drawn[1]
effect = seeds[better].mean() - seeds[worse].mean()
by_seeds = seeds[better].var(ddof=1) / len(seeds[better])
error = np.sqrt(by_seeds + moved.var(ddof=1))
plt.hist(moved, bins=60, color="lightgrey", label="effect in resampled test sets")
for score in seeds[better]:
    plt.axvline(score - seeds[worse].mean(), color="tab:red", linewidth=1)
plt.axvline(0, color="black", label="no effect")
plt.xlabel(f"{claim['metric']}, {better} less {worse}; red: each seed")
plt.legend()
plt.show()
print(f"effect {effect:.3f} ± {error:.3f}: {effect / error:.1f} errors from nothing")

# %% [markdown]
# The project's test, `pipeline.scoring.effects.Resampled.effect`, does that with its own draws,
# and with the few seeds taken into account: five of them know a variance badly, so p is larger
# than a normal distribution would have it.

# %% name="projects-effect"
tested = Resampled.of(rows, metric, suite.resamples, suite.seed).effect({better: 1, worse: -1})
print(f"effect {tested.value:.3f} ± {tested.error:.3f}, p = {tested.p:.2g}; stored: effect "
      f"{claim['effect']:.3f}, p = {claim['p']:.2g}")

# %% name="check-effect" tags=["check"]
assert np.isclose(effect, tested.value) and np.isclose(effect, claim["effect"])
assert np.isclose(by_seeds, tested.seed_variance) and np.isclose(tested.p, claim["p"], rtol=1e-6)
assert np.isclose(error, tested.error, rtol=0.05), "the two have drawn differently, but not so much"

# %% [markdown]
# One claim alone would be decided at p < 0.05. But all claims of the suite are tested, and among
# many some come out by chance. Holm's method multiplies the smallest p by the number of claims, the
# next one by one less, and so on; what then remains below 0.05 is decided. Claims that cannot be
# tested, such as those of networks that were trained once, stand outside.

# %% name="verdict"
family = {name: other["p"] for name, other in claims.items()
          if other["p"] is not None and other["seeds"] != 1}
adjusted = dict(zip(family, holm(list(family.values())), strict=True))
p_adjusted = adjusted[claim["id"]]
concluded = verdict(tested.value, tested.p, p_adjusted)
print(f"Of {len(family)} claims: {tested.p:.2g} becomes {p_adjusted:.2g}. Verdict: {concluded}.")

# %% name="check-verdict" tags=["check"]
by_hand = sorted(family.values())
steps = np.maximum.accumulate([p * (len(by_hand) - place) for place, p in enumerate(by_hand)])
assert np.isclose(p_adjusted, min(1.0, steps[by_hand.index(family[claim["id"]])]))
assert np.isclose(p_adjusted, claim["p_adjusted"]) and concluded == claim["verdict"]

# %% [markdown]
# ## Exercise: the luck of seeds
#
# Two networks, each trained several times. From the scores of both (arrays, one number a
# training), the difference of their means, and its standard error by seeds alone.

# %% name="seeds" tags=["exercise"]
def difference_and_error(ours, theirs):
    ...


# %% name="check-seeds" tags=["check"]
other = claims["jsb-lstm-beats-elman"]
pair = {row: trainings_of(suite, other["track"], row) for row in (other["better"], other["worse"])}
of_music = metrics_of(suite, other["track"])[other["metric"]]
ours, theirs = (np.array([one.score(of_music) for one in pair[row].statistics]) for row in pair)
if difference_and_error(ours, theirs) is None:
    print("Not answered yet: difference_and_error() returns nothing.")
else:
    told = Resampled.of(pair, of_music, 100, suite.seed).effect(
        {other["better"]: 1, other["worse"]: -1})
    difference, luck = difference_and_error(ours, theirs)
    assert np.isclose(abs(difference), abs(told.value)), "the difference of the means"
    assert np.isclose(luck**2, told.seed_variance), "each variance over its number, added up"
    print(f"Right. {other['text']} {abs(difference):.3f} nats, ± {luck:.3f} by seeds alone; "
          f"with the luck of the test pieces ± {told.error:.3f}. Verdict: {other['verdict']}.")

# %% [markdown] name="solution-seeds" tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def difference_and_error(ours, theirs):
#     variance = ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs)
#     return ours.mean() - theirs.mean(), np.sqrt(variance)
# ```
#
# </details>
