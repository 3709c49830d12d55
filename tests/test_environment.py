"""A Python that is not the project's: too old, without its packages, or with others."""

import ast
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import environment
from pipeline.installation.check_python import bounds
from tests.conftest import ROOT
from tests.test_ending import PROGRAM, _scripts

# Any Python may call check_python, and the project calls these with its own.
NOT_CALLED = {"guardian", "fork_server", "check_python", "reproduction", "drawing_showpieces"}
MODULES = sorted(".".join(path.relative_to(ROOT).with_suffix("").parts)
                 for path in [*_scripts(), *(ROOT / "benchmarks").glob("[a-z]*.py")]
                 if path.stem not in NOT_CALLED)
SHOWS_HELP = ("pipeline.__main__", "benchmarks.")
WHOLE_SUITE = ("stages.validate", "stages.report")
OLD = sorted(Path.home().glob(".pyenv/versions/3.[6-9].*/bin/python")) + sorted(
    Path.home().glob(".pyenv/versions/3.10.*/bin/python"))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of a clone in which nothing has been installed."""
    folder = tmp_path_factory.mktemp("a user's") / "clone of \"unrolled\", ü"
    for name in ("pipeline", "stages", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pyproject.toml", "params.yaml"):
        shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of the right version without any package."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    return folder / "bin" / "python"


def called(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run([python, "-B", *arguments], cwd=folder, text=True, capture_output=True,
                          encoding="utf-8", env=kept | {"PYTHONUTF8": "1"})


@pytest.mark.parametrize("module", MODULES)
def test_no_command_has_a_traceback_for_a_python_without_packages(
        module: str, clone: Path, bare: Path) -> None:
    arguments = ["--help"] if module.startswith(SHOWS_HELP) else ["params.yaml"] + (
        [] if module in WHOLE_SUITE else ["addition"])
    done = called(bare, clone, "-m", module, *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    if module == "benchmarks.starting":  # it needs nothing to show its help
        return
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: ")
    if module.startswith((*SHOWS_HELP, *WHOLE_SUITE)):
        assert str(bare) in done.stderr and f"'make install' in {clone}" in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_bare_python_is_told_which_environment_to_take(clone: Path, bare: Path) -> None:
    first = called(bare, clone, "-m", "pipeline", "--help").stderr
    assert "has no 'cyclopts', which this project needs. 'make install' in" in first
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    try:
        second = called(bare, clone, "-m", "pipeline", "--help").stderr
        assert "'source .venv/bin/activate', both in" in second and "make install" not in second
    finally:
        shutil.rmtree(clone / ".venv")
    venv.create(clone / ".venv", symlinks=True)
    try:
        third = called(python, clone, "-m", "pipeline", "--help").stderr
        assert f"'make -B install' in {clone} installs all" in third
    finally:
        shutil.rmtree(clone / ".venv")


def test_an_environment_that_was_moved_is_not_recommended(clone: Path, bare: Path) -> None:
    shutil.copytree(bare.parents[1], clone / ".venv", symlinks=True)
    activate = clone / ".venv" / "bin" / "activate"
    activate.write_text('VIRTUAL_ENV="/elsewhere/.venv"\nexport VIRTUAL_ENV\n')
    try:
        moved = called(bare, clone, "-m", "pipeline", "--help").stderr
    finally:
        shutil.rmtree(clone / ".venv")
    assert "made for another folder and cannot be chosen here: 'rm -r .venv', then" in moved


def test_packages_are_not_put_beside_those_of_other_programs(clone: Path) -> None:
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}"
    done = called(python, clone, "-m", "pipeline.installation.install")
    assert done.returncode == 2
    assert "serves other programs too" in done.stderr and "'make install'" in done.stderr


def test_old_pythons_are_turned_away_in_words(clone: Path) -> None:
    for python in OLD:
        for command in (["pipeline", "--help"], ["stages.validate", "params.yaml"]):
            done = called(python, clone, "-m", *command)
            assert done.returncode == 2, python
            assert done.stderr.startswith(f"error: this Python ({python}, 3.")
            assert "too old for this project, which needs Python 3.11 at least" in done.stderr
            assert done.stderr.count("\n") == 1
    if not OLD:
        pytest.skip("NO OLD PYTHON HERE: that they are turned away was not tried")


def test_the_oldest_python_is_that_of_the_package() -> None:
    assert bounds(str(ROOT / "pyproject.toml"))[0] == environment.OLDEST


def test_what_turns_old_pythons_away_can_be_read_by_them() -> None:
    """And so can all that is imported before it."""
    for name in ("environment", "ending", "__main__", "__init__"):
        text = (ROOT / "pipeline" / f"{name}.py").read_text("utf-8")
        ast.parse(text, feature_version=(3, 7))


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Path]:
    """Packages that are there and do not do what they should."""
    (tmp_path / "defective.py").write_text("1 / 0\n")
    (tmp_path / "numpy.py").write_text("raise OSError('libopenblas.so: cannot open')\n")
    (tmp_path / "torch.py").write_text(
        "raise ImportError('libtorch.so: failed to map segment from shared object')\n")
    (tmp_path / "pydantic.py").write_text("older = True\n")
    yield tmp_path


@pytest.mark.parametrize("line, said", [
    ("import numpy", "cannot import 'numpy': libopenblas.so: cannot open. "),
    ("from pydantic import BaseModel", "cannot import 'pydantic': cannot import name 'BaseModel'"),
    ("import torch", "see that there is memory for it ('ulimit -v'), and that its folder is not"),
    ("import pydantic.fields", "cannot import 'pydantic': No module named 'pydantic.fields'"),
    ("import nobodys_package", "has no 'nobodys_package', which this project needs."),
    ("sys.modules['_lzma'] = None; import lzma", "was built without '_lzma', a part of Python"),
    ("from benchmarks import own", "cannot import 'defective': division by zero"),
])
def test_what_cannot_be_imported_is_named(line: str, said: str, broken: Path) -> None:
    folder = broken / "project"
    shutil.copytree(ROOT / "pipeline", folder / "pipeline", ignore=shutil.ignore_patterns(
        "__pycache__", "tasks", "results", "corpora", "site", "nn", "systems"))
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks/own.py").write_text("import defective\n")
    (folder / "benchmarks/run.py").write_text(PROGRAM.format(line))
    done = subprocess.run([sys.executable, "-m", "benchmarks.run"], cwd=folder, text=True,
                          capture_output=True, env=os.environ | {"PYTHONPATH": str(broken)})
    assert done.returncode == 2, done.stderr
    assert said in done.stderr and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: this Python ({sys.executable}, ")


@pytest.mark.parametrize("line", ["from pipeline import nothing", "import pipeline.nothing",
                                  "raise ImportError('by hand')", "1 / 0"])
def test_a_defect_of_the_project_keeps_its_traceback(line: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(line)], cwd=ROOT, text=True,
                          capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 1 and "Traceback" in done.stderr
    assert "has not what this project asks for" not in done.stderr


def test_a_defect_is_told_beside_packages_of_other_versions(tmp_path: Path) -> None:
    for name in ("dvc-3.50.1", "unheard-1.0"):
        record = tmp_path / f"{name}.dist-info" / "METADATA"
        record.parent.mkdir()
        record.write_text("Metadata-Version: 2.1\nName: {}\nVersion: {}\n".format(
            *name.split("-")))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format("1 / 0")], cwd=ROOT, text=True, capture_output=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])})
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(
        f"this Python ({sys.executable}, ") and "asks for: dvc is 3.50.1 and not" in done.stderr
    assert "unheard" not in json.dumps(done.stderr)
