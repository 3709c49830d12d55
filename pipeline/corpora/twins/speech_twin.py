"""The embedded twin of LibriSpeech: espeak-ng voices read sentences of the project's grammar.

Written in LibriSpeech's own tree, so that the reader of the real corpus serves it. Two things that
real corpora lack are known here: the process that wrote the sentences, and when each phoneme
sounds (`SPEAKER-CHAPTER.phonemes.json`, [mnemonic, onset in seconds] by utterance, '_:' and '_'
are pauses). A subset with noise and reverberation plays the part of LibriSpeech's `other`.

espeak-ng is GPL-3; it generates data and is not linked into a model.
"""

import shutil
import zlib
from collections import Counter
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pipeline.corpora.twins.espeak import RATE, Phoneme, Voice, speak
from pipeline.corpora.twins.grammar import english
from pipeline.entries import Entry, FilePart, Name, Twin
from pipeline.errors import UserError
from pipeline.storage.files import put_in_place, write_bytes, write_json, write_text

SAMPLE_RATE = 16_000
FIRST_SPEAKER = 10_001  # above every speaker of LibriSpeech


class Condition(Entry):
    """A recording condition: noise and a room, drawn for each utterance."""

    snr_db: list[float] = Field(min_length=1, description="signal-to-noise ratios to draw from")
    reverberation: list[float] = Field(
        min_length=2, max_length=2, description="range of the decay by 60 dB, seconds")
    direct_to_reverberant_db: float = Field(description="energy of direct sound beside the tail")


class Subset(Entry):
    """One folder of the tree. Each accent with each variant of espeak-ng is a speaker."""

    utterances: int = Field(ge=1)
    variants: list[FilePart] = Field(min_length=1)
    condition: Condition | None


