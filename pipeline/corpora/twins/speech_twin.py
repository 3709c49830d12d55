"""The embedded twin of LibriSpeech: espeak-ng voices read sentences of the project's grammar.

Written in LibriSpeech's own tree, so that the reader of the real corpus serves it. A subset with
noise and reverberation plays the part of LibriSpeech's `other`; where it repeats a clean one, the
same voices read the same sentences, and nothing but the condition differs. A voice keeps to one
accent, so that no two speakers are the same throat.

Three things that the corpus's publisher does not ship are known here:

- the process that wrote the sentences;
- when each word and phone sounds, `SPEAKER-CHAPTER.alignment.json`: by utterance `phones` and
  `words`, each [label, begin, end] in seconds. Phones are those of `pipeline.audio.phones`, pauses
  are `SIL` among them, and phones fill the recording. A room adds no delay, so these are the times
  of noisy recordings too;
- how words are said, `librispeech-lexicon.txt` in the format of LibriSpeech's own dictionary
  (openslr.org/11): a word, a tab, its phones; a line for each way to say it, the most frequent way
  first. It is counted over the readings of training subsets alone.

espeak-ng is GPL-3; it generates data and is not linked into a model.
"""

import shutil
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pipeline.audio.phones import SILENCE
from pipeline.corpora.twins.espeak import RATE, Voice
from pipeline.corpora.twins.grammar import english
from pipeline.corpora.twins.spoken_words import Reading, pronunciations, read_aloud
from pipeline.entries import Entry, FilePart, Name, Twin
from pipeline.errors import UserError
from pipeline.storage.files import put_in_place, write_bytes, write_json, write_text

DICTIONARY = "librispeech-lexicon.txt"
SAMPLE_RATE = 16_000
FIRST_SPEAKER = 10_001  # above every speaker of LibriSpeech


class Condition(Entry):
    """A recording condition: noise and a room, drawn for each utterance."""

    snr_db: list[float] = Field(min_length=1, description="signal-to-noise ratios to draw from")
    reverberation: list[float] = Field(
        min_length=2, max_length=2, description="range of the decay by 60 dB, seconds")
    direct_to_reverberant_db: float = Field(description="energy of direct sound beside the tail")


class Subset(Entry):
    """One folder of the tree. Each variant of espeak-ng is a speaker; accents take turns."""

    utterances: int = Field(ge=1)
    variants: list[FilePart] = Field(min_length=1)
    condition: Condition | None


class Repetition(Entry):
    """One folder of the tree: what another subset says, by the same voices, in this condition."""

    of: Name
    condition: Condition


