"""Features of a word-language-model track: a vocabulary, and texts as streams of word ids.

The vocabulary is that of the training text. `fit/` gets training and validation text, `test/` the
test text, its items, and the perplexity of the generating process where there is one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from pydantic import Field

from pipeline.config import FeatureSettings
from pipeline.corpora.kinds import Sentence
from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.tasks.language_model.shared.items import Item, write_items
from pipeline.tasks.language_model.shared.stream import END, UNKNOWN, Stream


class Settings(FeatureSettings):
    """The `features` of a word-language-model track."""

    min_count: int = Field(ge=1, description="rarer words of the training text become <unk>")


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError for a text that cannot be a stream."""
    texts = {split: reader.sentences(corpus, split) for split in ("train", "valid", "test")}
    for split, sentences in texts.items():
        _check(corpus, split, sentences)
    words = vocabulary((sentence.words for sentence in texts["train"]), settings.min_count)
    write_json(fit / "spec.json", {"words": words})
    for split, directory in (("train", fit), ("valid", fit), ("test", test)):
        encode([sentence.words for sentence in texts[split]], words).write(directory, split)
    write_items(test, [Item(sentence.id, len(sentence.words) + 1,
                            [place for place, mark in enumerate(sentence.marked or []) if mark])
                       for sentence in texts["test"]])
    ceiling = reader.ceiling(corpus, "test")
    write_json(test / "ceiling.json", {} if ceiling is None else {"perplexity": ceiling})


def vocabulary(sentences: Iterable[Sequence[str]], min_count: int) -> list[str]:
    """<unk>, <eos> and the words seen `min_count` times or more, by falling frequency.

    The two stand first; equally frequent words follow in code-point order.
    """
    counts = Counter(word for words in sentences for word in words)
    del counts[UNKNOWN]
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [UNKNOWN, END, *(word for word, count in ranked if count >= min_count)]


def encode(sentences: Sequence[Sequence[str]], words: Sequence[str]) -> Stream:
    """Sentences as ids with <eos> after each; words outside the vocabulary become <unk>."""
    ids = {word: identity for identity, word in enumerate(words)}
    tokens = [ids.get(word, ids[UNKNOWN]) for sentence in sentences
              for word in (*sentence, END)]
    lengths = [len(sentence) + 1 for sentence in sentences]
    return Stream(np.array(tokens, np.int32), np.array(lengths, np.int32))


def _check(corpus: Path, split: str, sentences: Sequence[Sentence]) -> None:
    if not sentences:
        raise UserError(f"{corpus}: split {split!r} has no sentences; fetch or generate the "
                        "corpus again")
    for sentence in sentences:
        if END in sentence.words:
            raise UserError(f"{corpus}: sentence {sentence.id} of {split!r} holds the word {END}, "
                            "which closes every sentence by itself; remove it from the text")
