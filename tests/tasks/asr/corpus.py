"""A tiny corpus in LibriSpeech's tree: each letter is a tone, so a network can learn it at once."""

from pathlib import Path

import numpy as np
import soundfile

RATE = 16000
PITCH = {"A": 500.0, "B": 1000.0, "C": 2000.0, " ": 4000.0}
WORDS = ["AB", "BA", "CAB", "BAC", "ABC"]

FEATURES = {
    "front_end": {"kind": "log-mel", "sample_rate": RATE, "window": "hamming", "frame_ms": 25.0,
                  "hop_ms": 10.0, "dft_points": 400, "mels": 12, "low_hz": 100.0,
                  "high_hz": 7000.0, "deltas": 0},
    "normalise": "none", "dictionary": False, "train": ["train"], "valid": "dev",
    "test": {"clean": "test-clean", "other": "test-other"},
}


def sound(text: str, random: np.random.Generator) -> np.ndarray:
    """Fifty milliseconds of tone and thirty of pause for each character, with some noise."""
    time = np.arange(int(0.05 * RATE)) / RATE
    pause = np.zeros(int(0.03 * RATE))
    parts = [part for letter in text
             for part in (0.5 * np.sin(2 * np.pi * PITCH[letter] * time), pause)]
    samples = np.concatenate(parts)
    return samples + random.normal(0, 0.01, len(samples))


def write_corpus(directory: Path, sizes: dict[str, int]) -> Path:
    """Write subsets of `sizes` utterances, one speaker each."""
    random = np.random.default_rng(0)
    for speaker, (subset, size) in enumerate(sizes.items(), start=1):
        folder = directory / "LibriSpeech" / subset / str(speaker) / "1"
        folder.mkdir(parents=True)
        lines = []
        for number in range(size):
            text = " ".join(random.choice(WORDS, random.integers(1, 4)))
            name = f"{speaker}-1-{number:04d}"
            soundfile.write(folder / f"{name}.flac", sound(text, random), RATE)
            lines.append(f"{name} {text}\n")
        (folder / f"{speaker}-1.trans.txt").write_text("".join(lines))
    return directory
