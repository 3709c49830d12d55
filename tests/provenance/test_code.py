"""Which files code uses, and what identifies each: whatever runs counts, and prose does not."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.provenance.code import Code, statements
from pipeline.provenance.inputs import entry_points
from pipeline.suite.schema import load
from tests.provenance.loading import loaded_files

SOURCE = '''\
"""About the module."""

import os

# A comment.
class Reader:
    """About the class."""

    width = 1  # why one
    """About the width."""

    async def read(self, a, b):
        """About reading."""
        return f"{a} inner {b!r}" + "outer"

    def größe(self): "About the size."


"""Between two definitions."""


def total(values):
    """About the sum.

    And more of it.
    """
    return sum([value
                for value in values])
'''


def tree(root: Path, **files: str) -> Path:
    for name, content in files.items():
        path = root / Path(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for package in [path for path in root.rglob("*") if path.is_dir()]:
        (package / "__init__.py").touch()
    return root


def names(paths: set[Path]) -> set[str]:
    return {path.as_posix() for path in paths if path.name != "__init__.py"}


@pytest.mark.parametrize("statement", [
    "import pipeline.nn.cell",
    "import pipeline.nn.cell as cell",
    "from pipeline.nn import cell",
    "from pipeline.nn.cell import Cell",
    "from .nn import cell",
    "from .nn.cell import Cell as C",
    "def late():\n    from pipeline.nn import cell",
    "if True:\n    import os, pipeline.nn.cell",
])
def test_every_form_of_import_is_followed(tmp_path: Path, statement: str) -> None:
    root = tree(tmp_path, pipeline__start=statement, pipeline__nn__cell="import torch",
                pipeline__nn__other="")
    assert names(Code(root).used(["pipeline.start"])) == {
        "pipeline/start.py", "pipeline/nn/cell.py"}


def test_relative_imports_climb_and_chains_and_circles_end(tmp_path: Path) -> None:
    root = tree(tmp_path, stages__train="from pipeline.a import x", pipeline__a="import pipeline.b",
                pipeline__b="import pipeline.a\nimport pipeline.nn.c",
                pipeline__nn__c="from .. import d\nfrom . import e", pipeline__d="",
                pipeline__nn__e="", pipeline__unused="")
    assert names(Code(root).used(["stages.train"])) == {
        "stages/train.py", "pipeline/a.py", "pipeline/b.py", "pipeline/d.py", "pipeline/nn/c.py",
        "pipeline/nn/e.py"}


def test_packages_on_the_way_count_and_so_do_their_imports(tmp_path: Path) -> None:
    root = tree(tmp_path, pipeline__nn__cell="", pipeline__hidden="")
    (root / "pipeline" / "nn" / "__init__.py").write_text("from pipeline import hidden")
    assert {path.as_posix() for path in Code(root).used(["pipeline.nn.cell"])} == {
        "pipeline/__init__.py", "pipeline/nn/__init__.py", "pipeline/nn/cell.py",
        "pipeline/hidden.py"}


def test_observers_are_exempt_however_they_are_imported(tmp_path: Path) -> None:
    root = tree(tmp_path, pipeline__start="from pipeline.tracking import store\n"
                "from pipeline import tracking\nimport pipeline.tracking.publish",
                pipeline__tracking__store="import pipeline.other", pipeline__tracking__publish="",
                pipeline__other="")
    assert names(Code(root).used(["pipeline.start"])) == {"pipeline/start.py"}


def test_a_name_that_begins_as_an_observer_s_does_is_none(tmp_path: Path) -> None:
    root = tree(tmp_path, pipeline__start="import pipeline.tracking_along",
                pipeline__tracking_along="")
    assert "pipeline/tracking_along.py" in names(Code(root).used(["pipeline.start"]))


def test_unknown_entry_points_and_broken_files_are_named(tmp_path: Path) -> None:
    code = Code(tree(tmp_path, pipeline__start="import pipeline.broken", pipeline__broken="def :"))
    with pytest.raises(UserError, match="pipeline.missing is no module below"):
        code.used(["pipeline.missing"])
    with pytest.raises(UserError, match="pipeline/broken.py cannot be read.*line 1"):
        code.used(["pipeline.start"])


@pytest.mark.parametrize("module", ["pipeline.systems.training", "pipeline.running.evaluation",
                                    "pipeline.verification.reproduction"])
def test_whatever_python_loads_was_found(root: Path, module: str) -> None:
    """Independent reference: the modules that an interpreter has after the import."""
    loaded = loaded_files(root, [module])
    assert loaded <= Code(root).used([module])
    assert len(loaded) > 2


@pytest.mark.parametrize(("old", "new"), [
    ("About the module.", "Über das Modul, in zwei\nZeilen."),
    ('"""About the module."""\n\n', ""),
    ("About the class", "On the class"),
    ("About the width", "On the width"),
    ("About reading", "On reading"),
    ("About the size", "Größe"),
    ("And more of it.", "And less."),
    ('    """About the class."""\n\n', ""),
    ('"""Between two definitions."""\n', ""),
    ("Between two definitions", "Between two"),
    ("# A comment.\n", ""),
    ("# A comment.", "# Another one."),
    ("  # why one\n", "\n    # why one\n"),
    ("def total(values):\n", "# Above.\ndef total(values):  # beside\n    # below\n"),
    ("[value\n                for value in values]", "[value for value in values]"),
    ("sum([value", "sum(\n        [value"),
    ("import os\n", "import os\n\n\n\n"),
    ("\n\n    async def", "\n    async def"),
    ("    ", "  "),
    ("    ", "\t"),
])
def test_prose_and_layout_leave_the_identity(old: str, new: str) -> None:
    assert old in SOURCE
    edited = SOURCE.replace(old, new)
    ast.parse(edited)
    assert statements(edited) == statements(SOURCE)


@pytest.mark.parametrize(("old", "new"), [
    ("import os", "import io"),
    ("width = 1", "width = 2"),
    ("width = 1", "width = 1; height = 1"),
    ('"outer"', '"other"'),
    (" inner ", " inside "),
    (" inner ", "  inner "),
    ("{b!r}", "{b}"),
    ("async def", "def"),
    ("return sum", "sum"),
    ("def größe(self)", "def grösse(self)"),
    ('    async def read', '    @property\n    async def read'),
    ("    return sum([value\n                for value in values])",
     "    return sum([value\n                for value in values])\n\n\ntotal([])"),
])
def test_every_statement_is_in_the_identity(old: str, new: str) -> None:
    assert old in SOURCE
    edited = SOURCE.replace(old, new)
    ast.parse(edited)
    assert statements(edited) != statements(SOURCE)


def test_a_string_that_ends_a_block_does_not_hide_its_end() -> None:
    inside = "if a:\n    x()\n    y()\n'text'\nz()\n"
    outside = "if a:\n    x()\n'text'\ny()\nz()\n"
    assert statements(inside) != statements(outside)
    assert statements(inside) == statements(inside.replace("'text'\n", ""))
    assert statements(outside) == statements(outside.replace("'text'\n", ""))


@pytest.mark.parametrize("end", ["\x0c", "\x1c", "\x85", "\u2028"])
def test_what_ends_a_line_for_str_and_not_for_python_moves_nothing(end: str) -> None:
    one, other = (f'x = "{end}"\n{end if end == chr(12) else ""}\n\n\ndef f():\n    """{text}"""\n'
                  f'    return f"{{x}}é"\n' for text in ("One.", "Other."))
    assert statements(one) == statements(other)
    assert statements(one) != statements(one.replace("é", "e"))


IDENTITIES = """
import json, sys
from pathlib import Path
from pipeline.provenance.code import Code
root = Path(sys.argv[1])
code = Code(root)
files = [path.relative_to(root) for folder in ("pipeline", "stages")
         for path in sorted((root / folder).rglob("*.py"))]
