"""Which test items belong together is what their corpus says, in every track of the suites."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from pipeline.corpora import librispeech, ud_ewt
from pipeline.scoring.clusters import NAME
from pipeline.storage.files import read_json
from pipeline.suite.schema import load
from tests.systems.trained import ROOT, Track

EMBEDDED = load(ROOT / "params.yaml")
Keys = dict[str, object]  # by an item's id; items with equal ones belong together


def blocks(corpus: Path, ids: Iterable[str]) -> Keys:
    """50 lines of the file in a row."""
    count = len((corpus / "ptb.test.txt").read_text().splitlines())
    return {f"test-{number + 1:05d}": number // 50 for number in range(count)}


def documents(corpus: Path, ids: Iterable[str]) -> Keys:
    text = (corpus / "en_ewt-ud-test.conllu").read_text()
    return {identity: number
            for number, document in enumerate(re.split(r"^# newdoc", text, flags=re.M))
            for identity in re.findall(r"^# sent_id = (.+)$", document, flags=re.M)}


def speakers(corpus: Path, ids: Iterable[str]) -> Keys:
    """The number that an utterance's file and two folders above it begin with."""
    found = {path.stem: path.parents[1].name
             for path in (corpus / "LibriSpeech").rglob("*.flac")}
    return {identity: found[identity.partition("/")[2]] for identity in ids}


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
    return {identity: identity.rsplit("-", 2)[0] for identity in ids}


def alone(corpus: Path, ids: Iterable[str]) -> Keys:
    return {identity: identity for identity in ids}


# Of every other corpus each item stands by itself.
RAW: Mapping[str, Callable[[Path, Iterable[str]], Keys]] = {
    "penn_treebank": blocks, "ud_ewt": documents, "librispeech": speakers, "babi": stories,
    "multi30k": probes, "word_vectors": first_pairs}


def together(keys: Mapping[str, object]) -> set[frozenset[str]]:
    """The sets of items that belong together."""
    found: dict[object, set[str]] = {}
    for identity, key in keys.items():
        found.setdefault(key, set()).add(identity)
    return {frozenset(items) for items in found.values()}


@pytest.mark.parametrize("track", EMBEDDED.tracks)
def test_clusters_are_what_the_raw_files_say(small_tracks: dict[str, Track], track: str) -> None:
    module = EMBEDDED.corpora[EMBEDDED.track(track).corpus]["module"]
    corpus, found = small_tracks[track].corpus, read_json(small_tracks[track].test / NAME)
    assert found and together(found) == together(RAW.get(module, alone)(corpus, found))


def test_the_real_treebank_has_the_documents_of_its_file(mirror: Path) -> None:
    corpus = mirror / "ud_ewt"
    found = {item.id: item.cluster for item in ud_ewt.tagged(corpus, "test", "xpos")}
    assert together(found) == together(documents(corpus, found)) and len(together(found)) == 316


def test_the_excerpt_of_librispeech_has_two_speakers(mirror: Path, tmp_path: Path) -> None:
    settings = librispeech.Settings(module="librispeech", parts=["test-clean-47"], twin=None)
    librispeech.prepare(settings, tmp_path, mirror)
    found = {f"clean/{item.id}": item.speaker
             for item in librispeech.utterances(tmp_path, "test-clean")}
    assert together(found) == together(speakers(tmp_path, found)) and len(together(found)) == 2
