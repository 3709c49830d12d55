"""Features of a recognition track: acoustic frames, transcripts, speakers, symbols, dictionary.

The symbols that a recogniser writes are the characters of the training transcripts. `fit/` gets
training and validation frames with their texts and speakers, and in `spec.json` the symbols, each
feature's mean and deviation over the training frames, and what makes frames of a recording. With a
dictionary, `lexicon.json` has the pronunciations of its words. `test/` has the frames and the
references of every condition, and, for pictures, how one word of the training data sounds. The
utterances of a speaker are one cluster, in whatever conditions.

A microphone and a voice shift a log-mel frame by a constant, so frames can have their mean taken
away over all that a speaker says in one condition (cepstral mean normalisation by speaker), or each
utterance be brought to mean 0 and deviation 1.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.audio.frames import Frames, shift_frames, write_frames
from pipeline.audio.front_end import FrontEnd, frames_of
from pipeline.corpora.kinds import Utterance
from pipeline.entries import FeatureSettings, FilePart
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import write_clusters
from pipeline.storage.files import write_json
from pipeline.tasks.asr.shared.dictionary import pronunciations
from pipeline.tasks.asr.shared.example import example_of

Condition = Literal["clean", "other"]
Normalisation = Literal["none", "speaker", "utterance"]
_SMALLEST_DEVIATION = 1e-5


class Settings(FeatureSettings):
    """The `features` of a recognition track."""

    READS = ("utterances",)

    front_end: FrontEnd
    normalise: Normalisation = Field(
        description="speaker: mean 0 over what a speaker says; utterance: mean 0 and deviation 1 "
                    "over each utterance")
    dictionary: bool = Field(description="whether systems may read the corpus's pronunciations")
    train: list[FilePart] = Field(min_length=1, description="subsets, as the corpus names them")
    valid: FilePart
    test: dict[Condition, FilePart] = Field(
        min_length=1, description="the primary metric is that of 'clean'")

    def reads(self) -> tuple[str, ...]:
        return (*self.READS, *(["lexicon"] if self.dictionary else []))


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError when the corpus and the settings do not fit."""
    train = [item for subset in settings.train for item in reader.utterances(corpus, subset)]
    valid = list(reader.utterances(corpus, settings.valid))
    tests = [(condition, item) for condition, subset in sorted(settings.test.items())
             for item in reader.utterances(corpus, subset)]
    symbols = sorted({character for item in train for character in item.text})
    _check(corpus, train, valid, [item for _, item in tests], symbols)
    if settings.dictionary:
        write_json(fit / "lexicon.json",
                   pronunciations(reader.lexicon(corpus), train + valid, str(corpus)))

    dimension = _write(fit, "train", train, [item.speaker for item in train], settings)
    _write(fit, "valid", valid, [item.speaker for item in valid], settings)
    voices = [f"{condition}/{item.speaker}" for condition, item in tests]
    _write(test, "test", [item for _, item in tests], voices, settings)
    for split, items in (("train", train), ("valid", valid)):
        write_json(fit / f"{split}.items.json",
                   [{"id": item.id, "speaker": item.speaker, "text": item.text} for item in items])
    write_json(test / "test.items.json",
               [{"id": f"{condition}/{item.id}", "condition": condition, "speaker": voice,
                 "reference": item.text}
                for (condition, item), voice in zip(tests, voices, strict=True)])
    write_clusters(test, {f"{condition}/{item.id}": item.speaker for condition, item in tests})
    mean, deviation = _statistics(Frames(fit, "train"))
    write_json(fit / "spec.json", {
        "dimension": dimension, "symbols": symbols, "mean": mean.tolist(),
        "deviation": deviation.tolist(), "normalise": settings.normalise,
        "front_end": settings.front_end.model_dump(mode="json")})
    write_json(test / "ceiling.json", {})
    example_of(train, settings.front_end).write(test)


def _check(corpus: Path, train: list[Utterance], valid: list[Utterance], test: list[Utterance],
           symbols: list[str]) -> None:
    if not train or not valid or not test:
        raise UserError(f"{corpus}: training, validation or test subset without utterances; fetch "
                        "or generate the corpus again")
    heard = {item.id for item in train}
    for item in valid + test:
        if item.id in heard:
            raise UserError(f"{item.path}: utterance {item.id} is in the training data as well; "
                            "choose disjoint subsets in the track's features")
    for item in valid:
        if strange := set(item.text) - set(symbols):
            raise UserError(f"{item.path}: character {min(strange)!r} of its transcript is in no "
                            "training transcript; choose other subsets or mend the transcript")


def _write(directory: Path, split: str, items: list[Utterance], speakers: Sequence[str],
           settings: Settings) -> int:
    """Write the frames of a split; return their dimension."""
    from tqdm import tqdm

    def utterances() -> Iterator[NDArray[np.float32]]:
        for item in tqdm(items, desc=split, unit="utterance", delay=2):
            yield by_utterance(frames_of(settings.front_end, item.path), settings.normalise)

    dimension = write_frames(directory, split, utterances())
    by_speaker(directory, split, speakers, settings.normalise)
    return dimension


def by_utterance(frames: NDArray[np.float32], normalise: Normalisation) -> NDArray[np.float32]:
    """Frames [frames, dimension], where "utterance" asks for it with mean 0 and deviation 1."""
    if normalise != "utterance":
        return frames
    deviation = np.maximum(frames.std(axis=0), _SMALLEST_DEVIATION)
    return (frames - frames.mean(axis=0)) / deviation


def by_speaker(directory: Path, split: str, speakers: Sequence[str],
               normalise: Normalisation) -> None:
    """Where "speaker" asks for it, take the mean of each speaker's frames away from them.

    `speakers` has that of each utterance of the frames that `write_frames` wrote for the split.
    """
    if normalise != "speaker":
        return
    utterances = Frames(directory, split)
    sums: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for index, speaker in enumerate(speakers):
        frames = utterances[index]
        sums[speaker] = sums.get(speaker, 0.0) + frames.sum(axis=0, dtype=np.float64)
        counts[speaker] = counts.get(speaker, 0) + len(frames)
    shift_frames(directory, split, [-sums[speaker] / counts[speaker] for speaker in speakers])


def _statistics(utterances: Frames) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of each feature over all frames, one utterance in memory at a time."""
    count = 0
    total: Any = 0.0
    squares: Any = 0.0
    for index in range(len(utterances)):
        frames = utterances[index].astype(np.float64)
        count += len(frames)
        total = total + frames.sum(axis=0)
        squares = squares + (frames**2).sum(axis=0)
    mean = total / count
    return mean, np.sqrt(np.maximum(squares / count - mean**2, _SMALLEST_DEVIATION**2))
