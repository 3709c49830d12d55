"""Multi30k, image descriptions in English and German, and its embedded twin.

Task 1, raw text: a gzip file a language and split, one sentence a line (Elliott et al. 2016,
"Multi30K: Multilingual English-German Image Descriptions"). The twin has the same file names with
English (`en`) and a verb-final language (`vf`) from `pipeline.corpora.twins.grammar.verb_final`:
splits train, val and test_2016_flickr, `test_long`, a test set of long sentences alone, and
`test_gender`, sentences about one occupation whose gender `vf` leaves open. Beside each split,
`train.references.gz` has for each sentence its pronouns that refer to an occupation, as
`occupation:pronoun:position` (position of the pronoun among the English words, from 0), and
`train.likeliest.gz` the English that a perfect translator from `vf` would give.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from pipeline.corpora.fetching.files import fetch, listing
from pipeline.corpora.kinds import SentencePair
from pipeline.corpora.twins.grammar.verb_final import (
    Pair,
    generate_open_pairs,
    generate_pairs,
    with_shared_names,
)
from pipeline.entries import CorpusSettings, Twin
from pipeline.errors import UserError
from pipeline.storage.files import write_gzip_lines
from pipeline.storage.folders import files_in
from pipeline.storage.lines import read_gzip_text
from pipeline.storage.words import words_in

_SOURCE = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw"

FILES = listing("multi30k", _SOURCE, {
    "train.en.gz": (568929, "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f"),
    "train.de.gz": (637044, "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6"),
    "val.en.gz": (21650, "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28"),
    "val.de.gz": (24681, "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a"),
    "test_2016_flickr.en.gz": (
        21077, "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9"),
    "test_2016_flickr.de.gz": (
        22890, "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8"),
    "test_2017_flickr.en.gz": (
        19138, "76a444ee25172e72695cddb13ae4a3bda59430617be88e0bb46b60504f054074"),
    "test_2017_flickr.de.gz": (
        21471, "a2c89666db00c495cd8513b9d708d5a3acc205d7de312ef2bf5fb7ebc1540aee"),
})


class TwinSettings(Twin):
    """The embedded twin: pairs of each split, and how long a sentence may be (English words).

    Every split but test_long has sentences of min_words to max_words, so it has some long ones
    too; test_long has those of long_words to max_words. No sentence is in two splits. A name of
    the grammar has a word in each language; `names` replaces them by that many, mostly rare ones,
    which are the same in both.
    """

    seed: int = Field(ge=0)
    train: int = Field(ge=1)
    val: int = Field(ge=1)
    test_2016_flickr: int = Field(ge=1)
    test_long: int = Field(ge=1)
    test_gender: int = Field(ge=0, description="sentences for each occupation")
    names: int = Field(ge=0, description="names that both languages share; 0: none are shared")
    min_words: int = Field(ge=2)
    long_words: int = Field(ge=2)
    max_words: int = Field(ge=2)

    @model_validator(mode="after")
    def _lengths_in_order(self) -> Self:
        if not self.min_words <= self.long_words <= self.max_words:
            raise ValueError("expected min_words <= long_words <= max_words, got "
                             f"{self.min_words}, {self.long_words}, {self.max_words}")
        if self.test_gender and self.max_words < 8:
            raise ValueError("test_gender needs sentences of 8 words, got max_words "
                             f"{self.max_words}: in shorter ones few pronouns have an antecedent")
        return self

    def smallest(self) -> Self:
        return self.model_copy(update={"train": 120, "val": 12, "test_2016_flickr": 8,
                                       "test_long": 4,
                                       "test_gender": min(1, self.test_gender)})


class Settings(CorpusSettings):
    """Downloaded (`twin: null`) or generated."""

    twin: TwinSettings | None


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the gzip files of all splits into `directory`."""
    if settings.twin is None:
        fetch(FILES, directory, mirror)
        return
    for split, pairs_of_split in _generate(settings.twin).items():
        _write(directory, split, pairs_of_split)


