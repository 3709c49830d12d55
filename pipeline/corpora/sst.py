"""The Stanford Sentiment Treebank's sentences in five classes, and its embedded twin.

One sentence a line, `label ||| text`, with labels 0 (very negative) to 4 (very positive) and text
tokenised as the Penn Treebank is, slashes escaped (Socher et al. 2013, "Recursive Deep Models for
Semantic Compositionality Over a Sentiment Treebank"; this form is that of the course nn4nlp). In
the treebank every phrase of a sentence has a label too, from people who saw the phrase alone, and
published classifiers are mostly trained on all of them; `trees/train.txt` has them as
`(label (label word) (label word))`. The twin has the same three files with reviews of
`pipeline.corpora.twins.grammar.sentiment`; an inattentive annotator moves some labels to a
neighbouring class. Beside each file lies `<split>.notes.txt`: the label that the structure gives,
and `composed` or `simple`. Nobody labels the twin's phrases.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
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
_SOURCE = "https://raw.githubusercontent.com/neubig/nn4nlp-code/master/data"
_TREES = "trees/train.txt"
_TREE_PART = re.compile(r"\((?P<label>[0-4]) |\)| |(?P<word>[^() ]+)")

FILES = listing("sst", f"{_SOURCE}/classes", {
    "train.txt": (936994, "7aeac81f2a387f2ce7fab98ed8f40ef85cc9c8ad11bcbb63b122e95665cb1f35"),
    "dev.txt": (121643, "11963c76cd073e68006da0390620aadf5a4b8f775e2f900e92a50b3002e39b9b"),
    "test.txt": (242474, "bdcc8352d37bdc82113e4a4dd887b824144201539d5a1e49be566232d306a4ba"),
}) + listing("sst", _SOURCE, {
    _TREES: (2160058, "e2f3f41b0b1e6d4dddc0effe3bfc2d27ed8928079aa9a03d652311614fc5feb7"),
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
    """Write the three files, and beside them trees or the twin's notes, into `directory`."""
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


def phrases(directory: Path) -> list[LabelledSentence]:
    """The sentences of the training split and all phrases in them, words by themselves included.

    Each once, where it stands first: a phrase has one label wherever it stands. Raises UserError
    naming file and line for what is no tree of its sentence, and for the twin, which has no trees.
    """
    sentences = labelled(directory, "train")
    if sentences[0].group is not None:
        raise UserError(f"{directory}: nobody has labelled the phrases of the embedded twin; set "
                        "phrases: false in the features of its track")
    path = directory / _TREES
    lines = read_lines(path)
    if len(lines) != len(sentences):
        raise UserError(f"{path} has {len(lines)} lines, train.txt {len(sentences)}; fetch the "
                        "corpus again")
    found: dict[tuple[str, ...], LabelledSentence] = {}
    for number, (line, sentence) in enumerate(zip(lines, sentences, strict=True), start=1):
        place = f"{path}, line {number}"
        nodes = list(_nodes(line, place))
        if nodes[-1] != (sentence.label, tuple(sentence.words)):
            raise UserError(f"{place}: this is not the tree of the sentence in that line of "
                            "train.txt; fetch the corpus again")
        for node, (label, words) in enumerate(nodes, start=1):
            found.setdefault(words, replace(
                sentence, id=f"{sentence.id}-{node}", words=[*words], label=label, place=place))
    return list(found.values())


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


def _nodes(line: str, place: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Label and words of each node of a tree, those below it first: the sentence is the last."""
    words: list[str] = []
    opened: list[tuple[str, int]] = []  # label of a node, and number of the words before it
    end = 0
    for part in _TREE_PART.finditer(line):
        if part.start() != end or not opened and (end or not part["label"]):
            break
        end = part.end()
        if part["label"]:
            opened.append((part["label"], len(words)))
        elif part["word"]:
            words.append(part["word"])
        elif part[0] == ")":
            label, start = opened.pop()
            if start == len(words):
                break
            yield label, tuple(words[start:])
    if opened or end != len(line) or not words:
        raise UserError(f"{place}: expected a tree as '(3 (2 a) (3 film))', got {line[:60]!r}; "
                        "fetch the corpus again")
