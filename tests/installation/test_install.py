"""Installation takes the files whose hashes are locked, and refuses every other one."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.installation.install import attempt, install, needs_cuda
from tests.commands.test_makefile import make
from tests.conftest import ROOT

LOCKED = "requirements/build.lock"


def wheel(folder: Path, name: str, content: str = "", needs: str = "") -> str:
    """A package of one module, as an index would have it; its hash."""
    folder.mkdir(exist_ok=True)
    path, info = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    required = f"Requires-Dist: {needs}\n" if needs else ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", content)
        archive.writestr(f"{info}/METADATA",
                         f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{required}")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
                                          "Tag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lock(path: Path, **hashes: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}==1.0 --hash=sha256:{digest}\n"
                            for name, digest in hashes.items()))
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder in which pip looks for packages."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "index"


def test_the_locked_file_is_installed_and_what_it_asks_for_is_not_fetched(
        index: Path, tmp_path: Path) -> None:
    good = wheel(index, "wanted", "VALUE = 1\n", needs="unasked")
    wheel(index, "unasked")
    install(lock(tmp_path / "a.lock", wanted=good), "--target", str(tmp_path / "here"))
    assert (tmp_path / "here/wanted.py").read_text() == "VALUE = 1\n"
    assert not (tmp_path / "here/unasked.py").exists()


def test_another_file_under_the_same_name_is_refused(
        index: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    good = wheel(index, "wanted")
    wheel(index, "wanted", "import os\n")
    with pytest.raises(UserError, match="hash that does not match is that of another file"):
        install(lock(tmp_path / "a.lock", wanted=good), "--target", str(tmp_path / "here"))
    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert not (tmp_path / "here/wanted.py").exists()


def test_an_entry_without_a_hash_is_refused(index: Path, tmp_path: Path) -> None:
    wheel(index, "wanted")
    (tmp_path / "a.lock").write_text("wanted==1.0\n")
    with pytest.raises(UserError):
        install(tmp_path / "a.lock", "--target", str(tmp_path / "here"))


def test_make_install_ends_with_the_refusal(index: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in ("Makefile", "pyproject.toml", "pipeline/__init__.py", "pipeline/errors.py",
                 "pipeline/ending.py", "pipeline/environment.py", "pipeline/stops.py",
                 "pipeline/processes.py",
                 "pipeline/guardian.py", "pipeline/storage/__init__.py",
                 "pipeline/storage/files.py", "pipeline/commands/__init__.py",
                 "pipeline/installation/check_python.py",
                 "pipeline/installation/install.py", "pipeline/installation/fit_torchaudio.py"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, clone / name)
    wheel(index, "wanted")
    lock(clone / LOCKED, wanted="0" * 64)
    lock(clone / "requirements.lock")
    done = make(clone, "install")
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "DO NOT MATCH THE HASHES" in done.stderr and "did not install" in done.stderr
    assert not (clone / ".venv/installed").exists()


def test_what_can_be_done_without_is_told_with_the_reason(index: Path, tmp_path: Path) -> None:
    wheel(index, "cmake")
    assert "DO NOT MATCH THE HASHES" in str(attempt(lock(tmp_path / "a.lock", cmake="0" * 64)))
    assert "Could not find a version" in str(attempt(lock(tmp_path / "b.lock", kenlm="0" * 64)))


def test_one_build_of_torch_leaves_cuda_to_other_packages() -> None:
    assert needs_cuda("2.13.0")
    assert not needs_cuda("2.13.0+cpu") and not needs_cuda("2.13.0+cu130")
