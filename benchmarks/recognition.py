"""Recognising AN4's test set on one core, beside PocketSphinx.

Our recogniser is trained here, briefly: monophones of three states with mixtures of Gaussians,
from AN4's training transcripts alone. PocketSphinx comes with an English model of its own, trained
on far more and other speech, so the word error rates say what each is worth as it stands, and not
whose training is better. Both have AN4's dictionary and the same bigram of the training
transcripts, and both are timed from samples in memory to words, one utterance after the other for
PocketSphinx, all in one call for ours: once over the whole set, then in turns over every fifth
utterance.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.timing import compare, mirror_folder, peer, seconds
from pipeline.audio.front_end import Mfcc, audio_features, read_audio, with_deltas
from pipeline.corpora import an4
from pipeline.corpora.kinds import Utterance
from pipeline.decoding.composition import compose
from pipeline.decoding.grammar import Grammar
from pipeline.decoding.lexicon import Lexicon
from pipeline.decoding.network import Weights
from pipeline.decoding.search import Beam, Search
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.hmm.phones import SIL, Monophones, Topology
from pipeline.hmm.training import Schedule, flat_start, train
from pipeline.hmm.transcripts import spoken
from pipeline.hmm.utterances import AcousticModel, Utterances
from pipeline.ngram import arpa
from pipeline.ngram.model import NgramModel
from pipeline.tasks.asr.shared.cepstra import normalise
from pipeline.tasks.asr.shared.grammars import ngrams

FRONT_END = Mfcc(kind="mfcc", sample_rate=16_000, window="hamming", frame_ms=25, hop_ms=10,
                 dft_points=512, mels=23, low_hz=64, high_hz=8000, coefficients=13, deltas=2)
SCHEDULE = Schedule(passes=12, gaussians=800, growing=10, realigned=frozenset({1, 2, 3, 5, 7, 9}))
WEIGHTS = Weights(1.0, 8.0, 0.0)
BEAM = Beam(250.0, 1500)

Samples = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), arguments.rounds)


def measure(folder: Path, rounds: int) -> None:
    an4.prepare(an4.Settings(module="an4"), folder, mirror_folder())
    said = an4.lexicon(folder)
    words = list(said)
    model = ngrams("bigram", [utterance.text for utterance in an4.utterances(folder, "train")],
                   words)
    found: list[AcousticModel] = []
    time = seconds(lambda: found.append(acoustic_model(folder, said)))
    print(f"training: {time:.1f} s, {len(found[0].mixtures.weights)} Gaussians")
    test = sorted(an4.utterances(folder, "test"), key=lambda utterance: utterance.speaker)
    samples = [read_audio(utterance.path, FRONT_END) for utterance in test]
    audio = sum(map(len, samples)) / FRONT_END.sample_rate
    speakers = [utterance.speaker for utterance in test]
    ours = recogniser(found[0], said, model)

    def report(name: str, recognise: Callable[[], list[str]]) -> None:
        answers: list[str] = []
        time = seconds(lambda: answers.extend(recognise()))
        print(f"{name}: {error_rate(answers, test):.1f} % of words wrong, {time:.1f} s for "
              f"{audio:.0f} s of audio, {time / audio:.3f} times real time")

    report("our recogniser", lambda: ours(samples, speakers))
    try:
        theirs = pocketsphinx(folder, model, words)
    except UserError as error:
        print(f"not compared with PocketSphinx: {error}")
        return

    report("PocketSphinx", lambda: [theirs(one) for one in samples])
    part = samples[::5]
    compare(lambda: ours(part, speakers[::5]), lambda: [theirs(one) for one in part], rounds,
            "our recogniser", "PocketSphinx",
            round(sum(map(len, part)) / FRONT_END.sample_rate), "seconds of audio")


def acoustic_model(folder: Path, said: dict[str, list[list[str]]]) -> AcousticModel:
    tied = Monophones.of(Topology.of(an4.phones(folder)))
    heard = sorted(an4.utterances(folder, "train"), key=lambda utterance: utterance.speaker)
    frames = features([read_audio(utterance.path, FRONT_END) for utterance in heard],
                      [utterance.speaker for utterance in heard])
    offsets = np.cumsum([0, *map(len, frames)])
    utterances = Utterances(np.concatenate(frames), offsets,
                            [spoken(utterance.text.split(), said, tied).graph
                             for utterance in heard])
    model = flat_start(utterances, tied, SCHEDULE.variance_share)
    for after, _ in train(model, utterances, SCHEDULE):
        model = after
    return model


def features(samples: Sequence[Samples], speakers: Sequence[str]) -> list[NDArray[np.float64]]:
    """MFCC with deltas of recordings, of each speaker together with mean 0 and deviation 1."""
    frames = [with_deltas(audio_features(FRONT_END, one), FRONT_END.deltas) for one in samples]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(speakers))}
    lengths = [len(one) for one in frames]
    every = np.concatenate(frames).astype(np.float64)
    normalise(every, np.repeat([numbers[name] for name in speakers], lengths))
    return np.split(every, np.cumsum(lengths)[:-1])


def recogniser(model: AcousticModel, said: dict[str, list[list[str]]],
               language: NgramModel) -> Callable[[Sequence[Samples], Sequence[str]], list[str]]:
    """What takes recordings and their speakers to text."""
    phones = dict.fromkeys([SIL, *(phone for variants in said.values() for variant in variants
                                   for phone in variant)])
    lexicon = Lexicon.of([(word, variant) for word, variants in said.items()
                          for variant in variants], phones, SIL)
    grammar = Grammar.of_ngrams(language, range(len(lexicon.words)))
    search = Search(compose(lexicon, grammar, model.tied), WEIGHTS, BEAM)

    def recognise(samples: Sequence[Samples], speakers: Sequence[str]) -> list[str]:
        scores = [model.mixtures.log_densities(frames) for frames in features(samples, speakers)]
        return [" ".join(lexicon.words[word] for word in found.words)
                for found in search.recognise(scores)]

    return recognise


def pocketsphinx(folder: Path, language: NgramModel,
                 words: list[str]) -> Callable[[Samples], str]:
    """PocketSphinx's decoder. Raises UserError when it is not installed."""
    package = peer("pocketsphinx", "pocketsphinx")
    arpa.write(folder / "bigram.arpa", language, [*words, "</s>"])
    decoder: Any = package.Decoder(
        hmm=package.get_model_path("en-us/en-us"), lm=str(folder / "bigram.arpa"),
        dict=str(folder / "an4/etc/an4.dic"), loglevel="FATAL")

    def recognise(samples: Samples) -> str:
        decoder.start_utt()
        decoder.process_raw((samples * 2**15).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return found.hypstr if found else ""

    return recognise


def error_rate(found: Sequence[str], truth: Sequence[Utterance]) -> float:
    """Percentage of words inserted, deleted or replaced."""
    return 100 * jiwer.wer([utterance.text for utterance in truth], list(found))


if __name__ == "__main__":
    run_command(main)
