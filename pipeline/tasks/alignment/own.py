"""Recordings of one's own and what is said in them: when each word and phone is heard.

Recordings are WAV, FLAC, OGG or MP3 of any rate and channel count, and become frames as the
features stage makes those of the corpus. Each is a speaker of its own. Words are said as the
corpus's dictionary says first, others as CMU's does; a word may have punctuation around it. An
answer has a row a word, with its phones; what a search did not find of the text is left out of it.

TextGrids have a tier of words and one of phones; CTM has the words.
"""

import string
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from pipeline.audio.frames import write_frames
from pipeline.audio.front_end import FrontEnd, LogMel, Mfcc
from pipeline.audio.normalising import by_speaker
from pipeline.audio.phones import SILENCE
from pipeline.audio.pronouncing import Pronunciations, ways_to_say
from pipeline.audio.recordings import read_recording
from pipeline.audio.silences import HOP_SECONDS, SILENT, levels, pauses
from pipeline.audio.text_grids import Interval, text_grid
from pipeline.decoding.word_times import TimedWord, ctm
from pipeline.errors import UserError
from pipeline.storage.files import read_json, write_json
from pipeline.storage.predictions import Prediction
from pipeline.storage.words import words_in
from pipeline.tasks.alignment.features import LEXICON, frames_of_samples
from pipeline.tasks.alignment.shared.pairing import pairs
from pipeline.tasks.alignment.shared.spoken import Spoken, as_written
from pipeline.tasks.contract import FileFormat, OwnFile, Record, Trained

TAKES = "a recording of speech: WAV, FLAC, OGG or MP3"
NEEDS_TEXT = "the words that are said in it"
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
SHOWN = ("file", "begin", "end", "word")
LONGEST = 120.0  # seconds: the table of an alignment grows with the square of them
_DIGITS = 3


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the frames of all files and the phones of their texts, an item a file.

    Raises UserError naming a file that is no audio, has no text or no speech, is longer than
    LONGEST or too short for its text, and a word or phone that is not known.
    """
    front_end: LogMel | Mfcc = TypeAdapter(FrontEnd).validate_python(trained.spec["front_end"])
    lexicon: Pronunciations = read_json(trained.artefacts / LEXICON)
    records: list[Record] = []

    def utterances() -> Iterator[NDArray[np.float32]]:
        for file in files:
            spoken = _spoken(file, lexicon, trained.spec["phones"])
            samples = read_recording(file.path, front_end.sample_rate, front_end.dft_points,
                                     file.name)
            seconds = len(samples) / front_end.sample_rate
            _check_sound(samples, front_end.sample_rate, seconds, file.name)
            frames = frames_of_samples(samples, front_end, trained.spec["normalise"], file.name)
            _check_room(spoken, len(frames), seconds, file.name)
            records.append({"file": file.name, "seconds": seconds,
                            "frames": len(frames), "spoken": spoken})
            yield frames

    write_frames(folder, "test", utterances())
    speakers = [str(number) for number in range(len(records))]
    by_speaker(folder, "test", speakers, trained.spec["normalise"])
    write_json(folder / "test.items.json", [
        {"id": record["file"], "speaker": speaker, "text": " ".join(
            word for word, _, _ in record["spoken"].words),
         "phones": record["spoken"].phones, "words": record["spoken"].words,
         "frames": record["frames"], "seconds": record["seconds"]}
        for record, speaker in zip(records, speakers, strict=True)])
    return records


def _spoken(file: OwnFile, lexicon: Pronunciations, known: Sequence[str]) -> Spoken:
    """The phones of a file's text between two silences."""
    remedy = "give it by --text, by --texts, or in a .txt beside the recording"
    if file.text is None:
        raise UserError(f"{file.name}: nobody says what is said in it; {remedy}")
    ways: dict[str, list[list[str]]] = {}
    words: list[str] = []
    for given in words_in(file.text):
        word, found = _way_to_say(given, lexicon)
        if not word:
            continue
        if not found:
            raise UserError(f"{file.name}: its text has the word {given[:60]!r}, which neither the "
                            "dictionary of the corpus nor CMU's has; spell it as others that "
                            "sound alike (numbers in words)")
        if strange := next((phone for phone in found[0] if phone not in known), None):
            raise UserError(f"{file.name}: the word {given[:60]!r} has the sound {strange}, which "
                            "the system never heard; ask one that has learnt from more speech")
        ways[word] = found
        words.append(word)
    if not words:
        raise UserError(f"{file.name}: its text has no word; {remedy}")
    return as_written(" ".join(words), ways)


