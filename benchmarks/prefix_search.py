"""Prefix beam search with a language model of words, beside pyctcdecode.

Both read the emissions of one trained recogniser, begin no symbol less probable than e^-5, drop
prefixes worse than the best by more than 10 nats, and add to the sound alpha ln p(words) + beta a
word of one n-gram model, which pyctcdecode asks of kenlm from an ARPA file. The answers of both are
scored here in one way: with all alignments of the string, and with that model. The system must have
been trained: `dvc repro train@<system>`.
"""

import argparse
import logging
import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.timing import ROOT, compare, peer
from benchmarks.trained import trained_system
from pipeline.audio.frames import Frames
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.ngram import arpa
from pipeline.nn.ctc import PrefixModel, prefix_beam_search, prefix_n_best, string_log_probability
from pipeline.tasks.asr.shared.language_model import WordModel
from pipeline.tasks.asr.shared.letters import LetterRecogniser

ALPHA, BETA = 0.5, 1.0
LEAST_LOG_POSTERIOR, WIDTH = -5.0, 10.0

Emissions = NDArray[np.float32]
Decoder = Callable[[Emissions, int], list[int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--params", type=Path, default=ROOT / "params.yaml")
    parser.add_argument("--system", default="asr-bilstm-ctc")
    parser.add_argument("--every", type=int, default=1, help="take each so many-th utterance")
    parser.add_argument("--beams", type=int, nargs="+", default=[10, 50, 100])
    parser.add_argument("--order", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("pyctcdecode").setLevel(logging.ERROR)
    emissions, symbols, transcripts = heard(arguments.params, arguments.system, arguments.every)
    print(f"{len(emissions)} utterances, {sum(map(len, emissions))} frames")
    model = WordModel(transcripts, symbols, arguments.order, ALPHA, BETA)
    decoder = pyctcdecode(model, symbols)
    for beam in arguments.beams:
        print(f"beam {beam}")
        compare_at(beam, emissions, model, decoder, arguments.rounds)


def pyctcdecode(model: WordModel, symbols: Sequence[str]) -> Decoder:
    """Its search of some emissions with a beam, for symbols; it reads our model of words."""
    ids = {symbol: number for number, symbol in enumerate(symbols, start=1)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.arpa"
        arpa.write(path, model.ngrams, [*model.known, arpa.UNKNOWN, arpa.END])
        decoder = peer("pyctcdecode", "pyctcdecode kenlm").build_ctcdecoder(
            ["", *symbols], str(path), unigrams=model.known, alpha=ALPHA, beta=BETA,
            unk_score_offset=0.0)

    def decode(emissions: Emissions, beam: int) -> list[int]:
        text = decoder.decode(emissions, beam_width=beam, beam_prune_logp=-WIDTH,
                              token_min_logp=LEAST_LOG_POSTERIOR)
        return [ids[character] for character in text]

    return decode


def compare_at(beam: int, emissions: list[Emissions], model: WordModel, decoder: Decoder,
               rounds: int) -> None:
    """Print what the answers of both score, and how fast each is."""
    least = math.exp(LEAST_LOG_POSTERIOR)

    def ours(width: float = WIDTH) -> list[list[int]]:
        found = prefix_n_best(emissions, model, beam, least, width=width)
        return [best[0].symbols for best in found]

    def any_width() -> list[list[int]]:
        return ours(math.inf)

    def alone() -> list[list[int]]:
        return [prefix_beam_search(one, model, beam, least) for one in emissions]

    def theirs() -> list[list[int]]:
        return [decoder(one, beam) for one in emissions]

    for name, answers in (("ours", ours()), ("of any width", any_width()),
                          ("pyctcdecode", theirs())):
        scores = [score(one, answer, model)
                  for one, answer in zip(emissions, answers, strict=True)]
        print(f"  {name}: mean score {np.mean(scores):.4f}")
    compare(ours, theirs, rounds, "ours", "pyctcdecode", sum(map(len, emissions)), "frames")
    compare(any_width, theirs, rounds, "ours of any width", "pyctcdecode")
    compare(alone, theirs, rounds, "ours of any width, one by one", "pyctcdecode")


def heard(params: Path, key: str,
          every: int) -> tuple[list[Emissions], Sequence[str], Sequence[str]]:
    """Emissions of a trained recogniser's test utterances, its symbols and its transcripts."""
    suite, system = trained_system(params, key)
    if not isinstance(system, LetterRecogniser):
        raise UserError(f"{params}: {key} does not write letters by CTC; name one that does")
    frames = Frames(suite.places.test(suite.track_of(key)), "test")
    emissions = [system.emissions([frames[place]])[0] for place in range(0, len(frames), every)]
    return emissions, system.spec["symbols"], system.vocabulary.transcripts


def score(emissions: NDArray[np.floating], symbols: Sequence[int], model: PrefixModel) -> float:
    """Log-probability of a string over all its alignments, plus the model's score."""
    total, state = string_log_probability(emissions, symbols), np.array([model.start()])
    for symbol in symbols:
        gains, state = model.extend(state, np.array([symbol]))
        total += float(gains[0])
    return total + float(model.finish(state)[0])


if __name__ == "__main__":
    run_command(main)
