"""Features of a translation track: sentence pairs as numbered subword pieces.

The pieces are learnt from the training split alone. `fit/` gets training and validation pairs,
`test/` the test sources as pieces, everything readable in `items.json` (id, condition, source,
reference; of a probe's item also what its answer is held against). The models that turn text into
pieces and back are artefacts: a trained system carries them along.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Literal, Self

import numpy as np
from pydantic import Field, field_validator

from pipeline.corpora.kinds import SentencePair
from pipeline.entries import FeatureSettings, FilePart
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import write_clusters
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.files import write_gzip_lines, write_json
from pipeline.storage.sequences import write_sequences
from pipeline.tasks.translation.shared.measures import BleuTokenizer, bleu, bleu_statistics
from pipeline.tasks.translation.shared.probe_items import (
    DegenerateSettings,
    Item,
    degenerate_items,
    gender_items,
)
from pipeline.tasks.translation.shared.probes import BIGRAMS, known_bigrams
from pipeline.tasks.translation.shared.tokenizer import (
    PieceModel,
    Side,
    Tokenizer,
    piece_model,
    train_tokenizer,
)

Condition = Literal["test", "long", "gender"]


class Settings(FeatureSettings):
    """The `features` of a translation track."""

    READS = ("pairs",)

    source: FilePart = Field(description="language code, as the corpus names it")
    target: FilePart
    train: FilePart = Field(description="name of the corpus's split")
    valid: FilePart
    tests: dict[Condition, FilePart] = Field(
        description="splits that are translated; BLEU is that of 'test', 'long' is a set apart, "
                    "'gender' a probe")
    pieces: PieceModel
    vocabulary: int = Field(ge=8, description="pieces, of each language if not joint")
    joint: bool = Field(description="one set of pieces for both languages")
    generated: bool = Field(description="a reference is a grammar's own translation")
    tokenizer: BleuTokenizer = Field(
        "13a", description="sacreBLEU's: char for a target language without spaces")
    degenerate: DegenerateSettings | None = Field(
        None, description="probe with repeated words, for corpora whose words stand apart")

    @field_validator("tests")
    @classmethod
    def _there_is_a_test(cls, tests: dict[Condition, str]) -> dict[Condition, str]:
        if "test" not in tests:
            raise ValueError("name the split that is 'test'")
        return tests

    def smallest(self) -> Self:
        return self.model_copy(update={"vocabulary": min(self.vocabulary, 200)})


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError when a split is empty."""
    def pairs(split: str) -> list[SentencePair]:
        found = reader.pairs(corpus, split, settings.source, settings.target)
        if not found:
            raise UserError(f"{corpus}: split {split!r} of {settings.source}-{settings.target} "
                            "has no sentence pairs; fetch or generate the corpus again")
        return found

    train = pairs(settings.train)
    source, target = _tokenizers(settings, train, fit / ARTEFACTS)
    _write_pairs(fit, "train", train, source, target)
    _write_pairs(fit, "valid", pairs(settings.valid), source, target)
    write_json(fit / "spec.json", {"source_vocabulary": len(source),
                                   "target_vocabulary": len(target), "joint": settings.joint})

    items = [item for condition, split in sorted(settings.tests.items())
             for item in (gender_items(pairs(split), train) if condition == "gender"
                          else _items(condition, pairs(split)))]
    if settings.degenerate:
        items += degenerate_items(settings.degenerate, train)
        write_gzip_lines(test / BIGRAMS, known_bigrams(pair.target for pair in train))
    write_clusters(test, {str(item["id"]): str(item.pop("cluster")) for item in items})
    write_sources(test, items, source)
    write_json(test / "scoring.json", {"tokenizer": settings.tokenizer})
    write_json(test / "ceiling.json",
               {"bleu": _ceiling(pairs(settings.tests["test"]))} if settings.generated else {})


def write_sources(directory: Path, items: Sequence[Item], source: Tokenizer) -> None:
    """Write the items and the pieces of their sources, which is what is translated."""
    write_sequences(directory, "source", [source.encode(str(item["source"])) for item in items])
    write_json(directory / "items.json", list(items))


def _items(condition: Condition, pairs: list[SentencePair]) -> list[Item]:
    return [{"id": f"{condition}/{pair.id}", "condition": condition, "source": pair.source,
             "reference": pair.target, "cluster": pair.cluster} for pair in pairs]


def _ceiling(pairs: list[SentencePair]) -> float:
    """BLEU of a perfect translator: 100 where a source has one translation, else its best guess."""
    if all(pair.likeliest is None for pair in pairs):
        return 100.0
    counts = [bleu_statistics(pair.target if pair.likeliest is None else pair.likeliest,
                              pair.target) for pair in pairs]
    return float(bleu(np.sum(counts, axis=0, dtype=np.float64)))


def _tokenizers(settings: Settings, train: list[SentencePair],
                directory: Path) -> tuple[Tokenizer, Tokenizer]:
    """Learn and write the source's and the target's pieces; the same model twice if joint."""
    def learn(name: Side, sentences: Iterable[str]) -> Tokenizer:
        path = piece_model(directory, name)
        train_tokenizer(sentences, path, settings.pieces, settings.vocabulary)
        return Tokenizer(path)

    sources = [pair.source for pair in train]
    targets = [pair.target for pair in train]
    if settings.joint:
        return learn("source", sources + targets), learn("target", sources + targets)
    return learn("source", sources), learn("target", targets)


def _write_pairs(directory: Path, split: str, pairs: list[SentencePair], source: Tokenizer,
                 target: Tokenizer) -> None:
    write_sequences(directory, f"{split}.source", [source.encode(pair.source) for pair in pairs])
    write_sequences(directory, f"{split}.target", [target.encode(pair.target) for pair in pairs])
