"""Forced alignment of phones: batched Viterbi search beside loops, and a whole aligner's speed.

The search first, on log-probabilities of the embedded corpus's size drawn at random: all utterances
together, beside the search as the slides of CMU 11-785 write it, a loop over frames and states of
numpy arrays (corrected: logarithms, and no row above the first), and beside a loop over frames
whose states take a step together, an utterance at a time. All three must find the same paths.

Then, where a trained system is named, from samples to the times of words, beside PocketSphinx with
its own English model: emuR's seven sentences, whose words people have timed, and AN4's test set.
Edges at which one word gives way to the next are compared with those times, since a fast aligner
that errs more would be no comparison. The system must have been trained: `dvc repro
train@<system>`.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter

from benchmarks.timing import ROOT, compare, mirror_folder, peer
from benchmarks.trained import trained_system
from pipeline.audio.front_end import FrontEnd, LogMel, Mfcc
from pipeline.audio.pronouncing import completed
from pipeline.audio.recordings import read_recording
from pipeline.corpora import an4, emu_ae
from pipeline.corpora.kinds import Utterance
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.nn.order_synchronous import best_alignments
from pipeline.tasks.alignment.features import frames_of_samples
from pipeline.tasks.alignment.shared.aligner import Aligner
from pipeline.tasks.alignment.shared.searches import constrained
from pipeline.tasks.alignment.shared.spoken import Clock, as_written

PHONES = 40
RATE, FRAME_SECONDS = 16000, 0.01

Scores = NDArray[np.float64]
Samples = NDArray[np.float32]
Edges = list[tuple[float, float]]
WordAligner = Callable[[Samples, str], Edges]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--utterances", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--params", type=Path, default=ROOT / "real/params.yaml")
    parser.add_argument("--system", help="a trained network of an alignment track of --params")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    searches(arguments.utterances, arguments.rounds)
    if arguments.system is None:
        print("not compared with PocketSphinx: name a trained system with --system")
        return
    _, system = trained_system(arguments.params, arguments.system)
    if not isinstance(system, Aligner):
        raise UserError(f"{arguments.params}: {arguments.system} has no scores of phones at each "
                        "frame; name a network that learns from a phone for each frame")
    with tempfile.TemporaryDirectory() as folder:
        aligners(system, Path(folder), arguments.rounds)


def searches(count: int, rounds: int) -> None:
    """Utterances of one to two seconds with twelve phones a second."""
    random = np.random.default_rng(1)
    lengths = random.integers(100, 201, count)
    symbols = [np.cumsum(random.integers(1, PHONES, length // 8)) % PHONES for length in lengths]
    log_probs = random.normal(0, 2, (count, lengths.max(), PHONES))
    log_probs -= np.log(np.exp(log_probs).sum(axis=2, keepdims=True))
    tables = [one[:length, sequence] for one, length, sequence
              in zip(log_probs, lengths, symbols, strict=True)]

    def together() -> list[NDArray[np.int64]]:
        return best_alignments(log_probs, lengths, symbols)[0]

    def by_states() -> list[NDArray[np.int64]]:
        return [over_frames_and_states(table) for table in tables]

    def by_frames() -> list[NDArray[np.int64]]:
        return [over_frames(table) for table in tables]

    frames = int(lengths.sum())
    print(f"{count} utterances, {frames} frames, {sum(map(len, symbols))} phones")
    for name, other in (("a loop over frames and states", by_states),
                        ("a loop over frames, one by one", by_frames)):
        if not all(map(np.array_equal, together(), other())):
            raise UserError(f"{name} finds other paths")
        compare(together, other, rounds, "batched search", name, frames, "frames")


def over_frames_and_states(table: Scores) -> NDArray[np.int64]:
    """The best path through a table [T, N] as the slides write it."""
    frames, rows = table.shape
    score = np.full((frames, rows), -np.inf)
    back = np.zeros((frames, rows), np.int64)
    score[0, 0] = table[0, 0]
    for t in range(1, frames):
        score[t, 0] = score[t - 1, 0] + table[t, 0]
        for i in range(1, min(t + 1, rows)):
            back[t, i] = i if score[t - 1, i] >= score[t - 1, i - 1] else i - 1
            score[t, i] = score[t - 1, back[t, i]] + table[t, i]
    return traced(back)


def over_frames(table: Scores) -> NDArray[np.int64]:
    """The same, all rows of a frame in one operation."""
    frames, rows = table.shape
    every = np.arange(rows)
    back = np.zeros((frames, rows), np.int64)
    score = np.where(every == 0, table[0], -np.inf)
    for t in range(1, frames):
        above = np.concatenate([[-np.inf], score[:-1]])
        back[t] = np.where(score >= above, every, every - 1)
        score = np.maximum(score, above) + table[t]
    return traced(back)


def traced(back: NDArray[np.int64]) -> NDArray[np.int64]:
    path = np.full(len(back), back.shape[1] - 1)
    for t in range(len(back) - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def aligners(system: Aligner, folder: Path, rounds: int) -> None:
    """Both on the recordings of both corpora."""
    mirror = mirror_folder()
    emu_ae.prepare(emu_ae.Settings(module="emu_ae"), folder, mirror)
    an4.prepare(an4.Settings(module="an4"), folder, mirror)
    for name, utterances, dictionary in (
            ("emuR's sentences", emu_ae.utterances(folder), None),
            ("AN4's test set", an4.utterances(folder, "test"), folder / "an4/etc/an4.dic")):
        samples = [read_recording(utterance.path, RATE) for utterance in utterances]
        seconds = round(sum(map(len, samples)) / RATE)
        said = an4.lexicon(folder) if dictionary else {}
        pairs = (("our aligner", of_system(system, said, utterances)),
                 ("PocketSphinx", of_pocketsphinx(dictionary)))
        print(f"{name}: {len(samples)} recordings, {seconds} s")
        for label, aligner in pairs:
            if any(utterance.segments for utterance in utterances):
                errors = edge_errors(aligner, samples, utterances)
                print(f"  {label}: {len(errors)} edges between words, median error "
                      f"{np.median(errors):.1f} ms, {100 * np.mean(errors <= 20):.0f} % within "
                      "20 ms")

        def run(aligner: WordAligner, samples: Sequence[Samples] = samples,
                utterances: Sequence[Utterance] = utterances) -> None:
            for one, utterance in zip(samples, utterances, strict=True):
                aligner(one, utterance.text)

        (label, ours), (other, theirs) = pairs
        compare(lambda: run(ours), lambda: run(theirs), rounds, label, other, seconds,  # noqa: B023
                "seconds of audio")


def of_system(system: Aligner, said: dict[str, list[list[str]]],
              utterances: Sequence[Utterance]) -> WordAligner:
    """From samples and a text to the edges of its words, each recording a speaker of its own."""
    front_end: LogMel | Mfcc = TypeAdapter(FrontEnd).validate_python(system.spec["front_end"])
    clock = Clock.read(system.spec)
    phones: list[str] = system.spec["phones"]
    ways = completed(said, ((word, str(one.path)) for one in utterances
                            for word in one.text.split()), "the texts")

    def align(samples: Samples, text: str) -> Edges:
        spoken = as_written(text, ways)
        frames = frames_of_samples(samples, front_end, system.spec["normalise"], text)
        if system.spec["normalise"] == "speaker":
            frames = frames - frames.mean(axis=0)
        scores, = system.alone(system.scores, [frames])
        begins = clock.begins(constrained(scores, np.array(
            [phones.index(phone) for phone in spoken.phones])).tolist())
        return [(begins[first], begins[first + count]) for _, first, count in spoken.words]

    return align


def of_pocketsphinx(dictionary: Path | None) -> WordAligner:
    """Its English model and dictionary, or another dictionary.

    Raises UserError when it is not installed.
    """
    package = peer("pocketsphinx", "pocketsphinx")
    other = {"dict": str(dictionary)} if dictionary else {}
    decoder: Any = package.Decoder(lm=None, loglevel="FATAL", **other)

    def align(samples: Samples, text: str) -> Edges:
        decoder.set_align_text(text if dictionary else text.lower())
        decoder.start_utt()
        decoder.process_raw((samples * 2**15).clip(-2**15, 2**15 - 1).astype("<i2").tobytes(),
                            full_utt=True)
        decoder.end_utt()
        # Silences are called <sil>, noises [NOISE] and the like.
        return [(word.start_frame * FRAME_SECONDS, (word.end_frame + 1) * FRAME_SECONDS)
                for word in decoder.seg() if word.word[0] not in "<["]

    return align


def edge_errors(aligner: WordAligner, samples: Sequence[Samples],
                utterances: Sequence[Utterance]) -> Scores:
    """In ms, of the end of a word and the beginning of the next where they meet."""
    errors = []
    for one, utterance in zip(samples, utterances, strict=True):
        found = aligner(one, utterance.text)
        words = [segment for segment in utterance.segments if segment.kind == "word"]
        for (before, (_, end)), (after, (begin, _)) in pairwise(zip(words, found, strict=True)):
            if after.start == before.end:
                errors += [1000 * abs(end - before.end), 1000 * abs(begin - after.start)]
    return np.array(errors)


if __name__ == "__main__":
    run_command(main)