class TwinSettings(Twin):
    """What is read, by whom, how: everything follows from these and the seed."""

    seed: int = Field(ge=0)
    drawn: int = Field(ge=1, description="sentences drawn from the grammar, to choose from")
    vocabulary: int = Field(ge=10, description="sentences keep to the most frequent words")
    words: list[int] = Field(min_length=2, max_length=2, description="shortest, longest sentence")
    accents: list[FilePart] = Field(min_length=1)
    pitch: list[int] = Field(min_length=2, max_length=2, description="range, 0 to 99")
    words_per_minute: list[int] = Field(min_length=2, max_length=2, description="range, 80 to 450")
    subsets: dict[Name, Subset] = Field(min_length=1)

    @model_validator(mode="after")
    def _speakers_are_disjoint(self) -> Self:
        heard: dict[str, str] = {}
        for name, subset in self.subsets.items():
            for variant in subset.variants:
                if variant in heard:
                    raise ValueError(f"variant {variant!r} is heard in {heard[variant]} and in "
                                     f"{name}: speakers must be disjoint between subsets")
                heard[variant] = name
            if subset.utterances < len(subset.variants) * len(self.accents):
                raise ValueError(f"{name} has more speakers than utterances")
        return self

    def smallest(self) -> Self:
        """A fiftieth of each subset, six utterances at least, of few words, by its first voices."""
        subsets = {
            name: subset.model_copy(update={"utterances": max(6, subset.utterances // 50),
                                            "variants": subset.variants[:1]})
            for name, subset in self.subsets.items()}
        return self.model_copy(update={"drawn": 10000, "vocabulary": 50, "subsets": subsets})


def generate(settings: TwinSettings, root: Path) -> None:
    """Write every subset below `root`, each whole or not at all, with SPEAKERS.TXT beside them."""
    from tqdm import tqdm

    total = sum(subset.utterances for subset in settings.subsets.values())
    texts = iter(_texts(settings, total))
    rows: list[str] = []
    with tqdm(total=total, desc="speech", unit="utterance", delay=2) as bar:
        for name, subset in settings.subsets.items():
            staging = root / f".{name}.part"
            shutil.rmtree(staging, ignore_errors=True)
            voices = _voices(settings, subset, name)
            for index, voice in enumerate(voices):
                speaker = str(FIRST_SPEAKER + len(rows))
                share = len(range(index, subset.utterances, len(voices)))
                chapter = [next(texts) for _ in range(share)]
                seconds = _write_chapter(settings, subset, staging, speaker, voice, chapter)
                rows.append(f"{speaker} | {name} | {seconds / 60:.2f} | espeak-ng {voice.accent}"
                            f"+{voice.variant}, pitch {voice.pitch}, "
                            f"{voice.words_per_minute} words a minute")
                bar.update(share)
            shutil.rmtree(root / name, ignore_errors=True)
            put_in_place(staging, root / name)
    write_text(root / "SPEAKERS.TXT", "\n".join([";ID | SUBSET | MINUTES | VOICE", *rows]) + "\n")


def _texts(settings: TwinSettings, count: int) -> list[str]:
    """Different sentences of the wanted length from the grammar's most frequent words."""
    shortest, longest = settings.words
    sentences = [item.words for item in english.generate(settings.drawn, settings.seed, longest)]
    frequency = Counter(word for words in sentences for word in words)
    # Ties are broken by the word itself, so that the vocabulary does not hang on their order.
    ranked = sorted(frequency, key=lambda word: (-frequency[word], word))
    common = set(ranked[:settings.vocabulary])
    texts = dict.fromkeys(" ".join(words) for words in sentences
                          if len(words) >= shortest and common.issuperset(words))
    if len(texts) < count:
        raise UserError(f"{settings.drawn} sentences of the grammar hold {len(texts)} different "
                        f"ones of {shortest} to {longest} of the {settings.vocabulary} most "
                        f"frequent words; {count} are wanted: raise twin.drawn or "
                        "twin.vocabulary")
    return list(texts)[:count]


def _voices(settings: TwinSettings, subset: Subset, name: str) -> list[Voice]:
    random = _random(settings, name)
    lowest, highest = settings.pitch
    slowest, fastest = settings.words_per_minute
    return [Voice(accent, variant, pitch=int(random.integers(lowest, highest, endpoint=True)),
                  pitch_range=50,
                  words_per_minute=int(random.integers(slowest, fastest, endpoint=True)))
            for variant, accent in product(subset.variants, settings.accents)]


def _write_chapter(settings: TwinSettings, subset: Subset, directory: Path, speaker: str,
                   voice: Voice, texts: list[str]) -> float:
    """Write one speaker's utterances; return their length in seconds."""
    import soundfile

    chapter = f"{speaker}-1"
    folder = directory / speaker / "1"
    folder.mkdir(parents=True)
    lines: list[str] = []
    phonemes: dict[str, list[Phoneme]] = {}
    seconds = 0.0
    for index, text in enumerate(texts):
        key = f"{chapter}-{index:04d}"
        speech = speak(text, voice)
        samples = _resampled(speech.samples)
        if subset.condition is not None:
            samples = _recorded(samples, subset.condition, _random(settings, key))
        content = BytesIO()
        soundfile.write(content, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        write_bytes(folder / f"{key}.flac", content.getvalue())
        lines.append(f"{key} {text.upper()}")
        phonemes[key] = speech.phonemes
        seconds += len(samples) / SAMPLE_RATE
    write_text(folder / f"{chapter}.trans.txt", "\n".join(lines) + "\n")
    write_json(folder / f"{chapter}.phonemes.json",
               {key: [[item.name, round(item.onset, 4)] for item in items]
                for key, items in phonemes.items()})
    return seconds


def _resampled(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """16 kHz from espeak-ng's 22.05 kHz, scaled to a peak of 0.5."""
    from scipy.signal import resample_poly

    signal = resample_poly(samples.astype(np.float64), 320, RATE * 320 // SAMPLE_RATE)
    return 0.5 * signal / np.abs(signal).max()


def _recorded(samples: NDArray[np.float64], condition: Condition,
              random: np.random.Generator) -> NDArray[np.float64]:
    """The utterance in a room with noise, of the same length, scaled to a peak of 0.5.

    The room's impulse response is the direct path and a tail of Gaussian noise that decays
    exponentially; the noise is white.
    """
    from scipy.signal import fftconvolve

    shortest, longest = condition.reverberation
    decay = random.uniform(shortest, longest)
    times = np.arange(int(decay * SAMPLE_RATE)) / SAMPLE_RATE
    tail = random.standard_normal(len(times)) * 10 ** (-3 * times / decay)
    tail[0] = 0.0
    response = tail * 10 ** (-condition.direct_to_reverberant_db / 20) / np.linalg.norm(tail)
    response[0] = 1.0
    wet = fftconvolve(samples, response)[: len(samples)]
    power = np.mean(wet**2) / 10 ** (random.choice(condition.snr_db) / 10)
    noisy = wet + random.standard_normal(len(wet)) * np.sqrt(power)
    return 0.5 * noisy / np.abs(noisy).max()


def _random(settings: TwinSettings, name: str) -> np.random.Generator:
    """A generator of its own for each thing drawn, so that one more utterance changes no other."""
    return np.random.default_rng([settings.seed, zlib.crc32(name.encode())])
