"""The clone that is verified: the last commit, and nothing that lies on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.verification.verify import (
    clone,
    environment,
    is_fresh_clone,
    mirror_of,
    uncommitted,
    verify_last_commit,
    workplace,
)
from tests.toy_project import REAL
from tests.verification.small_suites import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A project with one commit, one change after it, and a DVC cache."""
    folder = tmp_path / "project"
    (folder / ".dvc" / "cache").mkdir(parents=True)
    (folder / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (folder / ".gitignore").write_text("/.dvc/cache\n")
    (folder / "params.yaml").write_text("committed: 1\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    (folder / "params.yaml").write_text("changed: 1\n")
    (folder / ".dvc" / "cache" / "object").write_text("x")
    return folder


def test_the_clone_has_the_commit_and_an_empty_cache_of_its_own(repository: Path,
                                                                tmp_path: Path) -> None:
    target = tmp_path / "clone"
    clone(repository, target)
    assert (target / "params.yaml").read_text() == "committed: 1\n"
    assert not (target / ".dvc" / "cache").exists()
    found = subprocess.run([sys.executable, "-m", "dvc", "cache", "dir"], cwd=target, text=True,
                           capture_output=True, check=True).stdout.strip()
    assert Path(found).resolve() == (target / ".dvc" / "cache").resolve()
    assert uncommitted(repository) == 1
    assert is_fresh_clone(target) and not is_fresh_clone(repository)
    (target / ".dvc" / "cache").mkdir()
    assert not is_fresh_clone(target)


def test_a_project_without_a_commit_cannot_be_verified(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(UserError, match="commit first"):
        clone(tmp_path / "empty", tmp_path / "clone")


def test_nothing_leads_the_clone_back_to_this_machine() -> None:
    found = environment({"GIT_DIR": "/x", "MLFLOW_TRACKING_URI": "sqlite:////x.db", "HOME": "/h",
                         "UNROLLED_MIRROR": "relative", "PATH": "/bin"}, None)
    assert found == {"HOME": "/h", "PATH": f"{Path(sys.executable).parent}{os.pathsep}/bin"}
    assert environment({}, Path("/m"))["UNROLLED_MIRROR"] == "/m"


def test_the_mirror_is_an_existing_folder_or_none(tmp_path: Path) -> None:
    assert mirror_of(tmp_path, {}) is None
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "params.yaml").write_text(REAL)
    assert mirror_of(tmp_path, {}) is None
    (tmp_path / "mirror").mkdir()
    assert mirror_of(tmp_path, {}) == tmp_path / "mirror"
    assert mirror_of(tmp_path, {"UNROLLED_MIRROR": "/nowhere/at/all"}) is None


def test_work_is_done_in_an_empty_folder(tmp_path: Path) -> None:
    with workplace(None) as folder:
        assert list(folder.iterdir()) == []
    assert not folder.exists()
    with workplace(tmp_path / "kept") as kept:
        (kept / "file").touch()
    with pytest.raises(UserError, match="not empty"), workplace(tmp_path / "kept"):
        pass


def test_without_git_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="git is not installed.*install git"):
        verify_last_commit(1, tmp_path / "kept", train=False)
    assert list(tmp_path.iterdir()) == []
