import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.provenance.dependencies import modules_used


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
    assert names(modules_used(root, ["pipeline.start"])) == {
        "pipeline/start.py", "pipeline/nn/cell.py"}


def test_relative_imports_climb_and_chains_and_circles_end(tmp_path: Path) -> None:
    root = tree(tmp_path, stages__train="from pipeline.a import x", pipeline__a="import pipeline.b",
                pipeline__b="import pipeline.a\nimport pipeline.nn.c",
                pipeline__nn__c="from .. import d\nfrom . import e", pipeline__d="",
                pipeline__nn__e="", pipeline__unused="")
    assert names(modules_used(root, ["stages/train.py"])) == {
        "stages/train.py", "pipeline/a.py", "pipeline/b.py", "pipeline/d.py", "pipeline/nn/c.py",
        "pipeline/nn/e.py"}


def test_packages_on_the_way_count_and_so_do_their_imports(tmp_path: Path) -> None:
    root = tree(tmp_path, pipeline__nn__cell="", pipeline__hidden="")
    (root / "pipeline" / "nn" / "__init__.py").write_text("from pipeline import hidden")
    assert {path.as_posix() for path in modules_used(root, ["pipeline.nn.cell"])} == {
        "pipeline/__init__.py", "pipeline/nn/__init__.py", "pipeline/nn/cell.py",
        "pipeline/hidden.py"}


def test_observers_are_exempt_however_they_are_imported(tmp_path: Path) -> None:
    root = tree(tmp_path, stages__train="from pipeline.tracking.store import store\nimport pipeline.tracking.publish",
                pipeline__tracking="import pipeline.other", pipeline__publish="",
                pipeline__other="")
    assert names(modules_used(root, ["stages.train"])) == {"stages/train.py"}


def test_unknown_entry_points_and_broken_files_are_named(tmp_path: Path) -> None:
    root = tree(tmp_path, pipeline__start="import pipeline.broken", pipeline__broken="def :")
    with pytest.raises(UserError, match="pipeline.missing is neither"):
        modules_used(root, ["pipeline.missing"])
    with pytest.raises(UserError, match=r"stages/gone.py is neither"):
        modules_used(root, ["stages/gone.py"])
    with pytest.raises(UserError, match="pipeline/broken.py cannot be read.*line 1"):
        modules_used(root, ["pipeline.start"])


@pytest.mark.parametrize("module", ["pipeline.running.fitting", "pipeline.suite.schema", "pipeline.tracking.publish"])
def test_whatever_python_loads_was_found(root: Path, module: str) -> None:
    """Independent reference: the modules that an interpreter has after the import."""
    script = (f"import json, sys, {module}\n"
              "print(json.dumps([m.__file__ for n, m in list(sys.modules.items())"
              " if n.split('.')[0] == 'pipeline']))")
    loaded = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True,
                            text=True, check=True)
    files = {Path(name).relative_to(root) for name in json.loads(loaded.stdout)}
    observers = {Path("pipeline/tracking/store.py"), Path("pipeline/tracking/publish.py")}
    assert files - observers <= modules_used(root, [module])
    assert len(files) > 2
