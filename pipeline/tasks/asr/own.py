"""Recordings of one's own: WAV, FLAC, OGG or MP3 of any rate and channel count, transcribed.

Channels are averaged and the recording is resampled to the rate that the system has learnt from;
from there on its frames are made as the features stage made those of the corpus.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from pipeline.audio.frames import write_frames
from pipeline.audio.front_end import FrontEnd, LogMel, Mfcc, audio_features, completed
from pipeline.audio.recordings import read_recording
from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.asr.features import normalised
from pipeline.tasks.contract import OwnFile, Record, Trained

TAKES = "a recording of speech: WAV, FLAC, OGG or MP3"
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
SHOWN = ("file", "hypothesis")


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the frames of all files.

    Raises UserError naming a file that is no audio.
    """
    front_end = _front_end(trained.spec)
    records: list[Record] = []

    def utterances() -> Iterator[NDArray[np.float32]]:
        for file in files:
            samples = read_recording(file.path, front_end.sample_rate, front_end.dft_points,
                                     file.name)
            records.append({"file": file.name,
                            "seconds": round(len(samples) / front_end.sample_rate, 3)})
            frames = completed(front_end, audio_features(front_end, samples), file.name)
            yield normalised(frames, trained.spec["normalise"])

    write_frames(folder, "test", utterances())
    write_json(folder / "test.items.json", [{"id": record["file"]} for record in records])
    return records


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """The transcript, in the letters of the corpus that the system has learnt from."""
    yield {**item, "hypothesis": prediction["hypothesis"]}


def _front_end(spec: dict[str, Any]) -> LogMel | Mfcc:
    found: LogMel | Mfcc = TypeAdapter(FrontEnd).validate_python(spec["front_end"])
    return found
