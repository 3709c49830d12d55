"""What programs leave behind in folders is nothing of a corpus, for any reader."""

import ast
import hashlib
import inspect
from pathlib import Path

import pytest

from pipeline.modules import corpus_module, task_module
from pipeline.storage.folders import files_in
from pipeline.suite.schema import load
from tests.conftest import ROOT
from tests.trials import trials

LEFT_BEHIND = (".DS_Store", "Thumbs.db", "desktop.ini", ".hidden")


def scatter(corpus: Path) -> None:
    """Leave such files in every folder, and beside every file the twin that a Mac writes."""
    for path in sorted(corpus.rglob("*")):
        if path.is_file():
            (path.parent / f"._{path.name}").write_bytes(b"\0\x05\x16\x07\0\x02\0\0Mac OS X")
    for folder in [corpus, *(path for path in corpus.rglob("*") if path.is_dir())]:
        for name in LEFT_BEHIND:
            (folder / name).write_bytes(b"\0\0\0\1Bud1")
        (folder / "__MACOSX").mkdir()
        (folder / "__MACOSX" / "._x.flac").write_bytes(b"\0\x05\x16\x07")


def extracted(track: str, corpus: Path, folder: Path) -> dict[str, str]:
    """SHA-256 of each file that the features stage writes."""
    suite = load(ROOT / "params.yaml")
    for part in ("fit", "test"):
        (folder / part).mkdir(parents=True)
    task_module(suite.track(track).task, "features").extract(
        suite.features(track).smallest(), corpus, corpus_module(suite.reader_of(track)),
        folder / "fit", folder / "test")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def searching_first() -> list[str]:
    """The corpora of the embedded suite, those first whose readers search folders most."""
    corpora = load(ROOT / "params.yaml").corpora
    sources = {key: inspect.getsource(corpus_module(entry["module"]))
               for key, entry in corpora.items()}
    return sorted(corpora, key=lambda key: (-sources[key].count("files_in("), key))


@pytest.mark.fuzz
def test_no_reader_takes_them_for_data(tmp_path: Path) -> None:
    suite, corpora = load(ROOT / "params.yaml"), searching_first()
    assert len(corpora) > 10
    for corpus in corpora[: trials(1, len(corpora))]:
        folder = tmp_path / corpus
        track = next(key for key, one in suite.tracks.items() if one.corpus == corpus)
        settings = suite.corpus(corpus).smallest()
        (folder / "corpus").mkdir(parents=True)
        corpus_module(settings.module).prepare(settings, folder / "corpus", None)
        before = extracted(track, folder / "corpus", folder / "before")
        scatter(folder / "corpus")
        assert extracted(track, folder / "corpus", folder / "after") == before, corpus


def test_readers_of_corpora_list_a_folder_in_one_way_alone() -> None:
    own = [f"{path.relative_to(ROOT)}:{node.lineno}"
           for path in (ROOT / "pipeline" / "corpora").rglob("*.py") if path.name != "unpack.py"
           for node in ast.walk(ast.parse(path.read_text("utf-8")))
           if isinstance(node, ast.Attribute)
           and node.attr in ("glob", "rglob", "iterdir", "listdir", "scandir")]
    assert own == [], "pipeline.storage.folders.files_in passes over what is none of the corpus"


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.wav", ".hidden/x.txt", "deep/d.txt", "deep/Thumbs.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in files_in(tmp_path)] == ["a.txt", "b.txt", "c.wav", "deep"]
    assert [path.name for path in files_in(tmp_path, "*/*")] == ["d.txt"]
    assert files_in(tmp_path / "missing") == []
