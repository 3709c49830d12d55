"""Features of a sentence-classification track: vocabulary, sentences as word ids, label ids.

The vocabulary and the labels are those of the training split's sentences, also where its phrases
are learnt from, so what is tested does not depend on that. `fit/` gets training and validation
sentences, `test/` the test sentences as ids, everything readable in `items.json` (id, text, label,
group, and how many facts stand before a question), the labels that a system can give in
`labels.json`, and the accuracy of the generating process where there is one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
from pydantic import Field

from pipeline.corpora.kinds import LabelledSentence
from pipeline.entries import FeatureSettings
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import write_clusters
from pipeline.storage.arrays import write_array
from pipeline.storage.files import write_json
from pipeline.storage.sequences import write_sequences

UNKNOWN = "<unk>"
_POLARITY = {"0": "negative", "1": "negative", "3": "positive", "4": "positive"}


class Settings(FeatureSettings):
    """The `features` of a sentence-classification track."""

    READS = ("labelled", "ceiling")

    min_count: int = Field(ge=1, description="rarer words of the training split become <unk>")
    lowercase: bool
    classes: Literal["all", "polarity"] = Field(
        description="polarity: five classes of sentiment become two, neutral sentences go")
    phrases: bool = Field(description="learn from every labelled phrase of the training sentences "
                                      "too, where the corpus labels these")

    def reads(self) -> tuple[str, ...]:
        return (*self.READS, *(["phrases"] if self.phrases else []))


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError naming a sentence that cannot be used."""
    splits = {split: prepared(settings, reader.labelled(corpus, split))
              for split in ("train", "valid", "test")}
    for split, sentences in splits.items():
        if not sentences:
            raise UserError(f"{corpus}: split {split!r} has no sentences; fetch or generate the "
                            "corpus again")
    words = vocabulary((item.words for item in splits["train"]), settings.min_count)
    if settings.phrases:
        splits["train"] = prepared(settings, reader.phrases(corpus))
    labels = sorted({item.label for item in splits["train"]})
    write_json(fit / "spec.json", {"words": words, "labels": labels,
                                   "lowercase": settings.lowercase,
                                   "stories": hasattr(reader, "questions")})
    for split, directory in (("train", fit), ("valid", fit), ("test", test)):
        _write(directory, split, splits[split], words, labels)
    write_json(test / "labels.json", labels)
    write_json(test / "items.json", [
        {"id": item.id, "text": " ".join(item.words), "label": item.label, "group": item.group,
         "facts": item.facts} for item in splits["test"]])
    write_clusters(test, {item.id: item.cluster for item in splits["test"]})
    ceiling = reader.ceiling(corpus, "test") if settings.classes == "all" else None
    write_json(test / "ceiling.json", {} if ceiling is None else {"accuracy": ceiling})


def prepared(settings: Settings, sentences: Sequence[LabelledSentence]) -> list[LabelledSentence]:
    """The sentences that the track uses, with their words and labels as it wants them."""
    for item in sentences:
        if not item.words:
            raise UserError(f"{item.place or item.id}: the sentence is empty; remove it from the "
                            "corpus")
    sentences = [replace(item, words=spelt(item.words, settings.lowercase))
                 for item in sentences]
    if settings.classes == "polarity":
        return [replace(item, label=_POLARITY[item.label]) for item in sentences
                if item.label in _POLARITY]
    return list(sentences)


def spelt(words: Sequence[str], lowercase: bool) -> list[str]:
    """Words as the vocabulary spells them."""
    return [word.lower() if lowercase else word for word in words]


def encode(sentences: Sequence[Sequence[str]], words: Sequence[str]) -> list[list[int]]:
    """Sentences as numbers of the vocabulary `words`; other words become <unk>."""
    numbers = {word: number for number, word in enumerate(words)}
    return [[numbers.get(word, numbers[UNKNOWN]) for word in sentence] for sentence in sentences]


def vocabulary(sentences: Iterable[Sequence[str]], min_count: int) -> list[str]:
    """<unk> and the words seen `min_count` times or more, by falling frequency, then spelling."""
    counts = Counter(word for words in sentences for word in words)
    del counts[UNKNOWN]
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [UNKNOWN, *(word for word, count in ranked if count >= min_count)]


def _write(directory: Path, split: str, sentences: Sequence[LabelledSentence],
           words: Sequence[str], labels: Sequence[str]) -> None:
    label_ids = {label: identity for identity, label in enumerate(labels)}
    for item in sentences:
        if item.label not in label_ids:
            raise UserError(f"{item.place or item.id}: the label is {item.label[:60]!r}, which no "
                            f"training sentence has ({', '.join(labels)[:200]}); mend or remove it")
    write_sequences(directory, split, encode([item.words for item in sentences], words))
    write_array(directory / f"{split}.labels.npy",
                np.array([label_ids[item.label] for item in sentences], np.int64))
