"""The Stanford Sentiment Treebank's sentences in five classes, and its embedded twin.

One sentence a line, `label ||| text`, with labels 0 (very negative) to 4 (very positive) and text
tokenised as the Penn Treebank is, slashes escaped (Socher et al. 2013, "Recursive Deep Models for
Semantic Compositionality Over a Sentiment Treebank"; this form, without the labels of phrases, is
that of the course nn4nlp). The twin has the same three files with reviews of
`pipeline.corpora.twins.grammar.sentiment`; an inattentive annotator moves some labels to a
neighbouring class. Beside each file lies `<split>.notes.txt`: the label that the structure gives,
and `composed` or `simple`.
"""

from pathlib import Path
from random import Random
from typing import Literal, Self

from pydantic import Field

from pipeline.corpora.fetching.files import fetch, listing
from pipeline.corpora.kinds import LabelledSentence
from pipeline.corpora.twins.grammar import sentiment
from pipeline.entries import CorpusSettings, Twin
from pipeline.errors import UserError
from pipeline.storage.files import write_text
from pipeline.storage.lines import read_lines
from pipeline.storage.words import words_in

Split = Literal["train", "valid", "test"]

LABELS = ("0", "1", "2", "3", "4")
GROUPS = ("simple", "composed")
_NAMES = {"train": "train", "valid": "dev", "test": "test"}
_SEPARATOR = " ||| "
_SOURCE = "https://raw.githubusercontent.com/neubig/nn4nlp-code/master/data/classes"

FILES = listing("sst", _SOURCE, {
    "train.txt": (936994, "7aeac81f2a387f2ce7fab98ed8f40ef85cc9c8ad11bcbb63b122e95665cb1f35"),
    "dev.txt": (121643, "11963c76cd073e68006da0390620aadf5a4b8f775e2f900e92a50b3002e39b9b"),
    "test.txt": (242474, "bdcc8352d37bdc82113e4a4dd887b824144201539d5a1e49be566232d306a4ba"),
})


class TwinSettings(Twin):
    """The embedded twin: different sentences of each split, drawn in this order from one seed."""

    seed: int = Field(ge=0)
    train: int = Field(ge=1)
    valid: int = Field(ge=1)
    test: int = Field(ge=1)
    noise: float = Field(ge=0, lt=0.5, description="share of labels moved to a neighbouring class")

    def smallest(self) -> Self:
        return self.model_copy(update={"train": 80, "valid": 20, "test": 20})


class Settings(CorpusSettings):
    """Downloaded (`twin: null`) or generated."""

    twin: TwinSettings | None


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the three files, and the twin's notes beside them, into `directory`."""
    if settings.twin is None:
        fetch(FILES, directory, mirror)
        return
    twin = settings.twin
    sizes = {"train": twin.train, "valid": twin.valid, "test": twin.test}
    reviews = iter(sentiment.generate(sum(sizes.values()), twin.seed))
    random = Random(f"annotator {twin.seed}")
    for split, size in sizes.items():
        _write(directory, split, [next(reviews) for _ in range(size)], twin.noise, random)


def labelled(directory: Path, split: Split) -> list[LabelledSentence]:
    """The sentences of a split with their labels; the twin's are in the groups of `GROUPS`.

    Raises UserError naming file and line for a line of another form, an unknown label, an empty
    sentence and notes that do not line up.
    """
    path = directory / f"{_NAMES[split]}.txt"
    found = [_parsed(path, number, line) for number, line in enumerate(read_lines(path), start=1)]
    noted: list[str | None] = [group for _, group in _notes(directory, split, len(found))]
    groups = noted or [None] * len(found)
    ids = [f"{split}-{number:05d}" for number in range(1, len(found) + 1)]
    return [LabelledSentence(identity, words, label, group, f"{path}, line {number}",
                             cluster=identity)
            for number, (identity, (label, words), group) in enumerate(
                zip(ids, found, groups, strict=True), start=1)]


def ceiling(directory: Path, split: Split) -> float | None:
    """Accuracy of the labels that structure gives, in percent; None for a real corpus."""
    found = labelled(directory, split)
    notes = _notes(directory, split, len(found))
    if not notes:
        return None
    return 100 * sum(item.label == label
                     for item, (label, _) in zip(found, notes, strict=True)) / len(found)


def _write(directory: Path, split: str, reviews: list[sentiment.Review], noise: float,
           random: Random) -> None:
    lines, notes = [], []
    for review in reviews:
        true = sentiment.VALUES.index(review.value)
        moved = random.choice([true - 1, true + 1]) if random.random() < noise else true
        heard = moved if 0 <= moved < len(LABELS) else 2 * true - moved
        lines.append(f"{LABELS[heard]}{_SEPARATOR}{' '.join(review.words)}\n")
        notes.append(f"{LABELS[true]} {GROUPS[review.composed]}\n")
    write_text(directory / f"{_NAMES[split]}.txt", "".join(lines))
    write_text(_notes_path(directory, split), "".join(notes))


def _notes_path(directory: Path, split: str) -> Path:
    return directory / f"{_NAMES[split]}.notes.txt"


def _notes(directory: Path, split: str, count: int) -> list[tuple[str, str]]:
    """(true label, group) of each sentence of the twin; nothing for a real corpus."""
    path = _notes_path(directory, split)
    if not path.exists():
        return []
    notes = []
    for number, line in enumerate(read_lines(path), start=1):
        label, _, group = line.partition(" ")
        if label not in LABELS or group not in GROUPS:
            raise UserError(f"{path}, line {number}: expected a label and one of "
                            f"{', '.join(GROUPS)}, got {line!r}; generate the corpus again")
        notes.append((label, group))
    if len(notes) != count:
        raise UserError(f"{path} has {len(notes)} lines, {_NAMES[split]}.txt {count}; generate "
                        "the corpus again")
    return notes


def _parsed(path: Path, number: int, line: str) -> tuple[str, list[str]]:
    """Label and words of a line."""
    label, separator, text = line.partition(_SEPARATOR)
    if not separator:
        raise UserError(f"{path}, line {number}: expected 'label ||| text', got {line[:60]!r}; "
                        "mend or remove the line")
    if label not in LABELS:
        raise UserError(f"{path}, line {number}: expected a label from {LABELS[0]} to "
                        f"{LABELS[-1]}, got {label!r}; mend or remove the line")
    words = words_in(text)
    if not words:
        raise UserError(f"{path}, line {number}: the sentence is empty; remove the line")
    return label, words