used = code.used(["pipeline.systems.training"])
print(json.dumps({"identities": {path.as_posix(): code.identity(path) for path in files},
                  "used": sorted(path.as_posix() for path in used)}))
"""


def interpreter(version: str) -> str:
    """A Python of that version on this machine; the test is skipped when there is none."""
    places = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python3"))
    for found in (*map(str, places), shutil.which(f"python{version}")):
        command = [found, "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if found and subprocess.run(command, capture_output=True,
                                    text=True).stdout.strip() == version:
            return found
    pytest.skip(f"PYTHON {version} NOT CHECKED: it is not installed here")


@pytest.fixture(scope="module")
def own_identities(root: Path) -> dict:
    return identities(root, sys.executable)


def identities(root: Path, python: str) -> dict:
    """All files' identities; without site-packages, so that nothing else can be needed."""
    done = subprocess.run([python, "-S", "-c", IDENTITIES, str(root)], capture_output=True,
                          text=True, env=os.environ | {"PYTHONPATH": str(root)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_identities_are_the_same_on_every_python(root: Path, own_identities: dict,
                                                 version: str) -> None:
    found = identities(root, interpreter(version))
    assert len(found["identities"]) > 100
    assert found == own_identities


IMPORTERS = {"importlib", "imp", "runpy", "pkgutil", "zipimport", "builtins"}
CALLS = {"__import__", "exec", "eval"}
# They tell about packages and import nothing.
HARMLESS = ("importlib.metadata", "importlib.util.find_spec")


def dotted(node: ast.AST) -> str:
    """'a.b.c' of an attribute of a name, '' of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def hidden_imports(source: str) -> Iterator[str]:
    """What of a source could import a module that no plain import statement names."""
    module = ast.parse(source)
    parts = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    for node in ast.walk(module):
        found: list[str] = []
        if isinstance(node, ast.Import):
            # A plain 'import importlib' binds a name that is seen where it is used.
            found = [alias.name for alias in node.names if alias.asname]
        elif isinstance(node, ast.ImportFrom):
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        elif id(node) not in parts:
            found = [dotted(node)]
        for name in found:
            importer = name.partition(".")[0] in IMPORTERS and not any(
                f"{name}.".startswith(f"{known}.") for known in HARMLESS)
            if importer or name in CALLS or name.endswith(".*"):
                yield name


@pytest.mark.parametrize("source", [
    "import importlib\nimportlib.import_module('pipeline.nn')",
    "import importlib as i\ni.import_module('pipeline.nn')",
    "import importlib.util\nimportlib.util.module_from_spec(x)",
    "import importlib.util\nimportlib.import_module('pipeline.nn')",
    "from importlib import import_module",
    "from importlib import reload as again",
    "from importlib.util import spec_from_file_location",
    "from importlib import util",
    "__import__('pipeline.nn')",
    "load = __import__",
    "exec('import pipeline.nn')",
    "eval('x')",
    "import builtins\nbuiltins.exec('x')",
    "import runpy\nrunpy.run_module('pipeline.nn')",
    "import pkgutil as p",
    "from pipeline.nn import *",
    "def f():\n    from runpy import run_module",
])
def test_every_hidden_form_of_import_is_seen(source: str) -> None:
    assert list(hidden_imports(source))


@pytest.mark.parametrize("source", [
    "import importlib.util\nimportlib.util.find_spec('x')",
    "from importlib.util import find_spec",
    "from importlib.metadata import version",
    "from importlib import metadata",
    "import importlib.metadata\nimportlib.metadata.version('x')",
    "model.eval()",
    "import pipeline.nn as nn",
])
def test_what_imports_nothing_hidden_is_let_through(source: str) -> None:
    assert list(hidden_imports(source)) == []


def test_no_module_imports_what_the_walk_would_miss(root: Path) -> None:
    hidden = {path.relative_to(root).as_posix(): found for folder in ("pipeline", "stages")
              for path in (root / folder).rglob("*.py")
              if (found := list(hidden_imports(path.read_text("utf-8"))))}
    # Two commands start other programs; no stage uses a command.
    assert set(hidden) == {"pipeline/modules.py", "pipeline/workflow/fork_server.py",
                           "pipeline/installation/check_python.py"}, hidden
    suite = load(root / "params.yaml")
    code = Code(root)
    for stage, keys in (("features", suite.tracks), ("train", suite.systems),
                        ("evaluate", suite.systems), ("leaderboard", suite.tracks),
                        ("report", [""])):
        for key in keys:
            used = code.used(entry_points(suite, stage, key))
            assert not [path for path in used if path.parts[:2] == ("pipeline", "commands")]
