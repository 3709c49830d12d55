"""Scripts that compare speeds: no test runs them, so what they import is looked at here."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

from tests.conftest import ROOT

HELPERS = {"__init__", "timing", "trained"}
SCRIPTS = [path for path in sorted((ROOT / "benchmarks").glob("*.py")) if path.stem not in HELPERS]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_imports_what_there_is(script: Path) -> None:
    """Also within its functions, where some import late."""
    named = [(node.module, name.name) for node in ast.walk(ast.parse(script.read_text("utf-8")))
             if isinstance(node, ast.ImportFrom) and node.module is not None
             and node.module.split(".")[0] in ("benchmarks", "pipeline") for name in node.names]
    assert named
    for module, name in named:
        found = import_module(module)
        assert hasattr(found, name) or import_module(f"{module}.{name}"), (module, name)


def test_every_script_is_described_and_every_described_one_is_there() -> None:
    rows = (ROOT / "benchmarks/README.md").read_text("utf-8").splitlines()
    described = {row.split("`")[1] for row in rows if row.startswith("| `")}
    assert {path.stem for path in SCRIPTS} == described
