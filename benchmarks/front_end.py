"""The acoustic front end beside kaldi-native-fbank, on AN4's test recordings.

Both compute log-mel energies and MFCC, without deltas, of the same samples in memory with the same
windows, DFT and number of filters, on one thread. Kaldi's triangles are drawn on the mel scale and
torchaudio's in Hz, so the two agree closely and not exactly: the correlation of all features is
printed. kaldi-native-fbank builds an extractor, filters included, for each recording and hands out
one frame a call, which is part of its time; so the recordings are also taken end to end, as one.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.timing import compare, mirror_folder, peer
from pipeline.audio.front_end import LogMel, Mfcc, audio_features, read_audio
from pipeline.corpora import an4
from pipeline.ending import run_command

SHARED: dict[str, Any] = {"sample_rate": 16_000, "window": "hamming", "frame_ms": 25, "hop_ms": 10,
                          "dft_points": 512, "low_hz": 64, "high_hz": 8000, "deltas": 0}
LOG_MEL = LogMel(kind="log-mel", mels=40, **SHARED)
MFCC = Mfcc(kind="mfcc", mels=23, coefficients=13, **SHARED)

Samples = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    kaldi = peer("kaldi_native_fbank", "kaldi-native-fbank")
    with tempfile.TemporaryDirectory() as name:
        an4.prepare(an4.Settings(module="an4"), Path(name), mirror_folder())
        recordings = [read_audio(utterance.path, LOG_MEL)
                      for utterance in an4.utterances(Path(name), "test")]
    seconds = sum(map(len, recordings)) / LOG_MEL.sample_rate
    print(f"{len(recordings)} recordings, {seconds:.0f} s")
    whole = [np.concatenate(recordings)]
    for settings in (LOG_MEL, MFCC):
        measure(kaldi, settings, recordings, f"{settings.kind}, one by one", arguments.rounds)
        measure(kaldi, settings, whole, f"{settings.kind}, end to end", arguments.rounds)


def measure(kaldi: Any, settings: LogMel | Mfcc, recordings: list[Samples], name: str,
            rounds: int) -> None:
    def ours() -> list[Samples]:
        return [audio_features(settings, samples) for samples in recordings]

    def theirs() -> list[Samples]:
        return [by_kaldi(kaldi, settings, samples) for samples in recordings]

    mine, peers = np.concatenate(ours()), np.concatenate(theirs())
    if mine.shape != peers.shape:
        raise AssertionError(f"{mine.shape} features and {peers.shape} are not the same")
    alike = [np.corrcoef(one, other)[0, 1] for one, other in zip(mine.T, peers.T, strict=True)]
    print(f"{name}: {mine.shape[1]} a frame, correlation {min(alike):.4f} or more")
    compare(ours, theirs, rounds, "ours", "kaldi-native-fbank",
            round(sum(map(len, recordings)) / settings.sample_rate), "seconds of audio")


def by_kaldi(kaldi: Any, settings: LogMel | Mfcc, samples: Samples) -> Samples:
    """Its features of the frames that ours are of: torch's windows stand amid the DFT's points."""
    options = kaldi.MfccOptions() if settings.kind == "mfcc" else kaldi.FbankOptions()
    frames, mel = options.frame_opts, options.mel_opts
    frames.samp_freq, frames.dither, frames.preemph_coeff = settings.sample_rate, 0.0, 0.0
    frames.window_type, frames.remove_dc_offset = settings.window, False
    mel.num_bins, mel.low_freq, mel.high_freq = settings.mels, settings.low_hz, settings.high_hz
    options.use_energy = False
    if isinstance(settings, Mfcc):
        options.num_ceps, options.cepstral_lifter = settings.coefficients, 0.0
    extractor = (kaldi.OnlineMfcc if settings.kind == "mfcc" else kaldi.OnlineFbank)(options)
    edge = (settings.dft_points - settings.frame_samples) // 2
    extractor.accept_waveform(settings.sample_rate, samples[edge : len(samples) - edge])
    extractor.input_finished()
    return np.stack([extractor.get_frame(frame) for frame in range(extractor.num_frames_ready)])


if __name__ == "__main__":
    run_command(main)
