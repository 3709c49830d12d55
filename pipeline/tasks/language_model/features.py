"""Features of a language-model track: a vocabulary, and texts as streams of ids.

A text is cut into words, each sentence closed by <eos>, or into characters, each line closed by
its newline. The vocabulary is that of the training text. `fit/` gets training and validation text,
`test/` the test text, its items, and the score of the generating process where there is one.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from pydantic import Field

from pipeline.corpora.kinds import Line, Sentence
from pipeline.entries import FeatureSettings
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import write_clusters
from pipeline.storage.files import write_json
from pipeline.tasks.language_model.shared.items import Item, write_items
from pipeline.tasks.language_model.shared.stream import END, UNKNOWN, Stream, Unit


class Settings(FeatureSettings):
    """The `features` of a language-model track."""

    unit: Unit = Field(description="what a text is cut into, and what is predicted")
    min_count: int = Field(ge=1, description="rarer units of the training text become <unk>")

    def reads(self) -> tuple[str, ...]:
        return ("sentences",) if self.unit == "word" else ("lines",)


@dataclass(frozen=True)
class Passage:
    """A sentence or line: its units with the end, and what the corpus knows of it."""

    id: str
    units: list[str]
    marked: list[int]
    log_probability: float | None
    cluster: str


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError for a text that cannot be a stream."""
    texts = {split: _passages(settings.unit, corpus, reader, split)
             for split in ("train", "valid", "test")}
    units = vocabulary((passage.units for passage in texts["train"]), settings.min_count,
                       END[settings.unit])
    write_json(fit / "spec.json", {"unit": settings.unit, "vocabulary": units})
    for split, directory in (("train", fit), ("valid", fit), ("test", test)):
        encode([passage.units for passage in texts[split]], units).write(directory, split)
    write_items(test, settings.unit,
                [Item(passage.id, len(passage.units), passage.marked) for passage in texts["test"]])
    write_clusters(test, {passage.id: passage.cluster for passage in texts["test"]})
    write_json(test / "ceiling.json", _ceiling(settings.unit, texts["test"]))


def vocabulary(texts: Iterable[Sequence[str]], min_count: int, end: str) -> list[str]:
    """<unk>, the end and the units seen `min_count` times or more, by falling frequency.

    The two stand first; equally frequent units follow in code-point order.
    """
    counts = Counter(unit for units in texts for unit in units)
    del counts[UNKNOWN], counts[end]
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [UNKNOWN, end, *(unit for unit, count in ranked if count >= min_count)]


def encode(texts: Sequence[Sequence[str]], units: Sequence[str]) -> Stream:
    """Texts laid end to end as ids; units outside the vocabulary become <unk>."""
    ids = {unit: identity for identity, unit in enumerate(units)}
    tokens = [ids.get(unit, ids[UNKNOWN]) for text in texts for unit in text]
    return Stream(np.array(tokens, np.int32), np.array([len(text) for text in texts], np.int32))


def _passages(unit: Unit, corpus: Path, reader: ModuleType, split: str) -> list[Passage]:
    cuts: dict[Unit, tuple[str, Callable[[Path, str, Any], Passage]]] = {
        "word": ("sentences", _from_sentence), "character": ("lines", _from_line)}
    kind, cut = cuts[unit]
    found = getattr(reader, kind)(corpus, split)
    if not found:
        raise UserError(f"{corpus}: split {split!r} has no {kind}; fetch or generate the corpus "
                        "again")
    return [cut(corpus, split, item) for item in found]


def closed(words: Sequence[str], place: str) -> list[str]:
    """A sentence with its end. Raises UserError naming its `place` when it holds one already."""
    if END["word"] in words:
        raise UserError(f"{place} holds the word {END['word']}, which closes every sentence by "
                        "itself; remove it from the text")
    return [*words, END["word"]]


def _from_sentence(corpus: Path, split: str, sentence: Sentence) -> Passage:
    units = closed(sentence.words,
                   sentence.place or f"{corpus}: sentence {sentence.id} of {split!r}")
    marked = [place for place, mark in enumerate(sentence.marked or []) if mark]
    return Passage(sentence.id, units, marked, sentence.log_probability, sentence.cluster)


def _from_line(corpus: Path, split: str, line: Line) -> Passage:
    if not line.text or END["character"] in line.text[:-1]:
        raise UserError(f"{corpus}: line {line.id} of {split!r} is empty or holds a newline "
                        "before its end; the reader gives one line at a time")
    return Passage(line.id, list(line.text), line.marked, line.log_probability, line.cluster)


def _ceiling(unit: Unit, passages: Sequence[Passage]) -> dict[str, float]:
    """The generating process's score, {} where its probabilities are not known."""
    logs = [passage.log_probability for passage in passages
            if passage.log_probability is not None]
    if len(logs) < len(passages):
        return {}
    nats = -math.fsum(logs) / sum(len(passage.units) for passage in passages)
    if unit == "word":
        return {"perplexity": math.exp(nats)}
    return {"bits_per_character": nats / math.log(2)}
