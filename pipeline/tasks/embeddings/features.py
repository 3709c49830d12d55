"""Features of an embeddings track: text as word ids, and the items that vectors are tested on.

`fit/` gets training and validation text. Half of the probe words and half of the analogy questions
choose hyper-parameters, `fit/validation/items.json`, and are never scored: every other word in the
order of spelling, and the questions that begin with every other pair of their section, so that no
question of the other half begins with the same pair. `test/` gets the other half and all rated
pairs. Both halves are scored alike: `scoring.score(system.predict(fold, None), fold)`.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from pydantic import Field

from pipeline.corpora.kinds import Analogy, WordTests
from pipeline.entries import FeatureSettings
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import write_clusters
from pipeline.storage.files import write_json
from pipeline.tasks.embeddings.shared.items import Items
from pipeline.tasks.embeddings.shared.text import BREAK, UNKNOWN, write_ids


class Settings(FeatureSettings):
    """The `features` of an embeddings track."""

    READS = ("sentences", "word_tests")

    min_count: int = Field(ge=1, description="rarer words of the training text become <unk>")
    rare_below: int = Field(ge=1, description="probes that training text has less often are rare")


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write `fit` and `test`. Raises UserError for a text without two words side by side."""
    texts = {split: [sentence.words for sentence in reader.sentences(corpus, split)]
             for split in ("train", "valid")}
    for split, sentences in texts.items():
        if max(map(len, sentences)) < 2:
            raise UserError(f"{corpus}: no sentence of split {split!r} has two words, and vectors "
                            "are learnt from neighbours; fetch or generate the corpus again")
    counts = vocabulary(texts["train"], settings.min_count)
    write_json(fit / "spec.json", {"words": list(counts), "counts": list(counts.values())})
    for split, sentences in texts.items():
        write_ids(fit, split, encode(sentences, list(counts)))
    tests = reader.word_tests(corpus)
    for half, directory in enumerate((fit / "validation", test)):
        chosen = items(tests, counts, settings.rare_below, half)
        chosen.write(directory)
        write_clusters(directory, chosen.clusters)
    write_json(test / "ceiling.json", {"neighbours": 100.0} if tests.classes else {})


def vocabulary(sentences: Sequence[Sequence[str]], min_count: int) -> dict[str, int]:
    """Words seen `min_count` times or more with their counts, by falling frequency, after <unk>.

    Equally frequent words follow in code-point order. What is rarer counts as <unk>.
    """
    counts = Counter(word for words in sentences for word in words)
    unknown = counts.pop(UNKNOWN, 0) + sum(n for n in counts.values() if n < min_count)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {UNKNOWN: unknown} | {word: n for word, n in ranked if n >= min_count}


def encode(sentences: Sequence[Sequence[str]], words: Sequence[str]) -> np.ndarray:
    """Sentences as ids with a break after each; words outside the vocabulary become <unk>."""
    ids = {word: identity for identity, word in enumerate(words)}
    return np.array([identity for sentence in sentences
                     for identity in (*(ids.get(word, ids[UNKNOWN]) for word in sentence), BREAK)],
                    dtype=np.int32)


def items(tests: WordTests, counts: dict[str, int], rare_below: int, half: int) -> Items:
    """The validation items (`half` 0) or the test items (1) for a vocabulary."""
    known = set(counts) - {UNKNOWN}
    every = Items(known, classes={name: [word for word in words if word in known]
                                  for name, words in tests.classes.items()})
    probes = sorted({word for words in every.classes.values() for word in words})
    chosen = [word for word in probes if every.mates(word)][half::2]
    return Items(known, chosen, {word for word in chosen if counts[word] < rare_below},
                 _half(tests.analogies, half), tests.pairs if half else [], every.classes)


def _half(analogies: list[Analogy], half: int) -> list[Analogy]:
    """Questions whose first pair is every other one of its section."""
    pairs: dict[str, dict[tuple[str, str], None]] = {}
    for item in analogies:
        pairs.setdefault(item.section, {})[item.a, item.b] = None
    chosen = {(section, *pair) for section, found in pairs.items() for pair in list(found)[half::2]}
    return [item for item in analogies if (item.section, item.a, item.b) in chosen]
