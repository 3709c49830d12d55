"""A tiny corpus in LibriSpeech's tree whose phones are tones, with the times of each.

A word is a consonant and a vowel, and a pause stands before each word and at the end; with a
`click`, the last sample before each vowel is a loud one, which tells where a cut lies.
"""

from pathlib import Path

import numpy as np
import soundfile

from pipeline.storage.files import write_json, write_text

RATE = 16_000
PITCH = {"B": 400, "D": 700, "G": 1100, "S": 5000, "AA": 1700, "IY": 2600}
WORDS = {"BAA": ("B", "AA"), "DEE": ("D", "IY"), "GAA": ("G", "AA"), "SEE": ("S", "IY")}
PHONE, PAUSE = 0.08, 0.04  # seconds
SENTENCES = ["BAA DEE", "GAA SEE", "DEE BAA", "SEE BAA"]
FRONT_END = {"kind": "log-mel", "sample_rate": RATE, "window": "hamming", "frame_ms": 20.0,
             "hop_ms": 10.0, "dft_points": 320, "mels": 12, "low_hz": 60.0, "high_hz": 7000.0,
             "deltas": 0}
ITEMS = {"units": "phones", "labels": None, "least": 1, "before": "anything",
         "context": {"seconds": 0.03}, "most": {}, "seed": 1}
FEATURES = {"front_end": FRONT_END, "normalise": "none", "items": ITEMS, "held_out": "nobody",
            "train": "train", "valid": "dev", "test": "test"}
SPEAKERS = {"train": (11, 12), "dev": (21,), "test": (31, 32)}


def write_corpus(directory: Path, click: bool = False, times: bool = True) -> Path:
    """Every speaker says all sentences, at a loudness of his own."""
    for subset, numbers in SPEAKERS.items():
        for number in numbers:
            folder = directory / "LibriSpeech" / subset / str(number) / "1"
            folder.mkdir(parents=True)
            known, lines = {}, []
            for place, text in enumerate(SENTENCES):
                key = f"{number}-1-{place:04d}"
                samples, known[key] = said(text, click)
                soundfile.write(folder / f"{key}.flac", samples * (number % 10) / 4, RATE,
                                subtype="PCM_16")
                lines.append(f"{key} {text}\n")
            write_text(folder / f"{number}-1.trans.txt", "".join(lines))
            if times:
                write_json(folder / f"{number}-1.alignment.json", known)
    return directory


def said(text: str, click: bool) -> tuple[np.ndarray, dict[str, list]]:
    """Samples, and the times of words and phones."""
    pause, time = np.zeros(round(PAUSE * RATE)), np.arange(round(PHONE * RATE)) / RATE
    parts, phones, words, now = [pause], [], [], PAUSE
    for word in text.split():
        words.append([word, round(now, 6), round(now + 2 * PHONE, 6)])
        for phone in WORDS[word]:
            tone = 0.3 * np.sin(2 * np.pi * PITCH[phone] * time)
            if click and phone in "BDGS":
                tone[:], tone[-1] = 0.0, 1.0
            parts.append(tone * (0.0 if click and phone not in "BDGS" else 1.0))
            phones.append([phone, round(now, 6), round(now + PHONE, 6)])
            now += PHONE
        parts.append(pause)
        now += PAUSE
    return np.concatenate(parts), {"words": words, "phones": phones}
