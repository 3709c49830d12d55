"""Odd text through every reader, into every system and its side files, and out of its files again.

Each embedded corpus whose task is made of words is generated at its smallest; then its text files
are altered (`tests.odd_text`), read, and made features of. Either that is refused in a message that
names the file, or every classical system of the track is fitted on it, saved, loaded, and answers
as before; one network is made, saved and asked untrained, as its vocabulary is all that text can
harm.
"""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.errors import UserError
from pipeline.modules import corpus_module, task_module
from pipeline.ngram import arpa
from pipeline.running.answering import load_folder
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.files import read_json
from pipeline.storage.words import unescaped
from pipeline.suite.schema import load
from pipeline.systems.base import Run, System, system_class
from pipeline.tasks.asr.shared.letter_search import LetterVocabulary, Searched
from pipeline.tasks.asr.shared.letters import LetterRecogniser
from tests.conftest import ROOT
from tests.odd_text import damage, odd_lines, rewrite, text_files
from tests.shared import first, shared_folder
from tests.systems.entrants import Entrant, entrants
from tests.systems.test_conformance import same_answers
from tests.systems.trained import narrow
from tests.tasks.asr.weighed import pair
from tests.trials import trials

EMBEDDED = load(ROOT / "params.yaml")
TEXT = {"addition", "alignment", "asr", "caption", "embeddings", "language_model", "memory",
        "music", "sentence", "tagging", "trajectory", "translation", "words"}
OTHERS = {"forecast"}
TRACKS = [key for key, track in EMBEDDED.tracks.items() if track.task in TEXT]
ENTRANTS = entrants(ROOT)
OWN_TEXT = {".txt", ".conllu", ".json", ".jsonl", ".csv"}


@dataclass(frozen=True)
class Read:
    """The features of an altered corpus."""

    fit: Path
    test: Path

    @property
    def spec(self) -> dict[str, Any]:
        return read_json(self.fit / "spec.json")


