"""Features of a track of words: the frames of one word or one phone, and its class.

`fit/` gets training and validation frames, their ids, speakers and labels, and in `spec.json` the
labels, each feature's mean and deviation over the training frames, and all that makes frames of a
recording. `test/` has the frames, and apart from them the right labels. The items of a speaker are
one cluster.

With `held_out: speakers` every speaker of the test items is in `fit` too, and systems are one
network a speaker, each without the one that it answers for (`shared/folds.py`).

How loud somebody speaks adds one number to all of a log-mel frame, and a microphone one number to
each feature. So an item may have its own `level` taken away, as in Waibel et al. 1989, its `mean`
(cepstral mean normalisation), or be brought to its own deviation too. An item without its mean has
nothing left for those who hear the mean over time alone.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pipeline.audio.frames import Frames, write_frames
from pipeline.audio.front_end import FrontEnd, LogMel, Mfcc, audio_features, completed
from pipeline.entries import FeatureSettings, FilePart
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import write_clusters
from pipeline.storage.files import write_json
from pipeline.tasks.words.shared.cutting import (
    Around,
    Item,
    Items,
    Phones,
    Samples,
    Split,
    Window,
    drawn,
    heard,
    labels_of,
    phones,
    recordings,
)

Normalisation = Literal["none", "level", "mean", "mean-and-deviation"]
SMALLEST_DEVIATION = 1e-5


class Settings(FeatureSettings):
    """The `features` of a track of words."""

    READS = ("utterances",)

    front_end: FrontEnd
    normalise: Normalisation = Field(description="what each item is brought to, by itself")
    items: Items
    held_out: Literal["nobody", "speakers"] = Field(
        description="speakers: each is answered by a network that never heard him")
    train: FilePart = Field(description="a subset, as the corpus names it")
    valid: FilePart
    test: FilePart

    @model_validator(mode="after")
    def _has_a_level(self) -> Self:
        if self.normalise == "level" and (self.front_end.kind != "log-mel"
                                          or self.front_end.deltas):
            raise ValueError("normalise: level is for log-mel without deltas, where loudness adds "
                             "one number to all features")
        return self

    def smallest(self) -> Self:
        """Every phone that is there: the smallest corpora have few of each."""
        if not isinstance(self.items, Phones):
            return self
        items = self.items.model_copy(update={"labels": None, "least": 1,
                                              "most": {"train": 4, "valid": 4, "test": 4}})
        return self.model_copy(update={"items": items})


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError when the corpus and the settings do not fit."""
    splits, labels = _chosen(settings, corpus, reader)
    longest = _write(fit, "train", splits["train"], settings)
    _write(fit, "valid", splits["valid"], settings)
    _write(test, "test", splits["test"], settings)
    for split, items in splits.items():
        if split != "test":
            write_json(fit / f"{split}.items.json",
                       [{"id": item.id, "speaker": item.speaker, "label": item.label}
                        for item in items])
    write_json(test / "test.items.json", [{"id": item.id, "speaker": item.speaker}
                                          for item in splits["test"]])
    write_json(test / "gold.json", {item.id: item.label for item in splits["test"]})
    write_json(test / "labels.json", labels)
    write_json(test / "ceiling.json", {})
    write_clusters(test, {item.id: item.speaker for item in splits["test"]})
    frames = Frames(fit, "train")
    mean, deviation = _statistics(frames)
    write_json(fit / "spec.json", {
        "dimension": len(mean), "labels": labels, "mean": mean.tolist(),
        "deviation": deviation.tolist(), "normalise": settings.normalise,
        "front_end": settings.front_end.model_dump(mode="json"),
        "hop": settings.front_end.hop_samples / settings.front_end.sample_rate,
        "units": settings.items.units, "context": _context(settings),
        "longest": longest / settings.front_end.sample_rate,
        "folds": sorted({item.speaker for item in splits["test"]})
                 if settings.held_out == "speakers" else []})


