"""A recording of one word of one's own, WAV, FLAC, OGG or MP3 of any rate, is named.

Channels are averaged and the recording is resampled to the rate that the system has learnt from;
from there on its frames are made as the features stage made those of the corpus. A system that has
learnt phones takes one phone with as much sound around it as its corpus was cut with; where the
cuts have a fixed number of frames, that many are taken from the middle. Nobody trained on who
speaks here, so where a track holds out speakers, all of its networks answer.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from pipeline.audio.frames import write_frames
from pipeline.audio.front_end import FrontEnd, LogMel, Mfcc
from pipeline.audio.recordings import read_recording
from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.contract import OwnFile, Record, Trained
from pipeline.tasks.words.features import made_of
from pipeline.tasks.words.scoring import answered
from pipeline.tasks.words.shared.cutting import Samples, window_samples

TAKES = ("a recording of one word: WAV, FLAC, OGG or MP3; of a system that has learnt phones, one "
         "phone with as much sound around it as its corpus was cut with")
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
SHOWN = ("file", "label", "probability")
TIMES_LONGEST = 2  # as long as the longest training item a recording may be; then it is no word


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the frames of all files. Raises UserError naming a file that is not one word's sound.
    """
    front_end: LogMel | Mfcc = TypeAdapter(FrontEnd).validate_python(trained.spec["front_end"])
    records: list[Record] = []

    def items() -> Iterator[NDArray[np.float32]]:
        for file in files:
            samples = _heard(file, front_end, trained.spec)
            records.append({"file": file.name,
                            "seconds": round(len(samples) / front_end.sample_rate, 3)})
            yield made_of(_middle(samples, front_end, trained.spec), front_end,
                          trained.spec["normalise"], file.name)

    write_frames(folder, "test", items())
    # By number, since two recordings may have one name; a name with a space is no corpus's speaker.
    write_json(folder / "test.items.json",
               [{"id": str(number), "speaker": f"file {number}"} for number in range(len(records))])
    return records


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """The recording with its label and that label's probability."""
    label, probabilities = answered(prediction)
    yield item | {"label": label, "probability": probabilities[label]}


def _heard(file: OwnFile, front_end: LogMel | Mfcc, spec: dict[str, Any]) -> Samples:
    """The samples of a recording that can be one item, at the corpus's rate."""
    samples = read_recording(file.path, front_end.sample_rate, _least(front_end, spec), file.name)
    seconds, longest = len(samples) / front_end.sample_rate, TIMES_LONGEST * spec["longest"]
    if seconds > longest:
        raise UserError(f"{file.name}: {seconds:.2f} s are longer than one item can be here "
                        f"({longest:.2f} s); cut the recording to one word, or to one phone where "
                        "the system has learnt phones")
    if not samples.any():
        raise UserError(f"{file.name} is silent from its beginning to its end; record the word "
                        "again")
    return samples


def _least(front_end: LogMel | Mfcc, spec: dict[str, Any]) -> int:
    """The fewest samples that make an item."""
    frames = (spec["context"] or {}).get("frames", 1)
    return window_samples(frames, front_end)


def _middle(samples: Samples, front_end: LogMel | Mfcc, spec: dict[str, Any]) -> Samples:
    """Of items with a fixed number of frames, as many samples from the middle; else all."""
    if "frames" not in (spec["context"] or {}):
        return samples
    length = _least(front_end, spec)
    start = (len(samples) - length) // 2
    return samples[start : start + length]