@pytest.fixture(scope="session")
def smallest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded corpora at their smallest, made when first asked for; processes share them."""
    return shared_folder(tmp_path_factory, "odd-text")


def corpus_of(track: str, base: Path) -> Path:
    name = EMBEDDED.tracks[track].corpus
    with first(base / name) as is_first:
        if is_first:
            settings = EMBEDDED.corpus(name).smallest()
            corpus_module(settings.module).prepare(settings, base / name, None)
    return base / name


def read(track: str, corpus: Path, folder: Path) -> Read:
    """Raises UserError, as the features stage does."""
    found = Read(folder / "fit", folder / "test")
    for place in (found.fit, found.test):
        place.mkdir()
    task_module(EMBEDDED.tracks[track].task, "features").extract(
        EMBEDDED.features(track).smallest(), corpus, corpus_module(EMBEDDED.reader_of(track)),
        found.fit, found.test)
    return found


def systems(track: str, features: Read, number: int, work: Path) -> Iterator[System]:
    """All classical systems of a track, fitted, and one of its networks, another each time."""
    of_track = [entrant for entrant in ENTRANTS if entrant.track == track]
    # One that learns from an alignment knows no states before it is fitted.
    networks = [entrant for entrant in of_track
                if entrant.neural and "decoding" not in entrant.entry]
    for entrant in [*(one for one in of_track if not one.neural), networks[number % len(networks)]]:
        try:
            yield _made(entrant, features, work)
        except UserError as error:
            assert str(error), entrant


def _made(entrant: Entrant, features: Read, work: Path) -> System:
    settings = entrant.settings.model_copy(update=narrow(entrant.settings))
    system = system_class(entrant.task, settings.model)(settings, features.spec)
    system.artefacts = features.fit / ARTEFACTS
    if not entrant.neural:
        system.fit(features.fit, Run(seed=1, work=work))
    elif isinstance(system, LetterRecogniser):
        system.vocabulary = LetterVocabulary.of(features.fit, features.spec, settings.variants)
        system.vocabulary.tried = {name: [pair(*variant.middle(), 0, 1)] for name, variant
                                   in settings.variants.items() if isinstance(variant, Searched)}
    elif hasattr(system, "transcripts"):
        system.transcripts = [item["text"] for item in read_json(features.fit / "train.items.json")]
    return system


def answers(system: System, test: Path) -> dict[str, list[dict[str, Any]]]:
    if hasattr(system, "eval"):
        system.eval()
    variants = system.settings.variants or {"": None}
    return {name: list(system.predict(test, variant)) for name, variant in variants.items()}


@pytest.mark.fuzz
@pytest.mark.parametrize("track", TRACKS)
def test_a_text_is_refused_by_name_or_answered_alike_from_files(track: str, smallest: Path,
                                                                tmp_path: Path) -> None:
    whole = corpus_of(track, smallest)
    for number in range(trials(3, 150)):
        draw = random.Random(f"{track} {number}")
        folder = tmp_path / str(number)
        corpus = folder / "corpus"
        shutil.copytree(whole, corpus)
        done = [damage(draw.choice(text_files(corpus)), draw)
                for _ in range(draw.randint(1, 2))]
        try:
            features = read(track, corpus, folder)
        except UserError as error:
            assert str(corpus) in str(error) or "features." in str(error), (done, error)
        else:
            for system in systems(track, features, number, folder / "work"):
                _same_from_files(system, features, folder / "model", draw)
        shutil.rmtree(folder)


@pytest.mark.parametrize("track", TRACKS)
def test_ends_of_lines_and_a_mark_are_no_text(track: str, smallest: Path, tmp_path: Path) -> None:
    """With CR LF and a byte order mark in every file a corpus has the same features."""
    whole = corpus_of(track, smallest)
    shutil.copytree(whole, tmp_path / "other" / "corpus")
    for path in text_files(tmp_path / "other" / "corpus"):
        # JSON has no mark (RFC 8259); a publisher's may have one all the same, our twin's has none.
        mark = b"" if path.name.endswith(".alignment.json") else b"\xef\xbb\xbf"
        rewrite(path, lambda text, mark=mark: mark + text.replace(b"\n", b"\r\n"))
    (tmp_path / "as-it-is").mkdir()
    wanted = read(track, whole, tmp_path / "as-it-is")
    found = read(track, tmp_path / "other" / "corpus", tmp_path / "other")
    for one, other in ((wanted.fit, found.fit), (wanted.test, found.test)):
        names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
        assert names and [name for name in names
                          if (one / name).read_bytes() != (other / name).read_bytes()] == []


def _same_from_files(system: System, features: Read, model: Path, draw: random.Random) -> None:
    """A saved system answers as before, to the test items and to a file of odd text."""
    shutil.rmtree(model, ignore_errors=True)
    system.save(model)
    found = type(system).load(model)
    wanted = answers(system, features.test)
    same_answers(answers(found, features.test), wanted)
    assert found.texts() == system.texts() and found.spec == system.spec
    assert all(torch.equal(tensor, found.tensors()[name])
               for name, tensor in system.tensors().items())
    task_module(system.task, "scoring").score(next(iter(wanted.values())), features.test)
    if (model / "model.arpa").exists():
        assert _words_of(model / "model.arpa") == _as_arpa(system.spec)
    own = task_module(system.task, "own")
    spec = system.spec
    known = spec.get("words") or spec.get("vocabulary") or spec.get("forms") or ["a", "1 + 2", "[]"]
    for suffix in OWN_TEXT.intersection(own.SUFFIXES):
        file = model.parent / f"own{suffix}"
        file.write_bytes(odd_lines(draw, known))
        try:
            rows = list(load_folder(model).predict([str(file)]))
        except UserError as error:
            assert str(file) in str(error)
        else:
            assert {row["file"] for row in rows} == {str(file)}


def _words_of(file: Path) -> list[str]:
    """The words of an ARPA file, as a reader takes them that knows no more than the format."""
    lines = file.read_text("utf-8").splitlines()
    begin = lines.index("\\1-grams:") + 1
    end = lines.index("", begin)
    return [unescaped(line.split()[1]) for line in lines[begin:end]]


def _as_arpa(spec: dict[str, Any]) -> list[str]:
    end = {"word": "<eos>", "character": "\n"}[spec["unit"]]
    return [arpa.END if word == end else word for word in spec["vocabulary"]] + [arpa.START]


def test_every_task_of_words_has_a_track_here() -> None:
    assert {EMBEDDED.tracks[track].task for track in TRACKS} == TEXT
    assert {track.task for track in EMBEDDED.tracks.values()} - TEXT == OTHERS
    assert all(any(one.track == track and one.neural for one in ENTRANTS)
               for track in TRACKS)
