"""Features of an alignment track: acoustic frames, what was said, and when where that is known.

`fit/` gets training and validation frames, and in `{train,valid}.items.json` each utterance's `id`,
`speaker`, `text`, `phones` (pauses among them), `words` (each [word, its first phone, how many])
and `starts`, the first frame of each phone: ascending, the first 0, or null where the corpus knows
no times. Such an utterance has the phones of its dictionary between two silences. `spec.json` has
the phones, each feature's mean and deviation, what makes frames of a recording, and of frames times
(`pipeline.tasks.alignment.shared.spoken.Clock`); `artefacts/lexicon.json` how words are said.

`test/` has the frames of every condition, and items without times but with how many `frames` and
`seconds` they last. The times are in `gold.json`, by item's id `phones` and `words`, each [label,
begin, end] in seconds, and only scoring and figures read it; a phone that the one before runs into
has begin null. A speaker's utterances are one cluster, in whatever conditions.

Recordings of synthetic voices begin and end with a sound. `margins` puts some quiet around what by
its times does (`pipeline/audio/margins.py`), and moves the times along.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.audio import front_end as acoustics
from pipeline.audio.frames import Frames, write_frames
from pipeline.audio.front_end import FrontEnd, LogMel, Mfcc
from pipeline.audio.margins import with_margins
from pipeline.audio.normalising import Normalisation, by_speaker, by_utterance, mean_and_deviation
from pipeline.audio.phones import PHONES, SILENCE
from pipeline.audio.pronouncing import Pronunciations, completed
from pipeline.audio.recordings import read_recording
from pipeline.corpora.kinds import Utterance
from pipeline.entries import FeatureSettings, FilePart
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import write_clusters
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.files import write_json
from pipeline.storage.words import words_in
from pipeline.tasks.alignment.shared.spoken import (
    Clock,
    Spoken,
    as_heard,
    as_written,
    begins_and_ends_with_sound,
)

Condition = Literal["clean", "other"]
LEXICON = "lexicon.json"


class Settings(FeatureSettings):
    """The `features` of an alignment track."""

    READS = ("utterances", "lexicon")

    front_end: FrontEnd
    resample: bool = Field(
        False, description="whether recordings of other rates, or of several channels, are taken")
    normalise: Normalisation = Field(
        description="speaker: mean 0 over what a speaker says; utterance: mean 0 and deviation 1 "
                    "over each utterance")
    margins: list[float] | None = Field(
        None, min_length=2, max_length=2,
        description="least and most seconds of quiet around what begins and ends with a sound")
    phones: Literal["trained", "all"] = Field(
        description="which phones systems know: those of the training utterances, or all 39")
    said: Literal["heard", "dictionary"] = Field(
        description="phones of test items: as the corpus's times have them, or as the dictionary "
                    "says the words, which is all that is known of a text")
    train: list[FilePart] = Field(min_length=1, description="subsets, as the corpus names them")
    valid: list[FilePart] = Field(min_length=1)
    test: dict[Condition, FilePart] = Field(
        min_length=1, description="the primary metric is that of 'clean'")

    def smallest(self) -> Self:
        """In a handful of utterances not every phone is heard."""
        return self.model_copy(update={"phones": "all"})


@dataclass(frozen=True)
class _Item:
    """An utterance with its name in the items, its frames [T, D] and what was said in them."""

    id: str
    speaker: str
    source: Utterance
    frames: NDArray[np.float32]
    seconds: float
    spoken: Spoken


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError when the corpus and the settings do not fit."""
    train, valid = ([item for subset in subsets for item in reader.utterances(corpus, subset)]
                    for subsets in (settings.train, settings.valid))
    tests = {condition: list(reader.utterances(corpus, subset))
             for condition, subset in sorted(settings.test.items())}
    _check(corpus, train, valid, [item for items in tests.values() for item in items])
    # What training is given knows no word of test items alone.
    ways = completed(reader.lexicon(corpus), _words(train + valid), str(corpus))
    all_ways = completed(ways, _words([item for items in tests.values() for item in items]),
                         str(corpus))

    heard = [_heard(item, settings, ways) for item in train]
    trained = {phone for item in heard for phone in item.spoken.phones} - {SILENCE}
    phones = [SILENCE, *(sorted(trained) if settings.phones == "trained" else PHONES)]
    for item in heard:
        _check_phones(item.source, item.spoken, len(item.frames), phones)
    dimension = _write(fit, "train", heard, settings)
    mean, deviation = mean_and_deviation(Frames(fit, "train"))
    clock = Clock.of(settings.front_end)
    write_json(fit / "spec.json", {
        "dimension": dimension, "phones": phones, "mean": mean.tolist(),
        "deviation": deviation.tolist(), "normalise": settings.normalise,
        "front_end": settings.front_end.model_dump(mode="json"), "hop": clock.hop,
        "first": clock.first})
    (fit / ARTEFACTS).mkdir(exist_ok=True)
    write_json(fit / ARTEFACTS / LEXICON, dict(sorted(ways.items())))
    validated = [_heard(item, settings, ways) for item in valid]
    for item in validated:
        _check_phones(item.source, item.spoken, len(item.frames), phones)
    _write(fit, "valid", validated, settings)
    for split, items in (("train", heard), ("valid", validated)):
        write_json(fit / f"{split}.items.json", [_with_starts(item, clock) for item in items])
    tested = [_heard(item, settings, all_ways, f"{condition}/")
              for condition, items in tests.items() for item in items]
    _write(test, "test", tested, settings)
    _write_tests(tested, settings, all_ways, phones, test)