def pairs(directory: Path, split: str, source: str, target: str) -> list[SentencePair]:
    """The sentence pairs of a split; `source` and `target` are the files' language codes.

    Raises UserError naming the file when one is missing, damaged, empty or not UTF-8, and both
    files with their counts when they are not parallel.
    """
    paths = [directory / f"{split}.{language}.gz" for language in (source, target)]
    sources, targets = map(_lines, paths)
    if len(sources) != len(targets):
        raise UserError(f"{paths[0]} has {len(sources)} lines, {paths[1]} {len(targets)}: not "
                        "parallel; fetch or generate the corpus again")
    references = _references(directory / f"{split}.references.gz", len(sources))
    likeliest: Sequence[str | None] = [None] * len(sources)
    if target == "en" and (path := directory / f"{split}.likeliest.gz").exists():
        likeliest = _parallel(path, len(sources))
    ids = [f"{split}-{number:05d}" for number in range(1, len(sources) + 1)]
    return [SentencePair(*found, cluster=found[0])
            for found in zip(ids, sources, targets, references, likeliest, strict=True)]


def _generate(twin: TwinSettings) -> dict[str, list[Pair]]:
    sizes = {"train": twin.train, "val": twin.val, "test_2016_flickr": twin.test_2016_flickr}
    drawn = generate_pairs(sum(sizes.values()), twin.seed, twin.min_words, twin.max_words)
    remaining = iter(drawn)
    found = {split: [next(remaining) for _ in range(size)] for split, size in sizes.items()}
    found["test_long"] = generate_pairs(twin.test_long, twin.seed + 1, twin.long_words,
                                        twin.max_words, known=drawn)
    found["test_gender"] = generate_open_pairs(twin.test_gender, twin.seed + 2, twin.min_words,
                                               twin.max_words, known=drawn)
    if not twin.names:
        return found
    return {split: with_shared_names(pairs_of_split, twin.seed + number, twin.names)
            for number, (split, pairs_of_split) in enumerate(found.items())}


def _write(directory: Path, split: str, drawn: list[Pair]) -> None:
    write_gzip_lines(directory / f"{split}.en.gz", [" ".join(pair.english) for pair in drawn])
    write_gzip_lines(directory / f"{split}.vf.gz", [" ".join(pair.verb_final) for pair in drawn])
    write_gzip_lines(directory / f"{split}.references.gz", [
        " ".join(f"{item.occupation}:{item.pronoun}:{item.position}" for item in pair.references)
        for pair in drawn])
    write_gzip_lines(directory / f"{split}.likeliest.gz",
                     [" ".join(pair.likeliest) for pair in drawn])


def _references(path: Path, sentences: int) -> list[tuple[tuple[str, str], ...]]:
    """(occupation, pronoun) of each sentence's pronouns; none where the publisher says nothing."""
    if not path.exists():
        return [()] * sentences
    found = []
    for number, line in enumerate(_parallel(path, sentences), start=1):
        items = [item.split(":") for item in words_in(line)]
        if any(len(item) != 3 for item in items):
            raise UserError(f"{path}, line {number}: expected occupation:pronoun:position, got "
                            f"{line[:60]!r}; generate the corpus again")
        found.append(tuple((occupation, pronoun) for occupation, pronoun, _ in items))
    return found


def _parallel(path: Path, sentences: int) -> list[str]:
    """The lines of a file beside the sentences, as many as these."""
    lines = read_gzip_text(path)
    if len(lines) != sentences:
        raise UserError(f"{path} has {len(lines)} lines and the split {sentences} sentences; "
                        "generate the corpus again")
    return lines


def _lines(path: Path) -> list[str]:
    if not path.exists():
        languages = [item.name for item in files_in(path.parent, f"{path.name.split('.')[0]}.*")]
        raise UserError(f"{path} does not exist; of this split there is "
                        f"{', '.join(languages) or 'nothing'}")
    return read_gzip_text(path)
