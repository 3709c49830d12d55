"""Which test items belong together is what their corpus says, in every track of the suites."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline.entries import CorpusSettings
from pipeline.modules import corpus_module, task_module
from pipeline.scoring.item_clusters import NAME
from pipeline.storage.files import read_json
from pipeline.suite.schema import load
from tests.systems.trained import ROOT, Tracks

EMBEDDED = load(ROOT / "params.yaml")
REAL = load(ROOT / "real" / "params.yaml")
# All series are test items: their features take minutes, and there is nothing to tell apart.
QUICK = [key for key, track in REAL.tracks.items() if track.task != "forecast"]
# Clusters of real test sets, as counted by hand.
KNOWN = {"aligned_speech": 1, "an4": 10, "ud_ewt": 316, "penn_treebank": 76, "tiny_shakespeare": 47,
         "fsdd": 6}
Keys = dict[str, object]  # by an item's id; items with equal ones belong together


def blocks(corpus: Path, ids: Iterable[str]) -> Keys:
    """50 lines of the file in a row."""
    count = len((corpus / "ptb.test.txt").read_text().splitlines())
    return {f"test-{number + 1:05d}": number // 50 for number in range(count)}


def lines(corpus: Path, ids: Iterable[str]) -> Keys:
    """50 lines in a row of the last 5 % of the text."""
    text = (corpus / "input.txt").read_text()
    count = text[len(text) * 95 // 100 :].count("\n") + (not text.endswith("\n"))
    return {f"test-{number + 1:05d}": number // 50 for number in range(count)}


def files(corpus: Path, ids: Iterable[str]) -> Keys:
    """`FILE:LINE`, of files that are there."""
    keys: Keys = {identity: identity.partition(":")[0] for identity in ids}
    assert all((corpus / "source_code" / "test" / str(name)).is_file() for name in keys.values())
    return keys


def documents(corpus: Path, ids: Iterable[str]) -> Keys:
    text = (corpus / "en_ewt-ud-test.conllu").read_text()
    return {identity: number
            for number, document in enumerate(re.split(r"^# newdoc", text, flags=re.M))
            for identity in re.findall(r"^# sent_id = (.+)$", document, flags=re.M)}


def speakers(corpus: Path, ids: Iterable[str]) -> Keys:
    """The number that an utterance's file and two folders above it begin with.

    Items are `condition/UTTERANCE`, or `UTTERANCE-PHONE`.
    """
    found = {path.stem: path.parents[1].name
             for path in (corpus / "LibriSpeech").rglob("*.flac")}
    return {identity: found[identity.partition("/")[2] or identity.rpartition("-")[0]]
            for identity in ids}


def names(corpus: Path, ids: Iterable[str]) -> Keys:
    """`DIGIT_SPEAKER_NUMBER`."""
    return {identity: identity.split("_")[1] for identity in ids}


def folders(corpus: Path, ids: Iterable[str]) -> Keys:
    """`an4test_clstk/SPEAKER/ID` in the publisher's list."""
    names = (corpus / "an4/etc/an4_test.fileids").read_text().split()
    return {f"clean/{name.split('/')[2]}": name.split("/")[1] for name in names}


def recordings(corpus: Path, ids: Iterable[str]) -> Keys:
    """`clean/SPEAKERNNN`, as emuR names its recordings."""
    return {identity: identity.partition("/")[2].rstrip("0123456789") for identity in ids}


def stories(corpus: Path, ids: Iterable[str]) -> Keys:
    """A line numbered 1 begins a story; a line with tabs is a question."""
    keys: Keys = {}
    for path in corpus.glob("qa?_test.txt"):
        begun = asked = 0
        for line in path.read_text().splitlines():
            begun += line.startswith("1 ")
            if "\t" in line:
                asked += 1
                keys[f"{path.stem}-{asked:05d}"] = (path.stem, begun)
    return keys


def probes(corpus: Path, ids: Iterable[str]) -> Keys:
    """Sentences about an occupation, repetitions of a word; ordinary sentences by themselves."""
    return {identity: identity.rpartition("/")[0] if identity.startswith(("gender/", "degenerate/"))
            else identity for identity in ids}


def first_pairs(corpus: Path, ids: Iterable[str]) -> Keys:
    """Questions `section/a-b-c-d` by section, a and b; words and rated pairs by themselves."""
    parts = {identity: identity.partition("/") for identity in ids}
    return {identity: (section, *re.split(r"(?<!\\)-", words)[:2])
            for identity, (section, _, words) in parts.items()}


def alone(corpus: Path, ids: Iterable[str]) -> Keys:
    return {identity: identity for identity in ids}


# Of every other corpus each item stands by itself.
RAW: Mapping[str, Callable[[Path, Iterable[str]], Keys]] = {
    "penn_treebank": blocks, "ud_ewt": documents, "librispeech": speakers, "babi": stories,
    "multi30k": probes, "word_vectors": first_pairs, "an4": folders, "tiny_shakespeare": lines,
    "source_code": files, "fsdd": names, "aligned_speech": recordings}


def together(keys: Mapping[str, object]) -> set[frozenset[str]]:
    """The sets of items that belong together."""
    found: dict[object, set[str]] = {}
    for identity, key in keys.items():
        found.setdefault(key, set()).add(identity)
    return {frozenset(items) for items in found.values()}


@pytest.mark.parametrize("track", EMBEDDED.tracks)
def test_clusters_are_what_the_raw_files_say(small_tracks: Tracks, track: str) -> None:
    module = EMBEDDED.corpora[EMBEDDED.track(track).corpus]["module"]
    corpus, found = small_tracks[track].corpus, read_json(small_tracks[track].test / NAME)
    assert found and together(found) == together(RAW.get(module, alone)(corpus, found))


class TestSplitAlone:
    """A reader whose other splits are the first items of its test split, under other ids."""

    __test__ = False  # a reader, whatever pytest makes of its name

    def __init__(self, module: ModuleType, test: str) -> None:
        self.module = module
        self.test = test

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.module, name)
        if name not in ("sentences", "lines", "labelled", "tagged", "pairs", "utterances",
                        "pieces", "lagged"):
            return found

        def read(corpus: Path, split: str, *others: Any) -> list[Any]:
            items = found(corpus, self.test, *others)
            if split == self.test:
                return items
            return [replace(item, id=f"{split} {item.id}") for item in items[:2000]]
        return read


@pytest.mark.parametrize("track", QUICK)
def test_clusters_of_real_test_sets_are_what_the_raw_files_say(
        real_corpus: Callable[[CorpusSettings], Path], tmp_path: Path, track: str) -> None:
    entry, settings = REAL.tracks[track], REAL.corpus(REAL.tracks[track].corpus).smallest()
    corpus, module = real_corpus(settings), corpus_module(settings.module)
    features = REAL.features(track).smallest()
    if hasattr(features, "pieces"):  # learning pieces of words takes a large text, and long
        features = features.model_copy(update={"pieces": "word"})
    named = getattr(features, "test", None) or getattr(features, "tests", {})
    if not isinstance(named, str):
        named = named.get("clean") or named.get("test") or "test"
    reader = TestSplitAlone(module, named)
    task_module(entry.task, "features").extract(features, corpus, reader, tmp_path / "fit",
                                                tmp_path / "test")
    found = read_json(tmp_path / "test" / NAME)
    expected = together(RAW.get(settings.module, alone)(corpus, found))
    assert found and together(found) == expected
    assert len(expected) == KNOWN.get(settings.module, len(expected))
