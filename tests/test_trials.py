"""`make fuzz` tries more than `make test`."""

import subprocess
import sys
from pathlib import Path

import pytest

TEST = '''
from hypothesis import given, strategies as st
from tests.trials import trials

@given(st.integers())
def test_counted(number):
    print("drawn")

def test_own():
    print("own", trials(3, 20))
'''


@pytest.mark.parametrize(("options", "own", "least", "most"), [
    ([], "own 3\n", 10, 60), (["--hypothesis-profile", "long"], "own 20\n", 1000, 2500)])
def test_profile_decides_the_number_of_trials(tmp_path: Path, root: Path, options: list[str],
                                              own: str, least: int, most: int) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "conftest.py").write_text((root / "tests/conftest.py").read_text())
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-c", str(root / "pyproject.toml"),
         "--rootdir", str(tmp_path), "-p", "no:cacheprovider", *options, str(tmp_path)],
        cwd=root, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert own in run.stdout
    assert least <= run.stdout.count("drawn") <= most
