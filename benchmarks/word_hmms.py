"""Training whole-word hidden Markov models of spoken digits beside hmmlearn's.

Each digit is six states from left to right with mixtures of diagonal Gaussians. Both begin with one
model, see the same MFCC and deltas, and make as many passes of Baum-Welch; after the last pass they
must agree in log-likelihood. Our Viterbi training is timed beside them: another objective, so its
likelihood, of the best paths, is lower by what the other paths have.

hmmlearn's priors are set to those of maximum likelihood (`covars_prior=0` of `GaussianHMM`, whose
default adds 0.01; those of `GMMHMM` are so by default), and three things are added to it. Its
models may end in any state and its last one is never left: here a word ends in its last state, and
leaves it. It has no floor of variances, ours is a thousandth of those of all frames. And `GMMHMM`
takes squares about the means from before a pass, where expectation maximisation takes them about
the new ones.

The digits are the Free Spoken Digit Dataset's recordings 5 to 49 of each speaker and digit, where
the mirror has it (fsdd/fsdd-3000.tar.gz), and otherwise espeak-ng's.
"""

import argparse
import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import compare, mirror_folder, peer
from pipeline.audio.front_end import Mfcc, audio_features, with_deltas
from pipeline.ending import run_command
from pipeline.hmm.gmm_training import grown, variance_floor
from pipeline.hmm.whole_words import (
    Recordings,
    Schedule,
    WholeWords,
    expected,
    flat_start,
    train,
)

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
STATES = 6
RATE = 8000
FLOOR = 1e-3
AGREED = 1e-6  # nats a frame
FRONT_END = Mfcc(kind="mfcc", sample_rate=RATE, window="hamming", frame_ms=25, hop_ms=10,
                 dft_points=256, mels=23, low_hz=64, high_hz=4000, coefficients=13, deltas=1)


@dataclass(frozen=True)
class Spoken:
    """Frames of each recording, [frames, 26], and the digit in it; sorted by digit."""

    frames: list[NDArray[np.float32]]
    digits: NDArray[np.int64]

    def of(self, digit: int) -> tuple[NDArray[np.float64], list[int]]:
        """The frames of a digit end to end, and how many each recording has."""
        mine = [self.frames[place] for place in np.flatnonzero(self.digits == digit)]
        return np.concatenate(mine).astype(np.float64), [len(frames) for frames in mine]


