"""bAbI question answering with one, two and three supporting facts, generated in its file format.

The format (Weston et al. 2015): numbered lines, a fact or `question TAB answer TAB numbers of the
supporting facts`; a line number 1 begins a new story. Files are named as in the release's
`en-valid`: `qa1_train.txt`, `qa1_valid.txt`, `qa1_test.txt`, and so on for each task. The stories
are drawn by `pipeline.corpora.twins.babi_stories`, so nothing is downloaded, and no question of
one split, with the facts before it, is in another.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal, Self

from pydantic import Field

from pipeline.corpora.kinds import LabelledSentence
from pipeline.corpora.twins.babi_stories import (
    OBJECTS,
    PEOPLE,
    PLACES,
    Cast,
    Line,
    Question,
    stories,
)
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.files import write_text
from pipeline.storage.lines import read_lines
from pipeline.storage.words import is_blank, trimmed, words_in

Split = Literal["train", "valid", "test"]

GROUPS = {1: "one", 2: "two", 3: "three"}
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Settings(CorpusSettings):
    """Questions of each task and split, and how large the world is."""

    seed: int = Field(ge=0)
    train: int = Field(ge=1)
    valid: int = Field(ge=1)
    test: int = Field(ge=1)
    people: int = Field(ge=2, le=len(PEOPLE))
    places: int = Field(ge=2, le=len(PLACES))
    objects: int = Field(ge=1, le=len(OBJECTS))
    facts: int = Field(ge=4, le=100, description="facts of a whole story")

    def smallest(self) -> Self:
        return self.model_copy(update={"train": 30, "valid": 10, "test": 10})


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the nine files into `directory`. Raises UserError for a world too small for them."""
    cast = Cast(settings.people, settings.places, settings.objects, settings.facts)
    for kind in GROUPS:
        told = stories(kind, cast, Random(f"{kind} {settings.seed}"))
        seen: set[str] = set()
        for split, size in (("train", settings.train), ("valid", settings.valid),
                            ("test", settings.test)):
            drawn = _draw(told, size, seen)
            seen.update(item for story in drawn for item in _items(story))
            write_text(_path(directory, kind, split), "".join(
                f"{line}\n" for story in drawn for line in _written(story)))


def labelled(directory: Path, split: Split) -> list[LabelledSentence]:
    """Every question of a split: words of the story's facts so far and of the question, answer.

    Punctuation marks are words of their own; `group` is the number of supporting facts (`GROUPS`),
    and a cluster the questions of one story.
    Raises UserError naming file and line for a line that breaks the format.
    """
    return [item for kind in GROUPS for item in _read(_path(directory, kind, split))]


def ceiling(directory: Path, split: Split) -> float:
    """Accuracy of who reads well, in percent: the facts determine every answer."""
    return 100.0


def _draw(told: Iterator[list[Line]], size: int, seen: set[str]) -> list[list[Line]]:
    """Stories with `size` questions in all, none of which is in `seen` with the facts before it."""
    drawn: list[list[Line]] = []
    refused = 0
    while size > 0:
        story = next(told)
        if not seen.isdisjoint(_items(story)):
            refused += 1
            if refused > 1000 + 10 * len(drawn):
                raise UserError("a world of so few people, places and facts has too few stories: "
                                "enlarge it or ask for fewer questions")
            continue
        places = [number for number, line in enumerate(story, 1) if isinstance(line, Question)]
        drawn.append(story[: places[:size][-1]])
        size -= len(places)
    return drawn


def _items(story: list[Line]) -> Iterator[str]:
    """Each question with the facts before it."""
    facts: list[str] = []
    for line in story:
        if isinstance(line, Question):
            yield " ".join([*facts, line.text])
        else:
            facts.append(line)


def _written(story: list[Line]) -> Iterator[str]:
    """Lines as the release has them, with its blank between question and tab."""
    for number, line in enumerate(story, start=1):
        if isinstance(line, Question):
            facts = " ".join(map(str, line.facts))
            yield f"{number} {line.text} \t{line.answer}\t{facts}"
        else:
            yield f"{number} {line}"


def _path(directory: Path, kind: int, split: str) -> Path:
    return directory / f"qa{kind}_{split}.txt"


@dataclass(frozen=True)
class Asked:
    """A question, the story's `facts` before it by their numbers, and what stands after its tabs.

    `line` is the number of its line in the file, `story` that of its story (from 1), and `where`
    the place for an error.
    """

    line: int
    story: int
    where: str
    text: str
    facts: dict[int, list[str]]
    answer: list[str]

    @property
    def words(self) -> list[str]:
        """Those of the facts and of the question, punctuation marks among them."""
        return [word for fact in [*self.facts.values(), _TOKEN.findall(self.text)]
                for word in fact]


def questions(lines: Sequence[str], name: str) -> Iterator[Asked]:
    """The questions of the file that is called `name`: lines with a tab, or that end in `?`.

    A question may leave out what stands after its tabs. Raises UserError naming the line that
    breaks the format.
    """
    facts: dict[int, list[str]] = {}
    last = story = 0
    for place, line in enumerate(lines, start=1):
        where = f"{name}, line {place}"
        number, text, answer = _parsed(where, line)
        if number != 1 and number != last + 1:
            raise UserError(f"{where}: expected number {last + 1}, or 1 for a new story, got "
                            f"{number}; mend the file")
        if number == 1:
            facts, story = {}, story + 1
        last = number
        words = _TOKEN.findall(text)
        if not words:
            raise UserError(f"{where}: the line has no words; mend the file")
        if answer or words[-1] == "?":
            yield Asked(place, story, where, trimmed(text), dict(facts), answer)
        else:
            facts[number] = words


def _read(path: Path) -> list[LabelledSentence]:
    found: list[LabelledSentence] = []
    for asked in questions(read_lines(path), str(path)):
        if len(asked.answer) != 2 or is_blank(asked.answer[0]):
            raise UserError(f"{asked.where}: expected question, answer and supporting facts with "
                            f"tabs between, got {asked.text[:60]!r}; mend the file")
        found.append(LabelledSentence(
            f"{path.stem}-{len(found) + 1:05d}", asked.words, asked.answer[0],
            _group(asked.where, asked.answer[1], asked.facts), asked.where, len(asked.facts),
            cluster=f"{path.stem}-story-{asked.story:05d}"))
    if not found:
        raise UserError(f"{path} has no question; generate the corpus again")
    return found


def _parsed(where: str, line: str) -> tuple[int, str, list[str]]:
    """Number, text, and what a question has after it: answer and supporting facts."""
    number, _, rest = line.partition(" ")
    if not number.isdecimal():
        raise UserError(f"{where}: expected a line number first, got {line[:60]!r}; mend the file")
    text, *answer = rest.split("\t")
    return int(number), text, answer


def _group(where: str, supporting: str, facts: Iterable[int]) -> str | None:
    """How many facts the answer takes; each must be a fact of the story so far."""
    numbers = words_in(supporting)
    unknown = [number for number in numbers
               if not number.isdecimal() or int(number) not in facts]
    if unknown or not numbers:
        raise UserError(f"{where}: {unknown[0] if unknown else 'nothing'!r} is no fact of the "
                        "story so far; mend the supporting facts")
    return GROUPS.get(len(numbers))
