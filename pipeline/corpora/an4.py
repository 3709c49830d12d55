"""AN4 (CMU Census): spelled words, numbers and commands, as Sphinx MFCC files.

948 training and 130 test utterances of 84 speakers, recorded at CMU about 1991 (Acero, Acoustical
and Environmental Robustness in Automatic Speech Recognition, Kluwer 1993). The recogniser's
features are the publisher's: 13 mel cepstra at 100 frames a second (16 kHz, 40 filters from 130 to
6,800 Hz, 512-point FFT), in files of a big-endian int32 count and as many float32.

AN4 has no validation set: `valid` is the utterances of eight training speakers, every ninth in
alphabetical order, so that nobody is heard in two splits.
"""

import re
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.fetching.files import RemoteFile, obtain, unpack
from pipeline.corpora.kinds import Utterance
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.lines import read_lines
from pipeline.storage.names import file_in
from pipeline.storage.words import trimmed, words_in

COEFFICIENTS = 13
VALID_SPEAKERS = frozenset({"ffmm", "fmjd", "mblw", "mdmc", "mjbh", "mmaf", "mrab", "msmn"})

FILES = [RemoteFile(
    path="an4-mfcc.tar.gz", mirror="an4/an4-mfcc.tar.gz", url=None, size=14_137_712,
    unpacked=15_163_645,
    sha256="38769a69097d2960dbe39cae0c59806a73df5a0654398fc8afa367dddab02a39")]

_LINE = re.compile(r"(?P<text>.*?)[ \t]*\((?P<id>[^()]+)\)")
_FILLER = re.compile(r"<[^<> \t]*>|\+\+[^+ \t]*\+\+")


class Settings(CorpusSettings):
    """AN4 has no options."""


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Unpack AN4 below `directory`."""
    for file in FILES:
        unpack(obtain(file, mirror), directory, file.unpacked)


def utterances(directory: Path, split: Literal["train", "valid", "test"]) -> list[Utterance]:
    """The utterances of a split, sorted by id; `path` is an MFCC file.

    Raises UserError naming file and line when the lists disagree or features are missing.
    """
    source = "test" if split == "test" else "train"
    names = _names(_etc(directory) / f"an4_{source}.fileids")
    texts = _transcripts(_etc(directory) / f"an4_{source}.transcription")
    if len(names) != len(texts):
        raise UserError(f"{_etc(directory)}: an4_{source}.fileids lists {len(names)} utterances, "
                        f"an4_{source}.transcription {len(texts)}; fetch the corpus again")
    found = [_utterance(directory, name, texts) for name in names]
    if split != "test":
        found = [item for item in found if (item.speaker in VALID_SPEAKERS) == (split == "valid")]
    return sorted(found, key=lambda item: item.id)


def features(path: Path) -> NDArray[np.float32]:
    """MFCC of an utterance, shape [frames, 13], 100 frames a second.

    Raises UserError when the file is short, long, empty or holds values that are not numbers.
    """
    content = path.read_bytes()
    if len(content) < 4:
        raise UserError(f"{path}: {len(content)} bytes are too few for a Sphinx feature file")
    count = int.from_bytes(content[:4], "big", signed=True)
    if count <= 0 or count % COEFFICIENTS or len(content) != 4 + 4 * count:
        raise UserError(f"{path}: the header counts {count} values, the file holds "
                        f"{(len(content) - 4) / 4:g}, and a frame has {COEFFICIENTS}; the file is "
                        "damaged: fetch the corpus again")
    values = np.frombuffer(content, ">f4", offset=4).astype(np.float32)
    if not np.isfinite(values).all():
        raise UserError(f"{path}: value {int(np.argmin(np.isfinite(values)))} is not a number; "
                        "the file is damaged: fetch the corpus again")
    return values.reshape(-1, COEFFICIENTS)


def phones(directory: Path) -> list[str]:
    """The 34 phones, SIL among them."""
    return read_lines(_etc(directory) / "an4.phone")


def lexicon(directory: Path) -> dict[str, list[list[str]]]:
    """The pronunciations of each word, in the dictionary's order."""
    entries: dict[str, list[list[str]]] = {}
    path = _etc(directory) / "an4.dic"
    for number, line in enumerate(read_lines(path), start=1):
        word, *pronunciation = words_in(line) or [""]
        if not pronunciation:
            raise UserError(f"{path}, line {number}: expected a word and its phones, got "
                            f"{line[:60]!r}; fetch the corpus again")
        entries.setdefault(re.sub(r"\([0-9]+\)$", "", word), []).append(pronunciation)
    return entries


def _etc(directory: Path) -> Path:
    return directory / "an4" / "etc"


def _names(path: Path) -> list[str]:
    """The paths of a list, none of which names an utterance a second time."""
    names = read_lines(path)
    lines: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        identity = Path(name).name
        if (first := lines.setdefault(identity, number)) != number:
            raise UserError(f"{path}, line {number}: utterance {identity[:80]!r} stands in line "
                            f"{first} already; fetch the corpus again")
    return names


def _transcripts(path: Path) -> dict[str, str]:
    """Text by utterance id, without sentence marks and fillers."""
    texts: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(read_lines(path), start=1):
        match = _LINE.fullmatch(trimmed(line))
        text = " ".join(words_in(_FILLER.sub(" ", match["text"]))) if match else ""
        if match is None or not text:
            raise UserError(f"{path}, line {number}: expected words and an utterance's id in "
                            f"brackets, got {line!r}; fetch the corpus again")
        if (first := lines.setdefault(match["id"], number)) != number:
            raise UserError(f"{path}, line {number}: a second transcript of {match['id']!r}, which "
                            f"has one in line {first}; fetch the corpus again")
        texts[match["id"]] = text
    return texts


def _utterance(directory: Path, name: str, texts: dict[str, str]) -> Utterance:
    """The utterance of a line of .fileids, `an4_clstk/SPEAKER/ID`."""
    folder = directory / "an4" / "feat"
    path = file_in(folder, f"{name}.mfc", str(_etc(directory)))
    stem = Path(name).name
    if stem not in texts:
        raise UserError(f"{folder}: features of {name[:80]!r} without a transcript; fetch the "
                        "corpus again")
    if path is None:
        raise UserError(f"{folder}: {name[:80]}.mfc does not exist but has a transcript; fetch "
                        "the corpus again")
    return Utterance(stem, path.parent.name, path, texts[stem])
