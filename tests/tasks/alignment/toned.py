"""A tiny corpus whose phones are tones, so that their times are where a tone changes.

It lies in LibriSpeech's tree, and every sentence begins and ends with a tone, as synthetic voices
do. Its times are multiples of 10 ms.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
PITCH = {"N": 400.0, "OW": 700.0, "S": 1100.0, "IY": 1600.0, "T": 2300.0, "UW": 3200.0}
SAID = {"NO": ["N", "OW"], "SEE": ["S", "IY"], "TWO": ["T", "UW"], "TEA": ["T", "IY"],
        "KNEE": ["N", "IY"]}
FEATURES = {
    "front_end": {"kind": "log-mel", "sample_rate": RATE, "window": "hamming", "frame_ms": 25.0,
                  "hop_ms": 10.0, "dft_points": 400, "mels": 12, "low_hz": 100.0,
                  "high_hz": 7000.0, "deltas": 0},
    "normalise": "none", "margins": [0.05, 0.2], "phones": "trained", "said": "heard",
    "train": ["train"], "valid": ["dev"], "test": {"clean": "test-clean", "other": "test-other"},
}

Times = Sequence[tuple[str, float, float]]


def spoken(words: Sequence[str], random: np.random.Generator,
           pause: float = 0.0) -> tuple[Times, Times]:
    """Times of phones and words: tones of 50 to 120 ms, `pause` seconds between words."""
    phones: list[tuple[str, float, float]] = []
    edges: list[tuple[str, float, float]] = []
    now = 0.0
    for place, word in enumerate(words):
        if place and pause:
            phones.append(("SIL", now, round(now + pause, 6)))
            now = round(now + pause, 6)
        begin = now
        for phone in SAID[word]:
            end = round(now + random.integers(5, 13) / 100, 6)
            phones.append((phone, now, end))
            now = end
        edges.append((word, begin, now))
    return phones, edges


def sound(phones: Times, random: np.random.Generator) -> np.ndarray:
    """A tone for each phone, with some noise; `SIL` is noise alone."""
    parts = []
    for label, begin, end in phones:
        time = np.arange(round(begin * RATE), round(end * RATE)) / RATE
        parts.append(0.5 * np.sin(2 * np.pi * PITCH[label] * time) if label in PITCH
                     else np.zeros(len(time)))
    samples = np.concatenate(parts)
    return samples + random.normal(0, 0.001, len(samples))


def write_corpus(directory: Path, sizes: Mapping[str, int], pause: float = 0.0,
                 timed: bool = True, seed: int = 0) -> Path:
    """Write subsets of `sizes` sentences of two words, by two speakers each, and the dictionary."""
    random = np.random.default_rng(seed)
    root = directory / "LibriSpeech"
    for number, (subset, size) in enumerate(sizes.items()):
        for speaker in (100 * seed + 2 * number + 1, 100 * seed + 2 * number + 2):
            folder = root / subset / str(speaker) / "1"
            folder.mkdir(parents=True)
            lines, times = [], {}
            for place in range(size // 2):
                words = random.choice(sorted(SAID), 2).tolist()
                phones, edges = spoken(words, random, pause)
                name = f"{speaker}-1-{place:04d}"
                soundfile.write(folder / f"{name}.flac", sound(phones, random), RATE)
                lines.append(f"{name} {' '.join(words)}\n")
                times[name] = {"phones": phones, "words": edges}
            (folder / f"{speaker}-1.trans.txt").write_text("".join(lines))
            if timed:
                (folder / f"{speaker}-1.alignment.json").write_text(json.dumps(times))
    (root / "librispeech-lexicon.txt").write_text(
        "".join(f"{word}\t{' '.join(phones)}\n" for word, phones in sorted(SAID.items())))
    return directory
