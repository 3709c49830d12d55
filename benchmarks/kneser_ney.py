"""Estimating and scoring a modified Kneser-Ney 5-gram of the Penn Treebank.

kenlm scores the same model, read from its ARPA file, so its probabilities are compared as well.
"""

import argparse
import math
import statistics
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.timing import compare, mirror_folder, seconds
from pipeline.corpora import penn_treebank
from pipeline.ending import run_command
from pipeline.ngram import arpa
from pipeline.ngram.kneser_ney import estimate
from pipeline.tasks.language_model.features import encode, vocabulary

ORDER = 5
END = "<eos>"


def texts(folder: Path) -> dict[str, list[list[str]]]:
    """Training and test sentences, each closed by <eos>."""
    settings = penn_treebank.Settings(module="penn_treebank", twin=None)
    penn_treebank.prepare(settings, folder, mirror_folder())
    return {split: [[*sentence.words, END] for sentence in penn_treebank.sentences(folder, split)]
            for split in ("train", "test")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = texts(Path(folder))
        words = vocabulary(found["train"], 1, END)
        train, test = (encode(found[split], words).tokens for split in ("train", "test"))
        end = words.index(END)
        model = estimate(train, len(words), end, ORDER)
        times = [seconds(lambda: estimate(train, len(words), end, ORDER))
                 for _ in range(arguments.rounds)]
        print(f"estimation from {len(train):,} tokens: median {statistics.median(times):.2f} s, "
              f"{min(times):.2f} to {max(times):.2f}")
        times = [seconds(lambda: model.score(test)) for _ in range(arguments.rounds)]
        rates = sorted(len(test) / time for time in times)
        print(f"scoring: median {statistics.median(rates):,.0f} tokens a second, "
              f"{rates[0]:,.0f} to {rates[-1]:,.0f}; perplexity "
              f"{np.exp(-model.score(test).mean()):.2f}")
        try:
            import kenlm
        except ModuleNotFoundError:
            print("not compared with kenlm: pip install kenlm==0.3.0 (it needs a C++ compiler)")
            return
        path = Path(folder) / "model.arpa"
        arpa.write(path, model, words)
        peer = kenlm.Model(str(path))
        lines = [" ".join(sentence[:-1]) for sentence in found["test"]]
        total = sum(peer.score(line) for line in lines) * math.log(10)
        print(f"kenlm's perplexity of the same model: {math.exp(-total / len(test)):.2f}")
        compare(lambda: model.score(test), lambda: [peer.score(line) for line in lines],
                arguments.rounds, "scoring the test text", "kenlm's query, a call a sentence")


if __name__ == "__main__":
    run_command(main)
