"""Recordings of one's own: WAV, FLAC, OGG or MP3 of any rate and channel count, transcribed.

Channels are averaged and the recording is resampled to the rate that the system has learnt from;
from there on its frames are made as the features stage made those of the corpus. Each recording
is a speaker of its own, since nobody says who speaks in it. One of more than LONGEST seconds is
recognised in pieces, cut where nobody speaks (`pipeline/audio/silences.py`), and its answer put
together again; a line on standard error says so, and at how many edges a word may have been cut.

A system that searches with a dictionary knows when each word was said. Its predictions have,
beside `hypothesis`, the list `words` of objects with `word`, `begin` and `end` (seconds) and, where
it is known, `confidence`, a probability; without speech the list is empty. Such an answer can be
written as CTM, SRT and TextGrid (`pipeline/decoding/word_times.py`).
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from pipeline.audio.frames import write_frames
from pipeline.audio.front_end import FrontEnd, LogMel, Mfcc, audio_features, completed
from pipeline.audio.recordings import read_recording
from pipeline.audio.silences import Piece, cut, joined
from pipeline.decoding.word_times import TimedWord, ctm, srt, textgrid
from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.asr.features import by_speaker, by_utterance
from pipeline.tasks.contract import FileFormat, OwnFile, Record, Trained

TAKES = "a recording of speech: WAV, FLAC, OGG or MP3"
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
SHOWN = ("file", "hypothesis")
LONGEST = 30.0  # seconds that are heard at once: utterances of corpora are shorter
_DIGITS = {"begin": 3, "end": 3, "confidence": 6}


@dataclass(frozen=True)
class _Recording:
    """A recording in `pieces` of samples, and what has been recognised in the first ones."""

    pieces: Sequence[Piece]
    rate: int
    heard: list[Prediction] = field(default_factory=list)

    def answer(self) -> Prediction:
        """All pieces as one. Other hypotheses are those of a recording in one piece alone."""
        if len(self.pieces) == 1:
            return self.heard[0]
        text, words = joined(self.pieces, self.rate, [one["hypothesis"] for one in self.heard],
                             [one.get("words", []) for one in self.heard])
        times = {"words": words} if "words" in self.heard[0] else {}
        return {"hypothesis": text, **times}


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the frames of all files, an item for each piece of a recording.

    Raises UserError naming a file that is no audio.
    """
    front_end = _front_end(trained.spec)
    records: list[Record] = []
    # By number, since two recordings may have one name.
    speakers: list[str] = []

    def utterances() -> Iterator[NDArray[np.float32]]:
        for number, file in enumerate(files):
            samples = read_recording(file.path, front_end.sample_rate, front_end.dft_points,
                                     file.name)
            pieces = _pieces(samples, front_end, file.name)
            recording = _Recording(pieces, front_end.sample_rate)
            for piece in pieces:
                records.append({"file": file.name, "seconds": round(
                    len(samples) / front_end.sample_rate, 3), "recording": recording})
                speakers.append(str(number))
                frames = audio_features(front_end, samples[piece.begin : piece.end])
                yield by_utterance(completed(front_end, frames, file.name),
                                   trained.spec["normalise"])

    write_frames(folder, "test", utterances())
    by_speaker(folder, "test", speakers, trained.spec["normalise"])
    write_json(folder / "test.items.json",
               [{"id": record["file"], "speaker": speaker}
                for record, speaker in zip(records, speakers, strict=True)])
    return records


def _pieces(samples: NDArray[np.float32], front_end: LogMel | Mfcc, name: str) -> list[Piece]:
    """Where a recording is cut; standard error is told of more than one piece."""
    found = cut(samples, front_end.sample_rate, LONGEST)
    if len(found) == 1:
        return found
    anywhere = sum(not piece.in_pause for piece in found)
    risk = (f"; {anywhere} of the cuts had no pause to go through, and may have cost a word each"
            if anywhere else "")
    print(f"note: {name} is heard in {len(found)} pieces of at most {LONGEST:.0f} s, cut where "
          f"nobody speaks{risk}; a language model begins anew in each", file=sys.stderr)
    return found


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """The transcript, in the letters of the corpus that the system has learnt from.

    With its words and their times to the millisecond, and other hypotheses with their scores, if
    the system knows them. A recording is answered with its last piece.
    """
    recording: _Recording = item["recording"]
    recording.heard.append(prediction)
    if len(recording.heard) < len(recording.pieces):
        return
    answer = recording.answer()
    times = {"words": list(map(_rounded, answer["words"]))} if "words" in answer else {}
    others = {name: answer[name] for name in ("alternatives",) if name in answer}
    yield {"file": item["file"], "seconds": item["seconds"], "hypothesis": answer["hypothesis"],
           **times, **others}


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
