"""Text to learn vectors of words from, and lists of words to test them with.

The text is the Penn Treebank's (`pipeline.corpora.twins.penn_text`), in lower case. The lists are
three of other publishers: the analogy questions of Mikolov et al. 2013 (questions-words.txt),
WordSim-353 (Finkelstein et al. 2002, relatedness) and SimLex-999 (Hill et al. 2015, similarity).
They make one corpus because a track has one: neither the text nor the lists alone can be learnt
from and tested with. Words of the lists are put into lower case, as the text is.

The twin has the text of the Penn Treebank's twin, questions-words.txt about the relations of its
grammar, and word-classes.txt: a line for each class, its name and words. People have rated no
pairs of its words, so it lacks the other two lists.
"""

import math
from pathlib import Path
from typing import Self

from pydantic import Field

from pipeline.corpora.fetching.files import fetch, listing
from pipeline.corpora.kinds import Analogy, RatedPair, WordTests
from pipeline.corpora.twins import penn_text
from pipeline.corpora.twins.grammar import word_classes
from pipeline.corpora.twins.penn_text import sentences
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.files import write_text
from pipeline.storage.lines import read_lines
from pipeline.storage.words import words_in

__all__ = ["FILES", "Settings", "TwinSettings", "prepare", "sentences", "word_tests"]

_SOURCE = "https://raw.githubusercontent.com/piskvorky/gensim/develop/gensim/test/test_data"
_QUESTIONS = "questions-words.txt"
_CLASSES = "word-classes.txt"
_RATED = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}

FILES = [*penn_text.FILES, *listing("word_eval", _SOURCE, {
    _QUESTIONS: (603955, "8c29b3332afc46f3fb8be04cb5297bf96f39aa7131272dff57869b4485b22a36"),
    "wordsim353.tsv": (7186, "f92a022fc2537793a15bc3a8c162ebcd74990e033a228bb6388cb71e4c0b1e1d"),
    "simlex999.txt": (18126, "d5e0501971478a511430ee880bd0121e94ac701ba86d90544d83e6d2ba3db05d"),
})]


class TwinSettings(penn_text.TwinSettings):
    """The Penn Treebank's twin, with `questions` analogies of each relation at most."""

    questions: int = Field(ge=1)

    def smallest(self) -> Self:
        return super().smallest().model_copy(update={"questions": 20})


class Settings(CorpusSettings):
    """Downloaded (`twin: null`) or generated."""

    twin: TwinSettings | None


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write text and lists into `directory`."""
    if settings.twin is None:
        fetch(FILES, directory, mirror)
        return
    penn_text.prepare(settings.twin, directory, None)
    questions = word_classes.questions(settings.twin.questions, settings.twin.seed)
    write_text(directory / _QUESTIONS, "".join(
        f": {relation}\n" + "".join(f"{' '.join(words)}\n" for words in found)
        for relation, found in questions.items()))
    write_text(directory / _CLASSES, "".join(
        f"{name} {' '.join(words)}\n" for name, words in word_classes.classes().items()))


def word_tests(directory: Path) -> WordTests:
    """The lists. Raises UserError naming file and line of what is not as its publisher ships it."""
    classes = directory / _CLASSES
    return WordTests(
        _classes(classes) if classes.exists() else {},
        _analogies(directory / _QUESTIONS),
        [pair for source, name in _RATED.items() if not classes.exists()
         for pair in _rated(source, directory / name)])


def _classes(path: Path) -> dict[str, list[str]]:
    found = {}
    for number, line in enumerate(read_lines(path), start=1):
        name, *words = words_in(line)
        if not words:
            raise _Unreadable(path, number, "a class and its words", line)
        found[name] = words
    return found


def _analogies(path: Path) -> list[Analogy]:
    found: dict[Analogy, int] = {}
    section = None
    for number, line in enumerate(read_lines(path), start=1):
        words = words_in(line.lower())
        if words[:1] == [":"] and len(words) == 2:
            section = words[1]
        elif section is not None and len(words) == 4:
            question = Analogy(section, *words)
            if (first := found.setdefault(question, number)) != number:
                raise UserError(f"{path}, line {number}: the question of line {first} stands there "
                                "again; remove a line")
        else:
            raise _Unreadable(path, number, "': section', then four words a line", line)
    return list(found)


def _rated(source: str, path: Path) -> list[RatedPair]:
    found = []
    for number, line in enumerate(read_lines(path), start=1):
        if line.startswith("#"):
            continue
        try:
            first, second, rating = line.split("\t")
            found.append(RatedPair(source, (first.lower(), second.lower()), _finite(rating)))
        except ValueError:
            raise _Unreadable(path, number, "two words and a number, apart by tabs",
                              line) from None
    return found


def _finite(rating: str) -> float:
    """Raises ValueError for what is no finite number."""
    value = float(rating)
    if not math.isfinite(value):
        raise ValueError(rating)
    return value


class _Unreadable(UserError):
    """A line of a list that is not as it should be."""

    def __init__(self, path: Path, number: int, expected: str, line: str) -> None:
        super().__init__(f"{path}, line {number}: expected {expected}, got {line!r}; fetch or "
                         "generate the corpus again")
