"""Output layers of a recurrent language model: full, sampled and adaptive, of two vocabularies.

The same LSTM is trained on the Penn Treebank's 10,000 words, and on a synthetic text of 100,000
words: half of its words are drawn by their rank (Zipf), the other half follow from the word before.
The three layers take turns, a step each, on the same batches, so that the ratios of their times are
of one run; then the held-out text is scored, with the sum over all words. First the layer is timed
alone, loss and gradients, beside the full one.
"""

import argparse
import math
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.timing import compare, mirror_folder, seconds
from pipeline.corpora import penn_treebank
from pipeline.ending import run_command
from pipeline.entries import TrainingSettings
from pipeline.nn.softmax import linear_cross_entropy
from pipeline.tasks.language_model.features import encode, vocabulary
from pipeline.tasks.language_model.shared.windows import Windows
from pipeline.tasks.language_model.systems.large_output import (
    Adaptive,
    LargeOutputLanguageModel,
    Sampled,
)
from pipeline.tasks.language_model.systems.large_output import Settings as LargeSettings
from pipeline.tasks.language_model.systems.recurrent import RecurrentLanguageModel, Settings

END = "<eos>"
WIDTH, WINDOW, STREAMS = 64, 20, 20
RATE, CLIP = 0.003, 1.0
ZIPF_TYPES = 100_000
HELD_OUT = 4096  # words of held-out text that are scored
Text = tuple[list[str], NDArray[Any], NDArray[Any]]


def penn() -> Text:
    """The vocabulary, and the words of the training and validation text."""
    with tempfile.TemporaryDirectory() as folder:
        settings = penn_treebank.Settings(module="penn_treebank", twin=None)
        penn_treebank.prepare(settings, Path(folder), mirror_folder())
        texts = {split: [[*sentence.words, END] for sentence in
                         penn_treebank.sentences(Path(folder), split)]
                 for split in ("train", "valid")}
    words = vocabulary(texts["train"], 1, END)
    train, valid = (encode(texts[split], words).tokens for split in ("train", "valid"))
    return words, train, valid[:HELD_OUT]


def zipf() -> Text:
    """The same of a text whose word k is drawn as 1 / (k + 1), or follows from the one before."""
    random = np.random.Generator(np.random.PCG64(1))
    shares = 1 / np.arange(1, ZIPF_TYPES + 1)
    shares /= shares.sum()
    successor = random.permutation(ZIPF_TYPES)
    count = 500_000 + HELD_OUT
    text = random.choice(ZIPF_TYPES, count, p=shares)
    for place in np.flatnonzero(random.random(count - 1) < 0.5) + 1:
        text[place] = successor[text[place - 1]]
    held_out = text[-HELD_OUT:]
    known = 0.5 * shares[held_out[1:]] + 0.5 * (held_out[1:] == successor[held_out[:-1]])
    print(f"perplexity of the process that drew the text: {np.exp(-np.log(known).mean()):.1f}")
    return ["<unk>", END, *map(str, range(ZIPF_TYPES - 2))], text[:-HELD_OUT], held_out


def models(words: list[str], noise: int, cutoffs: list[int]) -> dict[str, RecurrentLanguageModel]:
    """The same network with each layer, from the same seed."""
    training = TrainingSettings(epochs=1, optimizer="adam", learning_rate=RATE, schedule="cosine",
                                warmup_steps=0, weight_decay=0.0, gradient_clip=CLIP, patience=0)
    same: dict[str, Any] = {
        "track": "lm-word", "cell": "lstm", "embedding": WIDTH, "hidden": WIDTH, "layers": 1,
        "tied": False, "training": training, "window": WINDOW, "batch_streams": STREAMS,
        **{f"dropout_{part}": 0.0 for part in ("words", "input", "hidden", "output", "weights")}}
    spec = {"unit": "word", "vocabulary": words}
    layers: dict[str, Sampled | Adaptive] = {
        f"sampled, {noise} noise words": Sampled(kind="sampled", noise=noise),
        f"adaptive, groups from {cutoffs}": Adaptive(kind="adaptive", cutoffs=cutoffs, shrink=4.0)}
    torch.manual_seed(1)
    made = {"full": RecurrentLanguageModel(Settings(model="recurrent", **same), spec)}
    for name, layer in layers.items():
        torch.manual_seed(1)
        settings = LargeSettings(model="large_output", output_layer=layer, **same)
        made[name] = LargeOutputLanguageModel(settings, spec)
    return made


def layer_alone(model: RecurrentLanguageModel) -> Callable[[], None]:
    """Loss and gradients of the layer above random states, as a function without arguments."""
    rows = WINDOW * STREAMS
    hidden = torch.randn(rows, WIDTH, requires_grad=True)
    # By rank, as words of a text are.
    ranks = torch.exp(torch.rand(rows) * math.log(model.types)).long().clamp(max=model.types) - 1

    def run() -> None:
        total = (model._total(hidden, ranks) if isinstance(model, LargeOutputLanguageModel) else
                 linear_cross_entropy(hidden, model.output, model.output_bias, ranks))
        model.zero_grad(set_to_none=True)
        total.backward()

    return run


def step(model: RecurrentLanguageModel) -> Callable[[dict[str, Tensor]], None]:
    """A step of training on a batch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)

    def run(batch: dict[str, Tensor]) -> None:
        total, terms = model.loss(batch)
        optimizer.zero_grad(set_to_none=True)
        (total / terms).backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()

    return run


def measure(text: Text, noise: int, cutoffs: list[int], steps: int, rounds: int) -> None:
    words, train, held_out = text
    made = models(words, noise, cutoffs)
    full = layer_alone(made["full"].train())
    for name, model in made.items():
        if name != "full":
            compare(layer_alone(model.train()), full, rounds, f"layer, {name}", "the full layer")
    batches = Windows(train, STREAMS, WINDOW, 1, rotate=True)
    plan = batches.plan(0)[:steps]
    run = {name: step(model) for name, model in made.items()}
    times: dict[str, list[float]] = {name: [] for name in made}
    torch.manual_seed(1)
    for description in plan:
        batch = batches.load(description)
        for name in made:
            times[name].append(seconds(partial(run[name], batch)))
    for name, model in made.items():
        ratios = sorted(one / own for one, own in zip(times["full"], times[name], strict=True))
        quarter = len(ratios) // 4
        with model.answering():
            nats = model.token_losses(held_out).mean()
        print(f"  {name}: a step is {statistics.median(ratios):.2f} times as fast as with the full "
              f"layer (half of {len(plan)}: {ratios[quarter]:.2f} to {ratios[-1 - quarter]:.2f}), "
              f"{model.parameters_count:,} weights, perplexity after them {np.exp(nats):.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--text", choices=("penn", "zipf"), help="one of the texts alone")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{STREAMS} streams of {WINDOW} words, LSTM of {WIDTH}, {arguments.threads} thread(s)")
    for name, text, noise, cutoffs in (("penn", penn, 512, [2000, 6000]),
                                       ("zipf", zipf, 2048, [4000, 20000])):
        if arguments.text in (None, name):
            found = text()
            print(f"{name}: {len(found[0]):,} words, {len(found[1]):,} of text")
            measure(found, noise, cutoffs, arguments.steps, arguments.rounds)


if __name__ == "__main__":
    run_command(main)
