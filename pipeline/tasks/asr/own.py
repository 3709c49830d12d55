"""Recordings of one's own: WAV, FLAC, OGG or MP3 of any rate and channel count, transcribed.

Channels are averaged and the recording is resampled to the rate that the system has learnt from;
from there on its frames are made as the features stage made those of the corpus. Each recording
is a speaker of its own, since nobody says who speaks in it.

A system that searches with a dictionary knows when each word was said. Its predictions have,
beside `hypothesis`, the list `words` of objects with `word`, `begin` and `end` (seconds) and, where
it is known, `confidence`, a probability; without speech the list is empty. Such an answer can be
written as CTM, SRT and TextGrid (`pipeline/decoding/word_times.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from pipeline.audio.frames import write_frames
from pipeline.audio.front_end import FrontEnd, LogMel, Mfcc, audio_features, completed
from pipeline.audio.recordings import read_recording
from pipeline.decoding.word_times import TimedWord, ctm, srt, textgrid
from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.asr.features import by_speaker, by_utterance
from pipeline.tasks.contract import FileFormat, OwnFile, Record, Trained

TAKES = "a recording of speech: WAV, FLAC, OGG or MP3"
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
SHOWN = ("file", "hypothesis")
_DIGITS = {"begin": 3, "end": 3, "confidence": 6}


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
            yield by_utterance(frames, trained.spec["normalise"])

    write_frames(folder, "test", utterances())
    # By number, since two recordings may have one name.
    speakers = [str(number) for number in range(len(records))]
    by_speaker(folder, "test", speakers, trained.spec["normalise"])
    write_json(folder / "test.items.json",
               [{"id": record["file"], "speaker": speaker}
                for record, speaker in zip(records, speakers, strict=True)])
    return records


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """The transcript, in the letters of the corpus that the system has learnt from.

    With its words and their times to the millisecond, and other hypotheses with their scores, if
    the system knows them.
    """
    times = {"words": list(map(_rounded, prediction["words"]))} if "words" in prediction else {}
    others = {name: prediction[name] for name in ("alternatives",) if name in prediction}
    yield {**item, "hypothesis": prediction["hypothesis"], **times, **others}


def _rounded(word: Mapping[str, Any]) -> Record:
    return {name: round(value, _DIGITS[name]) if name in _DIGITS else value
            for name, value in word.items()}


def _timed(row: Record) -> list[TimedWord]:
    if "words" not in row:
        raise UserError(f"{row['file']}: this system tells what was said, not when, for it "
                        "searches without a dictionary; ask a system that searches with one (its "
                        "track's features have 'dictionary: true'), or take --format text, csv "
                        "or json")
    # The last frame may reach behind the recording by a part of itself.
    return [TimedWord(word["word"], word["begin"], min(word["end"], row["seconds"]),
                      word.get("confidence")) for word in row["words"]]


def _ctm(rows: Sequence[Record]) -> str:
    return "".join(ctm(Path(row["file"]).stem, _timed(row)) for row in rows)


def _srt(rows: Sequence[Record]) -> str:
    (row,) = rows
    return srt(_timed(row))


def _textgrid(rows: Sequence[Record]) -> str:
    (row,) = rows
    return textgrid(_timed(row), row["seconds"])


FORMATS = {"ctm": FileFormat(".ctm", _ctm, joined=True), "srt": FileFormat(".srt", _srt),
           "textgrid": FileFormat(".TextGrid", _textgrid)}


def _front_end(spec: dict[str, Any]) -> LogMel | Mfcc:
    found: LogMel | Mfcc = TypeAdapter(FrontEnd).validate_python(spec["front_end"])
    return found
