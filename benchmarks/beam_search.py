"""Batched beam search beside the same search sentence by sentence, on one trained model.

Both find the same translations. The system must have been trained: `dvc repro train@<system>`.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from benchmarks.timing import ROOT, compare
from benchmarks.trained import trained_system
from pipeline.ending import run_command
from pipeline.storage.sequences import Sequences
from pipeline.tasks.translation.shared.tokenizer import PAD
from pipeline.tasks.translation.shared.translator import Translator, Variant

AT_ONCE = 64  # sentences of a batch; a suite answers each by itself


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--params", type=Path, default=ROOT / "params.yaml")
    parser.add_argument("--system", default="translation-attention")
    parser.add_argument("--sentences", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--beam", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    suite, system = trained_system(arguments.params, arguments.system)
    assert isinstance(system, Translator)
    sources = Sequences(suite.places.test(suite.track_of(arguments.system)), "source")
    chosen = np.linspace(0, len(sources) - 1, arguments.sentences).astype(np.int64)
    by_length = chosen[np.argsort(sources.lengths[chosen], kind="stable")]
    variant = Variant(beam=arguments.beam, length_normalisation=1.0)

    def translate(at_once: int) -> list[list[int]]:
        answers = []
        for start in range(0, len(by_length), at_once):
            tokens, lengths = map(torch.from_numpy,
                                  sources.padded(by_length[start : start + at_once], PAD))
            answers += system.translate(tokens, lengths, variant)
        return answers

    same = sum(a == b for a, b in zip(translate(AT_ONCE), translate(1), strict=True))
    print(f"{same} of {len(by_length)} translations are the same")
    compare(lambda: translate(AT_ONCE), lambda: translate(1), arguments.rounds,
            f"beam {arguments.beam} over batches of {AT_ONCE}", "sentence by sentence")


if __name__ == "__main__":
    run_command(main)
