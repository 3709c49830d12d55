"""Tagging English EWT with the hidden Markov model beside NLTK's.

Both learn from the training text (NLTK with its own Lidstone smoothing, which it needs to tag
unknown words at all) and tag the same test sentences. Each reports its accuracy: a fast tagger
that errs more would be no comparison.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.timing import ROOT, compare, mirror_folder, peer
from pipeline.corpora import ud_ewt
from pipeline.ending import run_command
from pipeline.hmm.viterbi import viterbi
from pipeline.storage.files import read_json
from pipeline.suite.schema import load
from pipeline.systems.base import Run
from pipeline.tasks.tagging import features
from pipeline.tasks.tagging.shared.text import Text
from pipeline.tasks.tagging.systems.hmm import HiddenMarkovModel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sentences", type=int, default=500, help="test sentences, from the first")
    arguments = parser.parse_args()
    hmm = peer("nltk.tag.hmm", "nltk")
    lidstone = peer("nltk.probability", "nltk").LidstoneProbDist
    settings = load(ROOT / "real/params.yaml").system("xpos-hmm")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test").mkdir()
        ud_ewt.prepare(ud_ewt.Settings(module="ud_ewt", twin=None), folder, mirror_folder())
        features.extract(features.Settings(column="xpos", generated=False), folder, ud_ewt,
                         folder, folder / "test")
        ours = HiddenMarkovModel(settings, read_json(folder / "spec.json"))
        ours.fit(folder, Run(seed=1, work=folder))
        train, test = (ud_ewt.tagged(folder, split, "xpos") for split in ("train", "test"))
    test = test[: arguments.sentences]
    pairs = [list(zip(sentence.words, sentence.tags, strict=True)) for sentence in train]
    theirs = hmm.HiddenMarkovModelTagger.train(
        pairs, estimator=lambda counts, bins: lidstone(counts, 0.1, bins))
    text = Text.of([sentence.words for sentence in test],
                   [[0] * len(sentence.words) for sentence in test])
    expected = [tag for sentence in test for tag in sentence.tags]
    for order in ("bigram", "trigram"):
        def tag(order: str = order) -> list[str]:
            found, _ = viterbi(ours.transitions[order], ours.candidates(text.forms), text.words,
                               text.offsets)
            return [ours.spec["tags"][number] for number in found]

        def tag_by_nltk() -> list[str]:
            return [tag for sentence in test for _, tag in theirs.tag(sentence.words)]

        print(f"{len(expected):,} words of {len(test)} sentences; {order} "
              f"{accuracy(tag(), expected):.1f} %, NLTK (bigram) "
              f"{accuracy(tag_by_nltk(), expected):.1f} %")
        compare(tag, tag_by_nltk, arguments.rounds, f"the {order} tagger", "NLTK's",
                count=len(expected), unit="words")


def accuracy(found: list[str], expected: list[str]) -> float:
    """Percentage of equal tags."""
    return 100 * float(np.mean([a == b for a, b in zip(found, expected, strict=True)]))


if __name__ == "__main__":
    run_command(main)