def made_of(samples: Samples, front_end: LogMel | Mfcc, normalise: Normalisation,
            name: str) -> NDArray[np.float32]:
    """The frames of one item, [frames, dimension], of one frame at least.

    Raises UserError, in which `name` is the item's, for what is too short for a frame.
    """
    if len(samples) < front_end.dft_points:
        raise UserError(f"{name}: {len(samples)} samples are less than one DFT of "
                        f"{front_end.dft_points}; take more context, or remove the recording")
    frames = completed(front_end, audio_features(front_end, samples), name)
    if normalise == "none":
        return frames
    frames = frames - frames.mean(axis=None if normalise == "level" else 0)
    return frames if normalise != "mean-and-deviation" else frames / np.maximum(frames.std(axis=0),
                                                                  SMALLEST_DEVIATION)


def _chosen(settings: Settings, corpus: Path,
            reader: ModuleType) -> tuple[dict[Split, list[Item]], list[str]]:
    """The items of each split, and their labels."""
    splits: dict[Split, list[Item]] = {}
    names: dict[Split, str] = {"train": settings.train, "valid": settings.valid,
                               "test": settings.test}
    for split, subset in names.items():
        utterances = reader.utterances(corpus, subset)
        splits[split] = (phones(settings.items, utterances, settings.front_end)
                         if isinstance(settings.items, Phones) else recordings(utterances))
    if isinstance(settings.items, Phones):
        labels = labels_of(settings.items, splits["train"], corpus)
        for split, items in splits.items():
            splits[split] = drawn([item for item in items if item.label in labels],
                                  settings.items.most.get(split), settings.items.seed, split)
    else:
        labels = sorted({item.label for item in splits["train"]})
    _check(settings, corpus, splits, labels)
    return splits, labels


def _check(settings: Settings, corpus: Path, splits: dict[Split, list[Item]],
           labels: Sequence[str]) -> None:
    for split, items in splits.items():
        if not items:
            raise UserError(f"{corpus}: nothing to use in the subset of {split!r}; fetch or "
                            "generate the corpus again")
        for item in items:
            if item.label not in labels:
                raise UserError(f"{item.path}: the label is {item.label[:60]!r}, which no "
                                f"training item has ({', '.join(labels)[:200]}); mend or remove "
                                "it")
    learnt = {item.id for item in splits["train"]}
    for item in (*splits["valid"], *splits["test"]):
        if item.id in learnt:
            raise UserError(f"{item.path}: item {item.id} is in the training data as well; choose "
                            "disjoint subsets in the track's features")
    if settings.held_out == "speakers":
        strange = {item.speaker for item in splits["test"]} - {
            item.speaker for item in splits["train"]}
        if strange:
            raise UserError(f"{corpus}: nobody has to hold out speaker {min(strange)!r}, who is in "
                            "no training item; set features.held_out to nobody")


def _context(settings: Settings) -> dict[str, Any] | None:
    """How phones are cut, None of whole recordings."""
    context: Around | Window | None = getattr(settings.items, "context", None)
    return None if context is None else context.model_dump(mode="json")


def _write(directory: Path, split: Split, items: Sequence[Item], settings: Settings) -> int:
    """Write the frames of a split; the number of samples of its longest item."""
    from tqdm import tqdm

    longest = 0

    def utterances() -> Iterator[NDArray[np.float32]]:
        nonlocal longest
        cuts = heard(items, settings.front_end)
        for item, samples in tqdm(zip(items, cuts, strict=True), desc=split, unit="item",
                                  total=len(items), delay=2):
            longest = max(longest, len(samples))
            yield made_of(samples, settings.front_end, settings.normalise,
                          f"{item.path}, item {item.id}")

    write_frames(directory, split, utterances())
    return longest


def _statistics(items: Frames) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of each feature over all frames."""
    rows = items.rows.astype(np.float64)
    return rows.mean(axis=0), np.maximum(rows.std(axis=0), SMALLEST_DEVIATION)