class Dictionary(Entry):
    """Which readings teach how words are said, and how rare a way to say one may be."""

    subsets: list[Name] = Field(min_length=1, description="those that a recogniser trains on")
    share: float = Field(gt=0, le=1, description="the least share of a word's readings")


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
    repeated: dict[Name, Repetition] = {}
    dictionary: Dictionary | None = None

    @model_validator(mode="after")
    def _speakers_are_disjoint(self) -> Self:
        heard: dict[str, str] = {}
        for name, subset in self.subsets.items():
            for variant in subset.variants:
                if variant in heard:
                    raise ValueError(f"variant {variant!r} is heard in {heard[variant]} and in "
                                     f"{name}: a speaker stands in one subset, once")
                heard[variant] = name
            if subset.utterances < len(subset.variants):
                raise ValueError(f"{name} has more speakers than utterances")
        return self

    @model_validator(mode="after")
    def _subsets_exist(self) -> Self:
        known = ", ".join(self.subsets)
        for name, repetition in self.repeated.items():
            if name in self.subsets:
                raise ValueError(f"{name} stands in subsets and in repeated; rename one")
            if repetition.of not in self.subsets:
                raise ValueError(f"{name} repeats {repetition.of}, which is no subset; choose one "
                                 f"of {known}")
        for name in self.dictionary.subsets if self.dictionary else []:
            if name not in self.subsets:
                raise ValueError(f"dictionary.subsets names {name}, which is no subset; choose "
                                 f"from {known}")
        return self

    def smallest(self) -> Self:
        """A fiftieth of each subset, six utterances at least, of few words.

        Of as many voices as there are, so that a test speaker says one utterance where voices
        suffice: it is then heard alone in the suite as well as outside it.
        """
        subsets = {}
        for name, subset in self.subsets.items():
            utterances = max(6, subset.utterances // 50)
            subsets[name] = subset.model_copy(update={
                "utterances": utterances, "variants": subset.variants[:utterances]})
        return self.model_copy(update={"drawn": 10000, "vocabulary": 50, "subsets": subsets})


@dataclass(frozen=True)
class _Speaker:
    """A voice, its number in the corpus and all that it reads."""

    number: int
    voice: Voice
    texts: list[str]
    readings: list[Reading]


def generate(settings: TwinSettings, root: Path) -> None:
    """Write every subset below `root`, each whole or not at all.

    SPEAKERS.TXT and, where the settings want one, the dictionary lie beside them.
    """
    from tqdm import tqdm

    total = sum(subset.utterances for subset in settings.subsets.values())
    texts = iter(_texts(settings, total))
    heard: dict[str, list[_Speaker]] = {}
    rows: list[str] = []
    with tqdm(total=total, desc="speech", unit="utterance", delay=2) as bar:
        for name, subset in settings.subsets.items():
            first = FIRST_SPEAKER + sum(map(len, heard.values()))
            heard[name] = []
            for speaker in _speakers(settings, name, first, texts):
                heard[name].append(speaker)
                bar.update(len(speaker.texts))
            rows += _write_subset(settings, root, name, heard[name], 1, subset.condition)
    # A repetition is another chapter of its speakers, so that every utterance has its own id.
    for chapter, (name, repetition) in enumerate(settings.repeated.items(), start=2):
        rows += _write_subset(settings, root, name, heard[repetition.of], chapter,
                              repetition.condition)
    (root / DICTIONARY).unlink(missing_ok=True)
    if settings.dictionary is not None:
        write_text(root / DICTIONARY, _dictionary(
            [reading for name in settings.dictionary.subsets for speaker in heard[name]
             for reading in speaker.readings], settings.dictionary.share))
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


def _speakers(settings: TwinSettings, name: str, first: int,
              texts: Iterator[str]) -> Iterator[_Speaker]:
    """The speakers of a subset, numbered from `first`, who share its utterances evenly."""
    subset = settings.subsets[name]
    voices = _voices(settings, subset, name)
    for index, voice in enumerate(voices):
        read = [next(texts) for _ in range(index, subset.utterances, len(voices))]
        yield _Speaker(first + index, voice, read, [read_aloud(text, voice) for text in read])


def _voices(settings: TwinSettings, subset: Subset, name: str) -> list[Voice]:
    random = _random(settings, name)
    lowest, highest = settings.pitch
    slowest, fastest = settings.words_per_minute
    return [Voice(settings.accents[index % len(settings.accents)], variant,
                  pitch=int(random.integers(lowest, highest, endpoint=True)),
                  pitch_range=50,
                  words_per_minute=int(random.integers(slowest, fastest, endpoint=True)))
            for index, variant in enumerate(subset.variants)]


def _dictionary(readings: Iterable[Reading], share: float) -> str:
    """Lines of each word's ways to be said that have a `share` of its readings, and of the first.
    """
    lines: list[str] = []
    for word, ways in pronunciations(readings).items():
        least = share * sum(count for _, count in ways)
        lines += [f"{word.upper()}\t{' '.join(phones)}\n"
                  for place, (phones, count) in enumerate(ways) if not place or count >= least]
    return "".join(lines)


def _write_subset(settings: TwinSettings, root: Path, name: str, speakers: Sequence[_Speaker],
                  chapter: int, condition: Condition | None) -> list[str]:
    """Write a subset; return its lines of SPEAKERS.TXT."""
    staging = root / f".{name}.part"
    shutil.rmtree(staging, ignore_errors=True)
    rows: list[str] = []
    for speaker in speakers:
        folder = staging / str(speaker.number) / str(chapter)
        seconds = _write_chapter(settings, folder, speaker, condition)
        voice = speaker.voice
        rows.append(f"{speaker.number} | {name} | {seconds / 60:.2f} | espeak-ng {voice.accent}"
                    f"+{voice.variant}, pitch {voice.pitch}, "
                    f"{voice.words_per_minute} words a minute")
    shutil.rmtree(root / name, ignore_errors=True)
    put_in_place(staging, root / name)
    return rows


def _write_chapter(settings: TwinSettings, folder: Path, speaker: _Speaker,
                   condition: Condition | None) -> float:
    """Write one speaker's utterances into `folder`; return their length in seconds."""
    import soundfile

    folder.mkdir(parents=True)
    chapter = f"{speaker.number}-{folder.name}"
    lines: list[str] = []
    times: dict[str, dict[str, list[_Interval]]] = {}
    seconds = 0.0
    for index, (text, reading) in enumerate(zip(speaker.texts, speaker.readings, strict=True)):
        key = f"{chapter}-{index:04d}"
        samples = _resampled(reading.samples)
        if condition is not None:
            samples = _recorded(samples, condition, _random(settings, key))
        content = BytesIO()
        soundfile.write(content, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        write_bytes(folder / f"{key}.flac", content.getvalue())
        lines.append(f"{key} {text.upper()}")
        times[key] = _alignment(reading)
        seconds += len(samples) / SAMPLE_RATE
    write_text(folder / f"{chapter}.trans.txt", "\n".join(lines) + "\n")
    write_json(folder / f"{chapter}.alignment.json", times)
    return seconds


_Interval = tuple[str, float, float]


def _alignment(reading: Reading) -> dict[str, list[_Interval]]:
    """When phones, pauses among them, and words are heard: label, begin and end in seconds."""
    phones = [(phone.label, phone.start, phone.end)
              for word in reading.words for phone in word.phones]
    pauses = [(SILENCE, start, end) for start, end in reading.pauses]
    words = [(word.text.upper(), word.phones[0].start, word.phones[-1].end)
             for word in reading.words]
    # A microsecond is a small part of a sample, so that no interval vanishes.
    return {kind: [(label, round(start, 6), round(end, 6)) for label, start, end in intervals]
            for kind, intervals in (
                ("phones", sorted(phones + pauses, key=lambda item: item[1])), ("words", words))}


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