def _way_to_say(given: str, lexicon: Pronunciations) -> tuple[str, list[list[str]]]:
    """A word without what punctuation stands around it, and how it is said."""
    if found := ways_to_say(given, lexicon):
        return given, found
    # An apostrophe may be a part of a word ('em), so it is taken off last.
    for marks in (string.punctuation.replace("'", "") + "“”‘’…–—«»", string.punctuation):
        word = given.replace("’", "'").strip(marks)
        if not word or (found := ways_to_say(word, lexicon)):
            break
    return word, found


def _check_sound(samples: NDArray[np.float32], rate: int, seconds: float, name: str) -> None:
    if seconds > LONGEST:
        raise UserError(f"{name}: {seconds:.0f} s; give recordings of at most {LONGEST:.0f} s, "
                        "each with its own text")
    if pauses(levels(samples, max(1, round(rate * HOP_SECONDS))), HOP_SECONDS).all():
        raise UserError(f"{name}: nobody speaks in it, for nothing is louder than {SILENT:.0f} dB "
                        "below full scale; give a recording of speech")


def _check_room(spoken: Spoken, frames: int, seconds: float, name: str) -> None:
    # Equal neighbours are told apart by a frame of something else.
    wanted = len(spoken.phones) + sum(one == other for one, other in pairwise(spoken.phones))
    if wanted > frames:
        raise UserError(f"{name}: the {len(spoken.phones)} sounds of its text do not fit in "
                        f"{seconds:.2f} s; see whether it is the text of another recording")


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """Of each word when it begins and ends, with its phones, to the millisecond.

    Raises UserError where the answer has none of the words, as a search that is not told the text
    may have.
    """
    spoken: Spoken = item["spoken"]
    phones, begins = prediction["phones"], prediction["begins"]
    ends = [*begins[1:], item["seconds"]]
    found = pairs(spoken.phones, phones)
    heard = False
    for word, first, count in spoken.words:
        own = [found[place] for place in range(first, first + count) if place in found]
        if not own:
            continue
        heard = True
        yield {"file": item["file"], "seconds": round(item["seconds"], _DIGITS), "word": word,
               "begin": round(begins[own[0]], _DIGITS), "end": round(ends[own[-1]], _DIGITS),
               "phones": [{"phone": phones[place], "begin": round(begins[place], _DIGITS),
                           "end": round(ends[place], _DIGITS)}
                          for place in range(own[0], own[-1] + 1) if phones[place] != SILENCE]}
    if not heard:
        raise UserError(f"{item['file']}: none of the words of its text was heard; ask for a "
                        "variant that is told them, 'constrained' for one")


def _timed(rows: Sequence[Mapping[str, Any]]) -> list[TimedWord]:
    return [TimedWord(row["word"], row["begin"], row["end"]) for row in rows]


def _ctm(rows: Sequence[Record]) -> str:
    return ctm(Path(rows[0]["file"]).stem, _timed(rows))


def _textgrid(rows: Sequence[Record]) -> str:
    words = [Interval(row["word"], row["begin"], row["end"]) for row in rows]
    phones = [Interval(phone["phone"], phone["begin"], phone["end"])
              for row in rows for phone in row["phones"]]
    return text_grid([("words", words), ("phones", phones)], rows[0]["seconds"])


FORMATS = {"ctm": FileFormat(".ctm", _ctm, joined=True),
           "textgrid": FileFormat(".TextGrid", _textgrid)}
