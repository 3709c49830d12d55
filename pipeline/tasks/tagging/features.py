"""Features of a tagging track: words as numbers, tags of the training text as numbers.

Everything that a system may learn comes from the training split. `fit/` gets training and
validation sentences with their tags; `test/` gets the test words, in `items.json` each
sentence's tags and which of its words training has seen, and in `tags.json` the tags of training,
which are those that a system can give. A tag that training never saw has no
number: in validation its words are left out of the loss, in the test it counts as an error.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Literal

from pydantic import Field

from pipeline.corpora.kinds import TaggedSentence
from pipeline.entries import FeatureSettings
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import write_clusters
from pipeline.storage.files import write_json
from pipeline.tasks.tagging.shared.text import NO_TAG, Text

SPLITS = {"train": "train", "valid": "dev", "test": "test"}
CERTAIN = {"accuracy": 100.0, "accuracy_unknown": 100.0, "sentence_accuracy": 100.0}


class Settings(FeatureSettings):
    """The `features` of a tagging track."""

    READS = ("tagged",)

    column: Literal["upos", "xpos"] = Field(
        description="universal tags, or the treebank's own (Penn Treebank tags in English EWT)")
    generated: bool = Field(description="a grammar wrote the text and its words determine the tags")


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError when a split has no words."""
    sentences = {split: reader.tagged(corpus, name, settings.column)
                 for split, name in SPLITS.items()}
    for split, found in sentences.items():
        if not any(sentence.words for sentence in found):
            raise UserError(f"{corpus}: split {SPLITS[split]!r} has no words; fetch or generate "
                            "the corpus again")
    forms = by_frequency(word for sentence in sentences["train"] for word in sentence.words)
    tags = sorted({tag for sentence in sentences["train"] for tag in sentence.tags})
    write_json(fit / "spec.json", {"forms": list(forms), "counts": list(forms.values()),
                                   "tags": tags})
    for split in ("train", "valid"):
        encode(sentences[split], tags).write(fit, split)
    for split in ("valid", "test"):
        _report_new_tags(SPLITS[split], sentences[split], tags)
    encode(sentences["test"], []).write(test, "test")
    write_json(test / "tags.json", tags)
    write_json(test / "items.json", [
        {"id": sentence.id, "tags": sentence.tags, "known": [word in forms for word in
                                                             sentence.words]}
        for sentence in sentences["test"]])
    write_clusters(test, {sentence.id: sentence.cluster for sentence in sentences["test"]})
    write_json(test / "ceiling.json", CERTAIN if settings.generated else {})


def by_frequency(words: Iterable[str]) -> dict[str, int]:
    """Count of each form, the most frequent first, equally frequent ones in code-point order."""
    return dict(sorted(Counter(words).items(), key=lambda item: (-item[1], item[0])))


def encode(sentences: Sequence[TaggedSentence], tags: Sequence[str]) -> Text:
    """Sentences as a `Text`; a tag outside `tags` becomes NO_TAG."""
    numbers = {tag: number for number, tag in enumerate(tags)}
    return Text.of([sentence.words for sentence in sentences],
                   [[numbers.get(tag, NO_TAG) for tag in sentence.tags]
                    for sentence in sentences])


def _report_new_tags(split: str, sentences: Sequence[TaggedSentence], tags: Sequence[str]) -> None:
    new = Counter(tag for sentence in sentences for tag in sentence.tags if tag not in tags)
    if new:
        print(f"{split}: {new.total()} words have a tag that training never saw "
              f"({', '.join(sorted(new))}): no system can give it, so each counts as an error")
