"""The lists that stand beside audio in the layout of CMU Sphinx: who says what, and how it sounds.

SphinxTrain takes a control file (`.fileids`, a path below the audio's folder a line, without its
suffix), transcripts (`WORDS (ID)` a line, with marks of a sentence's ends and fillers in them), a
dictionary (`WORD PHONES` a line; a further pronunciation of a word is `WORD(2)`) and a list of
phones. Every reader raises UserError that names the file and the line.
"""

import re
from pathlib import Path

from pipeline.errors import UserError
from pipeline.storage.lines import read_lines
from pipeline.storage.words import trimmed, words_in

_TRANSCRIPT = re.compile(r"(?P<text>.*?)[ \t]*\((?P<id>[^()]+)\)")
# <s>, </s> and <sil> are silence, ++NOISE++ and its like what is heard beside words.
_FILLER = re.compile(r"<[^<> \t]*>|\+\+[^+ \t]*\+\+")
_VARIANT = re.compile(r"\([0-9]+\)$")


def read_names(path: Path) -> list[str]:
    """The paths of a control file, whose last parts, the utterances' ids, are all different."""
    names = read_lines(path)
    lines: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        identity = Path(name).name
        if (first := lines.setdefault(identity, number)) != number:
            raise UserError(f"{path}, line {number}: utterance {identity[:80]!r} stands in line "
                            f"{first} already; fetch the corpus again")
    return names


def read_transcripts(path: Path) -> dict[str, str]:
    """Text by utterance id, without marks of sentences and fillers."""
    texts: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(read_lines(path), start=1):
        match = _TRANSCRIPT.fullmatch(trimmed(line))
        text = " ".join(words_in(_FILLER.sub(" ", match["text"]))) if match else ""
        if match is None or not text:
            raise UserError(f"{path}, line {number}: expected words and an utterance's id in "
                            f"brackets, got {line[:80]!r}; fetch the corpus again")
        if (first := lines.setdefault(match["id"], number)) != number:
            raise UserError(f"{path}, line {number}: a second transcript of {match['id'][:80]!r}, "
                            f"which has one in line {first}; fetch the corpus again")
        texts[match["id"]] = text
    return texts


def read_phones(path: Path) -> list[str]:
    """The phones, one a line, all different."""
    phones = read_lines(path)
    for number, phone in enumerate(phones, start=1):
        if words_in(phone) != [phone] or phone in phones[: number - 1]:
            raise UserError(f"{path}, line {number}: expected one phone that stands in no line "
                            f"before, got {phone[:60]!r}; fetch the corpus again")
    return phones


def read_dictionary(path: Path, phones: list[str]) -> dict[str, list[list[str]]]:
    """The pronunciations of each word, all of `phones`, in the dictionary's order."""
    entries: dict[str, list[list[str]]] = {}
    for number, line in enumerate(read_lines(path), start=1):
        word, *pronunciation = words_in(line) or [""]
        if not pronunciation:
            raise UserError(f"{path}, line {number}: expected a word and its phones, got "
                            f"{line[:60]!r}; fetch the corpus again")
        for phone in pronunciation:
            if phone not in phones:
                raise UserError(f"{path}, line {number}: {phone[:60]!r} is none of the corpus's "
                                f"{len(phones)} phones; fetch the corpus again")
        entries.setdefault(_VARIANT.sub("", word), []).append(pronunciation)
    return entries
