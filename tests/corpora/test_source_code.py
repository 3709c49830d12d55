"""Source code as items with ends of their own: what an item is, and that the snapshot is fixed."""

import ast
import shutil
from pathlib import Path

import pytest

from pipeline.corpora import source_code
from pipeline.corpora.line_breaks import BREAK, as_text
from pipeline.errors import UserError

PROGRAM = '''"""Of a module: no item."""

import os

LIMIT = (1,
         2)


@decorated(
    by="what")
def first(text: str) -> str:
    """Some words.

at the beginning of a line, which ends nothing
"""
    return text


class Second:
    def inner(self) -> None: ...


if LIMIT:
    def hidden() -> None: ...

async def third(): return 1
'''


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / "source_code" / "train" / "some" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")
    return folder


def test_an_item_is_a_function_or_class_at_a_lines_beginning(tmp_path: Path) -> None:
    corpus = written(tmp_path, b=PROGRAM, a="def only():\r\n\treturn {\r\n}\r\n")
    found = source_code.lines(corpus, "train")
    assert [(item.id, item.cluster) for item in found] == [
        ("some/a.py:1", "some/a.py"), ("some/b.py:9", "some/b.py"), ("some/b.py:19", "some/b.py"),
        ("some/b.py:26", "some/b.py")]
    lines = PROGRAM.split("\n")
    assert [item.text for item in found] == [
        f"def only():{BREAK}\treturn {{{BREAK}}}\n", BREAK.join(lines[8:16]) + "\n",
        BREAK.join(lines[18:20]) + "\n", "async def third(): return 1\n"]
    assert all(item.marked == [] and item.log_probability is None for item in found)


@pytest.mark.parametrize("code, message", [
    ("x = 1\ndef f(:\n", r"a.py, line 2: this is no Python"),
    ("def f():\n    return '⏎'\n", r"a.py, line 2: it holds '⏎', which stands for a line break"),
    ("x = '\r'\ny = 2\n", r"a.py, line 1: it holds"),
    ("", "a.py is empty")])
def test_what_is_no_code_is_named(code: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        source_code.lines(written(tmp_path, a=code), "train")


def test_a_split_without_items_is_named(tmp_path: Path) -> None:
    for corpus in (tmp_path, written(tmp_path, a="x = 1\n")):
        with pytest.raises(UserError, match="source_code/train has no function or class"):
            source_code.lines(corpus, "train")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    source_code.prepare(source_code.Settings(module="source_code"), folder, None)
    return folder


def test_the_snapshot_is_what_it_was(whole: Path) -> None:
    splits = {split: source_code.lines(whole, split) for split in ("train", "valid", "test")}
    assert {split: (len(items), sum(len(item.text) for item in items),
                    len({item.cluster for item in items}))
            for split, items in splits.items()} == {
        "train": (235, 153_075, 43), "valid": (19, 22_616, 6), "test": (80, 60_847, 13)}
    files = {split: {item.cluster for item in items} for split, items in splits.items()}
    assert not files["train"] & files["test"] and not files["valid"] & (
        files["train"] | files["test"])


def test_every_item_is_a_program_and_all_of_them_are_those_of_the_files(whole: Path) -> None:
    for split in ("train", "valid", "test"):
        items = source_code.lines(whole, split)
        names = []
        for item in items:
            (node,) = ast.parse(as_text(item.text)).body
            names.append((item.cluster, ast.dump(node)))
        folder = whole / "source_code" / split
        assert names == [(path.relative_to(folder).as_posix(), ast.dump(node))
                         for path in sorted(folder.rglob("*.py"))
                         for node in ast.parse(path.read_text("utf-8")).body
                         if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def test_the_smallest_has_the_first_files_of_each_split(whole: Path, tmp_path: Path) -> None:
    settings = source_code.Settings(module="source_code").smallest()
    source_code.prepare(settings, tmp_path, None)
    for split in ("train", "valid", "test"):
        found = sorted(path.relative_to(whole) for path in (whole / "source_code" / split
                                                            ).rglob("*.py"))[:2]
        assert found == sorted(path.relative_to(tmp_path) for path in (
            tmp_path / "source_code" / split).rglob("*.py"))


def test_an_altered_archive_is_refused_and_an_altered_file_mended(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = source_code.Settings(module="source_code", files=2)
    source_code.prepare(settings, tmp_path, None)
    (path, *_) = sorted((tmp_path / "source_code" / "test").rglob("*.py"))
    content = path.read_bytes()
    path.write_bytes(b"x = 1\n")
    source_code.prepare(settings, tmp_path, None)
    assert path.read_bytes() == content
    place = source_code.ARCHIVE.listing.parent
    for name in (source_code.ARCHIVE.path, source_code.ARCHIVE.listing.name):
        shutil.copy(place / name, tmp_path)
    packed = tmp_path / source_code.ARCHIVE.path
    packed.write_bytes(packed.read_bytes()[:-2000])
    monkeypatch.setattr(source_code, "_HERE", tmp_path)
    with pytest.raises(UserError, match=rf"{packed} is part of the project and was altered"):
        source_code.prepare(settings, tmp_path / "other", None)