def _check(corpus: Path, train: list[Utterance], valid: list[Utterance],
           test: list[Utterance]) -> None:
    if not train or not valid or not test:
        raise UserError(f"{corpus}: training, validation or test subset without utterances; fetch "
                        "or generate the corpus again")
    heard = {item.id for item in train}
    for item in valid + test:
        if item.id in heard:
            raise UserError(f"{item.path}: utterance {item.id} is in the training data as well; "
                            "choose disjoint subsets in the track's features")
    for item in test:
        if not item.segments:
            raise UserError(f"{item.path}: the corpus does not know when its words and phones are "
                            "heard, so no answer could be scored; choose another subset to test")


def _words(items: Iterable[Utterance]) -> Iterator[tuple[str, str]]:
    """The words of utterances, each with the file that has it."""
    return ((word, str(item.path)) for item in items for word in words_in(item.text))


def _heard(item: Utterance, settings: Settings, ways: Pronunciations, prefix: str = "") -> _Item:
    """An utterance as it is heard, in its margins where it has any."""
    rate = settings.front_end.sample_rate
    samples = (read_recording(item.path, rate, settings.front_end.dft_points)
               if settings.resample else acoustics.read_audio(item.path, settings.front_end))
    if not item.segments:
        spoken = as_written(item.text, ways)
    else:
        seconds, hop = len(samples) / rate, Clock.of(settings.front_end).hop
        bare = settings.margins is not None and begins_and_ends_with_sound(item, seconds, hop)
        spoken = as_heard(item, seconds, hop, bare)
        if settings.margins is not None and bare:
            # A recording and its repetition in a room have the same margins.
            samples, before = with_margins(samples, rate, settings.margins, item.text)
            spoken = spoken.moved(before)
    frames = frames_of_samples(samples, settings.front_end, settings.normalise, str(item.path))
    return _Item(f"{prefix}{item.id}", f"{prefix}{item.speaker}", item, frames,
                 len(samples) / rate, spoken)


def frames_of_samples(samples: NDArray[np.float32], front_end: LogMel | Mfcc,
                      normalise: Normalisation, name: str) -> NDArray[np.float32]:
    """Frames [T, D] of samples at the front end's rate. Raises UserError as `completed` does."""
    static = acoustics.audio_features(front_end, samples)
    return by_utterance(acoustics.completed(front_end, static, name), normalise)


def _write(directory: Path, split: str, items: Sequence[_Item], settings: Settings) -> int:
    """Write the frames of a split; return their dimension."""
    def frames() -> Iterator[NDArray[np.float32]]:
        for item in items:
            yield item.frames

    dimension = write_frames(directory, split, frames())
    by_speaker(directory, split, [item.speaker for item in items], settings.normalise)
    return dimension


def _with_starts(item: _Item, clock: Clock) -> dict[str, Any]:
    spoken = item.spoken
    starts = (clock.starts(spoken.every_begin(item.seconds), len(item.frames))
              if spoken.begins else None)
    return {"id": item.id, "speaker": item.speaker, "text": item.source.text,
            "phones": spoken.phones, "starts": starts, "words": spoken.words}


def _check_phones(source: Utterance, spoken: Spoken, frames: int, phones: Sequence[str]) -> None:
    if strange := set(spoken.phones) - set(phones):
        wrong = ("is heard in no training utterance; choose other subsets, or 'phones: all'"
                 if min(strange) in PHONES else
                 f"is none of the {len(PHONES)} that there are, {', '.join(PHONES)}; mend the "
                 "corpus's label or its dictionary")
        raise UserError(f"{source.path}: the phone {min(strange)!r} {wrong}")
    if len(spoken.phones) > frames:
        raise UserError(f"{source.path}: {len(spoken.phones)} phones do not fit in {frames} "
                        "frames; mend the transcript or remove the utterance")


def _write_tests(items: Sequence[_Item], settings: Settings, ways: Pronunciations,
                 phones: Sequence[str], test: Path) -> None:
    """Write what systems are told of test items, when it was said, and the clusters."""
    told: list[dict[str, Any]] = []
    for item in items:
        asked = item.spoken if settings.said == "heard" else as_written(item.source.text, ways)
        _check_phones(item.source, asked, len(item.frames), phones)
        told.append({"id": item.id, "speaker": item.speaker, "text": item.source.text,
                     "phones": asked.phones, "words": asked.words, "frames": len(item.frames),
                     "seconds": item.seconds})
    write_json(test / "test.items.json", told)
    write_json(test / "gold.json", {item.id: _gold(item) for item in items})
    write_clusters(test, {item.id: item.source.speaker for item in items})
    write_json(test / "ceiling.json", {})


def _gold(item: _Item) -> dict[str, list[tuple[str, float | None, float | None]]]:
    spoken = item.spoken
    ends = [*spoken.begins[1:], item.seconds]
    return {"phones": list(zip(spoken.phones, spoken.begins, ends, strict=True)),
            "words": [(word, begin, end) for (word, _, _), (begin, end)
                      in zip(spoken.words, spoken.edges, strict=True)]}