def recorded(archive: Path, most: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Digit and samples of the recordings from the fifth, `most` of each speaker and digit."""
    import soundfile

    with tarfile.open(archive) as opened:
        for member in opened:
            if not member.name.endswith(".wav"):
                continue
            digit, _, number = Path(member.name).stem.split("_")
            if 5 <= int(number) < 5 + most:
                content = opened.extractfile(member)
                assert content is not None
                yield int(digit), soundfile.read(io.BytesIO(content.read()), dtype="float32")[0]


def synthetic(most: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Digit and samples of twelve voices of espeak-ng, `most` of each voice and digit."""
    from scipy.signal import resample_poly

    from pipeline.corpora.twins.espeak import RATE as SPOKEN_RATE
    from pipeline.corpora.twins.espeak import Voice
    from pipeline.corpora.twins.spoken_words import read_aloud

    voices = product(("en-us", "en-gb-x-rp", "en-gb-scotland"), ("m1", "m3", "f2", "f4"))
    for (accent, variant), number in product(voices, range(most)):
        voice = Voice(accent, variant, 30 + 5 * (number % 9), 50, 120 + 4 * number)
        for digit, word in enumerate(DIGITS):
            samples = read_aloud(word, voice).samples / 2**15
            yield digit, resample_poly(samples, RATE // 50, SPOKEN_RATE // 50).astype(np.float32)


def features(recordings: Iterator[tuple[int, NDArray[np.float32]]]) -> Spoken:
    """Normalised to mean 0 and deviation 1 over all recordings."""
    found = sorted(((digit, with_deltas(audio_features(FRONT_END, samples), FRONT_END.deltas))
                    for digit, samples in recordings), key=lambda pair: pair[0])
    every = np.concatenate([frames for _, frames in found])
    mean, deviation = every.mean(axis=0), every.std(axis=0)
    return Spoken([(frames - mean) / deviation for _, frames in found],
                  np.array([digit for digit, _ in found]))


def prepared(data: Spoken, gaussians: int) -> tuple[NDArray[np.float64], Recordings, WholeWords]:
    """All frames end to end, the recordings cut out of them, and the models to begin with."""
    frames = np.concatenate(data.frames).astype(np.float64)
    recordings = arranged(data, frames)
    start = flat_start(recordings, FLOOR)
    counts = np.full(len(start.mixtures.counts), gaussians)
    return frames, recordings, replace(start, mixtures=grown(start.mixtures, counts))


def arranged(data: Spoken, frames: NDArray[np.float64]) -> Recordings:
    offsets = np.cumsum([0, *(len(recording) for recording in data.frames)])
    return Recordings.of(frames, offsets, data.digits, len(DIGITS), STATES)


def trained(model: WholeWords, recordings: Recordings, passes: int, kind: Any) -> WholeWords:
    """Our training, in which no mixture grows."""
    gaussians = int(model.mixtures.counts.max())
    for after, _ in train(model, recordings, Schedule(passes, gaussians, 1, kind, FLOOR)):
        model = after
    return model


def hmmlearn_words(model: WholeWords, gaussians: int, passes: int,
                   floor: NDArray[np.float64]) -> list[Any]:
    """hmmlearn's model of each digit as `model` has it, not yet trained."""
    hmm = peer("hmmlearn.hmm", "hmmlearn")
    settings: dict[str, Any] = {"n_components": STATES, "covariance_type": "diag",
                                "init_params": "", "n_iter": passes, "tol": -np.inf}
    words, mixtures = [], model.mixtures
    for digit in range(len(DIGITS)):
        states = model.states_of(digit)
        own = mixtures.gaussians_of(states).reshape(STATES, gaussians)
        if gaussians == 1:
            word = _ending(hmm.GaussianHMM, floor)(covars_prior=0.0, **settings)
            own = own[:, 0]
        else:
            word = _ending(hmm.GMMHMM, floor)(n_mix=gaussians, **settings)
            word.weights_ = mixtures.weights[own]
        stay = np.exp(model.stay[digit])
        word.startprob_ = np.eye(STATES)[0]
        word.transmat_ = np.diag(stay) + np.diag(1 - stay[:-1], 1)
        word.means_, word.covars_ = mixtures.means[own], mixtures.variances[own]
        words.append(word)
    return words


def _ending(kind: Any, floor: NDArray[np.float64]) -> Any:
    """hmmlearn's class with an end of words and a floor of variances."""

    class Word(kind):  # type: ignore[misc]
        def _compute_log_likelihood(self, X: Any) -> Any:  # noqa: N803
            found = super()._compute_log_likelihood(X)
            found[-1, :-1] = -np.inf
            found[-1, -1] += np.log1p(-self.transmat_[-1, -1])
            return found

        def _check_sum_1(self, name: str) -> None:
            if name != "transmat_":  # the last state's are less, by what leaves it
                super()._check_sum_1(name)

        def _do_mstep(self, stats: Any) -> None:
            means = self.means_
            super()._do_mstep(stats)
            stays = stats["trans"][-1, -1]
            self.transmat_[-1, -1] = stays / (stays + stats["nobs"])
            if hasattr(self, "weights_"):
                self.covars_ = np.maximum(self.covars_ - (self.means_ - means) ** 2, floor)
            else:
                self._covars_ = np.maximum(self._covars_, floor)

    return Word


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--recordings", type=int, default=20,
                        help="of each speaker and digit, 45 at most")
    arguments = parser.parse_args()
    mirror = mirror_folder()
    archive = mirror / "fsdd/fsdd-3000.tar.gz" if mirror else None
    real = archive is not None and archive.is_file()
    data = features(recorded(archive, arguments.recordings) if real and archive
                    else synthetic(arguments.recordings))
    count = sum(map(len, data.frames))
    source = "FSDD" if real else "espeak-ng"
    print(f"{len(data.frames):,} recordings of {source}, {count:,} frames; "
          f"{arguments.passes} passes")
    for gaussians in (1, 3):
        measure(data, gaussians, arguments.passes, arguments.rounds, count * arguments.passes)


def measure(data: Spoken, gaussians: int, passes: int, rounds: int, count: int) -> None:
    frames, recordings, start = prepared(data, gaussians)
    floor = variance_floor(frames, FLOOR)
    parts = [data.of(digit) for digit in range(len(DIGITS))]

    def by_hmmlearn() -> list[Any]:
        return [word.fit(*part) for word, part in
                zip(hmmlearn_words(start, gaussians, passes, floor), parts, strict=True)]

    def ours(kind: str) -> Callable[[], WholeWords]:
        """What is made of the frames before the first pass is timed too."""
        return lambda: trained(start, arranged(data, frames), passes, kind)

    def likelihood(kind: Any) -> float:
        found = expected(ours(kind)(), recordings, kind)
        return float(found.log_likelihoods.sum()) / len(frames)

    theirs = sum(word.score(*part) for word, part in
                 zip(by_hmmlearn(), parts, strict=True)) / len(frames)
    mine = likelihood("baum-welch")
    print(f"{STATES} states of {gaussians} Gaussians; log-likelihood a frame: Baum-Welch "
          f"{mine:.7f}, hmmlearn {theirs:.7f}; best paths after Viterbi training "
          f"{likelihood('viterbi'):.7f}")
    if abs(mine - theirs) > AGREED:
        raise AssertionError("the two do not agree, so their times say nothing")
    name = "GaussianHMM" if gaussians == 1 else "GMMHMM"
    for kind in ("baum-welch", "viterbi"):
        compare(ours(kind), by_hmmlearn, rounds, f"our training by {kind}", f"hmmlearn's {name}",
                count, "frames")


if __name__ == "__main__":
    run_command(main)
