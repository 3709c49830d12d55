"""Features of a captioning track: pictures as one array, sentences as numbered words.

The words are those of the training split. `fit/` gets training and validation pictures with their
sentences, `test/` the test pictures, and in `items.json` each one's id, five references and, of a
drawn scene, what it shows. The ceiling is BLEU-4 of the grammar's likeliest sentence, which is the
best guess of whoever sees everything but not which words the references chose.
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from pydantic import Field

from pipeline.corpora.kinds import CaptionedPicture
from pipeline.entries import FeatureSettings
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.arrays import write_array
from pipeline.storage.files import write_json
from pipeline.storage.sequences import write_sequences
from pipeline.tasks.caption.shared.measures import REFERENCES, bleu, bleu_statistics
from pipeline.tasks.caption.shared.pictures import write_pictures
from pipeline.tasks.caption.shared.words import EOS, UNK, vocabulary, words_of


class Settings(FeatureSettings):
    """The `features` of a captioning track."""

    READS = ("captioned",)

    side: int = Field(ge=8, le=512, description="pixels of a picture's side")
    min_count: int = Field(ge=1, description="rarer words of the training split become <unk>")


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError naming a picture that cannot be used."""
    splits = {split: reader.captioned(corpus, split) for split in ("train", "valid", "test")}
    sentences = {split: [_words(item) for item in items] for split, items in splits.items()}
    words = vocabulary((words for texts in sentences["train"] for words in texts),
                       settings.min_count)
    for item in splits["test"]:
        if len(item.sentences) < REFERENCES:
            raise UserError(f"test picture {item.id} has {len(item.sentences)} sentences, and "
                            f"{REFERENCES} are references; add some or remove the picture")
    for split, directory in (("train", fit), ("valid", fit), ("test", test)):
        write_pictures(directory / f"{split}.pictures.npy", [item.path for item in splits[split]],
                       settings.side)
        if directory == fit:
            _write_sentences(fit, split, sentences[split], words)
    write_json(fit / "spec.json", {"words": words, "side": settings.side})
    references = [[" ".join(words) for words in texts[:REFERENCES]]
                  for texts in sentences["test"]]
    write_json(test / "items.json", [
        {"id": item.id, "references": texts, "scene": item.scene}
        for item, texts in zip(splits["test"], references, strict=True)])
    write_clusters(test, alone(item.id for item in splits["test"]))
    write_json(test / "ceiling.json", _ceiling(splits["test"], references))


def _words(item: CaptionedPicture) -> list[list[str]]:
    """The words of each of a picture's sentences."""
    found = [words_of(text) for text in item.sentences]
    if not all(found):
        raise UserError(f"picture {item.id}: sentence {found.index([]) + 1} has no words; mend or "
                        "remove it in the corpus")
    return found


def _write_sentences(directory: Path, split: str, sentences: Sequence[list[list[str]]],
                     words: Sequence[str]) -> None:
    """`<split>.sentences`, and in `<split>.first.npy` the number of each picture's first one."""
    numbers = {word: number for number, word in enumerate(words)}
    write_sequences(directory, f"{split}.sentences", [
        [*(numbers.get(word, UNK) for word in text), EOS] for texts in sentences for text in texts])
    counts = [len(texts) for texts in sentences]
    write_array(directory / f"{split}.first.npy", np.cumsum([0, *counts], dtype=np.int64))


def _ceiling(items: Sequence[CaptionedPicture],
             references: Sequence[list[str]]) -> dict[str, float]:
    """Scores of the likeliest sentences; nothing for a corpus that no grammar made."""
    likeliest = [item.likeliest for item in items if item.likeliest is not None]
    if len(likeliest) < len(items):
        return {}
    counts = [bleu_statistics(" ".join(words_of(text)), texts)
              for text, texts in zip(likeliest, references, strict=True)]
    return {"bleu_4": float(bleu(np.sum(counts, axis=0, dtype=np.float64))), "truth": 100.0}
