"""`make` before it installs: the right Python, a whole environment, and what to do if not."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from pipeline.installation.check_python import bounds, unfit
from tests.conftest import ROOT

WANTED = f"{sys.version_info[0]}.{sys.version_info[1]}"


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items()
            if name not in ("PYTHON", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "PATH_OUTSIDE")}
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True,
                          env=kept | variables)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make` reads before anything is installed."""
    for name in ("Makefile", "pyproject.toml", "pipeline/installation/check_python.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def pretender(folder: Path, version: tuple[int, int, int], without: str = "") -> Path:
    """This Python under another version's name, or without one of its modules."""
    path = folder / f"pretender-{version[1]}{without}"
    path.write_text(
        f"#!/bin/sh\n[ \"$2\" ] || exec {sys.executable} -c ''\n"  # whether it runs at all
        f"exec {sys.executable} -c 'import runpy, sys; "
        f"sys.version_info = {version}; sys.modules[\"{without}\" or \"-\"] = None; "
        "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name=\"__main__\")' \"$@\"\n")
    path.chmod(0o755)
    return path


def environment(folder: Path, version: str, pip: bool = True) -> Path:
    """A virtual environment as far as `make` looks: its Python, which tells a version."""
    python = folder / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{'' if pip else 'exit 1'}\necho {version}\n")
    python.chmod(0o755)
    return folder / ".venv"


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 10, 13), (3, 14, 0)])
def test_a_python_that_will_not_do_is_named_with_the_remedy(
        clone: Path, version: tuple[int, int, int]) -> None:
    python = pretender(clone, version)
    done = make(clone, "check-python", f"PYTHON={python}")
    assert done.returncode == 2
    assert "needs Python 3.11 to 3.13" in done.stderr
    assert f" is {'.'.join(map(str, version))}. Name another one: make repro PYTHON=python3." in (
        done.stderr)
    assert "Traceback" not in done.stderr and not (clone / ".venv").exists()


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_that_cannot_make_environments_is_named(clone: Path, module: str) -> None:
    done = make(clone, "check-python", f"PYTHON={pretender(clone, (3, 12, 1), module)}")
    assert done.returncode == 2
    assert f"lacks '{module}'" in done.stderr and "apt install python3.12-venv" in done.stderr


def test_no_python_of_that_name(clone: Path) -> None:
    done = make(clone, "check-python", PYTHON="python-of-nobody")
    assert done.returncode == 2
    assert "'python-of-nobody' does not run; name another Python" in done.stderr


def test_old_pythons_of_this_machine_are_refused_in_words(clone: Path) -> None:
    found = [path for minor in range(6, 11)
             for path in Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python")]
    found += [path for path in map(Path, ("/usr/bin/python3.9", "/usr/bin/python3.10"))
              if path.exists()]
    for python in found:
        done = make(clone, "check-python", f"PYTHON={python}")
        assert done.returncode == 2 and "needs Python 3.11 to 3.13" in done.stderr, python
    if not found:
        pytest.skip("NO OLD PYTHON HERE: only pretended ones were tried")


def test_an_environment_of_another_python_is_made_anew_and_the_right_one_stays(
        tmp_path: Path) -> None:
    right = environment(tmp_path / "right", WANTED)
    assert unfit(str(right)) is None
    assert unfit(str(tmp_path / "none")) is None
    assert "it is of Python 3.9, wanted is" in unfit(str(environment(tmp_path / "old", "3.9")))
    assert "has no pip" in unfit(str(environment(tmp_path / "bare", WANTED, pip=False)))
    (tmp_path / "gone/bin").mkdir(parents=True)
    (tmp_path / "gone/bin/python").symlink_to(tmp_path / "nowhere")
    assert "does not run" in unfit(str(tmp_path / "gone"))


def test_a_second_try_with_another_python_removes_the_wrong_environment(clone: Path) -> None:
    wrong = environment(clone, "3.9")
    done = make(clone, "check-python", f"PYTHON={sys.executable}")
    assert done.returncode == 0, done.stderr
    assert f".venv is made anew: it is of Python 3.9, wanted is {WANTED}" in done.stdout
    assert not wrong.exists()


def test_an_environment_that_works_stays_in_use_whatever_python3_is(clone: Path) -> None:
    venv.create(clone / ".venv", symlinks=True, system_site_packages=True)
    (clone / "bin").mkdir()
    pretender(clone, (3, 9, 18)).rename(clone / "bin/python3")
    done = make(clone, "check-python", PATH=f"{clone / 'bin'}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert (clone / ".venv/bin/python").exists()


def test_every_target_is_listed_and_calls_the_one_command() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    (phony,) = [line for line in text.splitlines() if line.startswith(".PHONY:")]
    listed = make(ROOT, "help").stdout
    for target in phony.split()[1:]:
        assert f"  make {target} " in listed
    for target in ("try", "repro", "verify", "ui", "spread"):
        planned = make(ROOT, "-n", target, "TRACK=addition", "SUITE=real", "JOBS=3").stdout
        assert planned.splitlines()[-1].startswith(f".venv/bin/python -m pipeline {target} ")


def test_the_bounds_are_those_of_the_package() -> None:
    assert bounds(str(ROOT / "pyproject.toml")) == ((3, 11), (3, 14))
