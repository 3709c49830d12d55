"""One way to read text: whoever reads a corpus or a user's file asks `pipeline.storage` for it.

Python has many ways to cut a text into lines and words, and they differ in what they cut at. This
walks the code of all readers, tokenisers and systems and finds each call of another way.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PIPELINE = ROOT / "pipeline"
FOLDERS = ("storage", "corpora", "tasks", "ngram", "hmm", "nn", "audio", "decoding", "scoring")
# What defines the one way; bAbI's tokens, which its format defines; words that stand in our code.
DEFINES = {"storage/lines.py", "storage/words.py", "storage/files.py"}
OWN_TOKENS = {"corpora/babi.py", "tasks/caption/shared/words.py"}
LITERALS = ("corpora/twins/grammar/",)
READS = {"read_text", "read_gzip_lines"}
# Of these a stage has written what they read, and they read it as it was written.
WRITTEN_BY_US = {"storage/predictions.py", "storage/seal.py", "scoring/scores.py",
                 "tasks/translation/scoring.py"}


def modules() -> list[str]:
    return sorted(name for folder in FOLDERS for path in (PIPELINE / folder).rglob("*.py")
                  if (name := path.relative_to(PIPELINE).as_posix()) not in DEFINES
                  and not name.startswith(LITERALS))


def found(tree: ast.AST, name: str) -> Iterator[tuple[int, str]]:
    """Line and kind of each way to read or to cut text that is not the project's one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((node.lineno, kind) for kind in _call(node)
                        if kind != "read_text()" or name not in WRITTEN_BY_US)
        if isinstance(node, ast.ImportFrom) and name not in WRITTEN_BY_US:
            yield from ((node.lineno, f"import {alias.name}") for alias in node.names
                        if alias.name in READS)
        if (isinstance(node, ast.Constant) and isinstance(node.value, str)
                and ("\\s" in node.value or "\\S" in node.value) and name not in OWN_TOKENS):
            yield node.lineno, "a pattern with white space"


def _call(node: ast.Call) -> Iterator[str]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(
        node.func, "id", "")
    given = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    named = {keyword.arg for keyword in node.keywords}
    if called in ("splitlines", "isspace", "readlines", "readline", "read_text"):
        yield f"{called}()"
    if called in ("split", "rsplit", "strip", "lstrip", "rstrip") and (
            not node.args and "sep" not in named or given == [None]):
        yield f"{called}() at white space"
    if called in ("split", "rsplit") and given[:1] in (["\n"], ["\r\n"], ["\r"]):
        yield f"{called}() into lines"
    if called == "open" and not any(isinstance(value, str) and "b" in value for value in given) \
            and not _binary_by_nature(node):
        yield "open() as text"


def _binary_by_nature(node: ast.Call) -> bool:
    """gzip, tarfile, Image and the like open files as bytes unless they are told otherwise."""
    if not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    return isinstance(owner, ast.Name) and owner.id in ("gzip", "tarfile", "Image", "packed", "os")


@pytest.mark.parametrize("name", modules())
def test_text_is_read_in_one_way(name: str) -> None:
    assert list(found(ast.parse((PIPELINE / name).read_text("utf-8")), name)) == []


@pytest.mark.parametrize("code", [
    "text.split()", "text.split(None)", "text.split(maxsplit=1)", "line.strip()", "f(x).rstrip()",
    "text.splitlines()", "path.read_text('utf-8')", "open(path)", "path.open()",
    "path.open('r', encoding='utf-8')", "text.split('\\n')", "re.split(r'\\s+', text)",
    "letter.isspace()", "from pipeline.storage.files import read_text", "open(path).readlines()"])
def test_another_way_is_found(code: str) -> None:
    assert list(found(ast.parse(code), "corpora/some.py"))


@pytest.mark.parametrize("code", [
    "tensor.split(1, dim=1)", "text.split('\\t')", "text.strip(' ')", "path.open('rb')",
    "gzip.open(path)", "Image.open(path)", "read_lines(path)", "words_in(line)"])
def test_other_calls_are_left_alone(code: str) -> None:
    assert not list(found(ast.parse(code), "corpora/some.py"))


def test_the_walk_finds_the_readers() -> None:
    assert {"corpora/penn_treebank.py", "tasks/tagging/own.py", "ngram/arpa.py",
            "tasks/asr/shared/language_model.py"} <= set(modules())
    assert len(list(Path(PIPELINE / "corpora").glob("*.py"))) > 15
