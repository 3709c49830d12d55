"""Tanaka corpus, short English and Japanese sentences (Tanaka 2001; here the small parallel set).

Text as it comes: a token between spaces, English in lower case, one sentence a line. The reader
joins Japanese without spaces, as it is written: its tokens are a choice of a segmenter, and what is
scored shall not depend on one. English stays in tokens ("i can 't swim").
"""

from pathlib import Path

from pipeline.corpora.fetching.files import fetch, listing
from pipeline.corpora.kinds import SentencePair
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.lines import read_lines
from pipeline.storage.words import words_in

_SOURCE = "https://raw.githubusercontent.com/odashi/small_parallel_enja/master"

FILES = listing("tanaka", _SOURCE, {
    "train.en": (1701356, "148b05dcd28638fe20ee84f2b1127001c80982be352007dda241fb759adadc76"),
    "train.ja": (2784447, "fc81a1434349ec98a449d7ae9cd2530057f689637684ecfed3501ea6a8a07ecc"),
    "dev.en": (17054, "04a2673449770657fd5e3b963cb856be3130923212b6db8ac7eaeef18f06c041"),
    "dev.ja": (27781, "cd534f56b8639dc130f86a365e5ec0aa70042000bdd740a622fbbf8b6be4acca"),
    "test.en": (17301, "45edb380749ec2b49cca7618fc5a7595fc9f791180672ba466b90c873a4aa8bf"),
    "test.ja": (27793, "d37dc460a81b064e4106c8913eb11fa300da05cf3f58a7a5bbfec7e20947ddef"),
})


class Settings(CorpusSettings):
    """No options."""


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the files of all splits into `directory`."""
    fetch(FILES, directory, mirror)


def pairs(directory: Path, split: str, source: str, target: str) -> list[SentencePair]:
    """The sentence pairs of a split (train, dev, test); `source` and `target` are en and ja.

    Raises UserError naming the file when one is missing, empty or not UTF-8, and both files with
    their counts when they are not parallel.
    """
    paths = [directory / f"{split}.{language}" for language in (source, target)]
    sources, targets = map(_sentences, paths)
    if len(sources) != len(targets):
        raise UserError(f"{paths[0]} has {len(sources)} lines, {paths[1]} {len(targets)}: not "
                        "parallel; fetch the corpus again")
    ids = [f"{split}-{number:05d}" for number in range(1, len(sources) + 1)]
    return [SentencePair(identity, *texts, cluster=identity)
            for identity, texts in zip(ids, zip(sources, targets, strict=True), strict=True)]


def _sentences(path: Path) -> list[str]:
    return ["".join(words_in(line)) if path.suffix == ".ja" else line for line in read_lines(path)]
