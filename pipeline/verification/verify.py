"""`unrolled verify`: does the last commit reproduce what it says?

HEAD is cloned into an empty folder with a DVC cache and a tracking store of its own, so nothing
that lies on this machine can stand in for a result; `pipeline.verification.reproduction` then works
in the clone, by the clone's own code and with this environment's packages.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline import processes
from pipeline.errors import UserError
from pipeline.storage.files import unwritable, write_text
from pipeline.suite.schema import load
from pipeline.workflow.interpreter import path_to_this_python
from pipeline.workflow.programs import require_git

ROOT = Path(__file__).resolve().parents[2]
REAL = Path("real/params.yaml")
# They would lead the clone's git, tracking or stages back to this machine's folders.
LEADING_BACK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "MLFLOW_TRACKING_URI",
                "UNROLLED_MIRROR", "PYTHONPATH")

# DVC's local configuration goes before the user's and the machine's, which may name a shared cache.
LOCAL_CONFIG = Path(".dvc/config.local")
CACHE_INSIDE = "[cache]\n    dir = cache\n"


def is_fresh_clone(root: Path) -> bool:
    """Whether `clone` has made this folder and nothing has been reproduced in it yet."""
    local = root / LOCAL_CONFIG
    return (local.is_file() and local.read_text("utf-8") == CACHE_INSIDE
            and not (root / ".dvc" / "cache").exists())


def clone(root: Path, target: Path) -> None:
    """Clone HEAD of `root` into `target`, with an empty DVC cache inside the clone."""
    command = ["git", "clone", "--quiet", "--no-local", "--no-hardlinks", str(root), str(target)]
    done = processes.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                         env=environment(os.environ, None))
    if done.returncode != 0 or not (target / "params.yaml").exists():
        raise UserError(f"{root} could not be cloned ({done.stderr.strip() or 'HEAD is empty'}); "
                        "commit first: verification is about the last commit")
    write_text(target / LOCAL_CONFIG, CACHE_INSIDE)


def uncommitted(root: Path) -> int:
    """How many paths differ from HEAD and will therefore not be verified."""
    done = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True,
                          text=True)
    return len(done.stdout.splitlines())


def head(root: Path) -> str:
    """The hash of the last commit."""
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True,
                          check=True).stdout.strip()


def environment(variables: Mapping[str, str], mirror: Path | None) -> dict[str, str]:
    """`variables` for a process in the clone: its stages find this interpreter as `python`."""
    kept = {name: value for name, value in variables.items()
            if name not in LEADING_BACK}
    mirrored = {"UNROLLED_MIRROR": str(mirror)} if mirror else {}
    return kept | path_to_this_python(kept) | mirrored


def mirror_of(root: Path, variables: Mapping[str, str]) -> Path | None:
    """The folder with copies of the real corpora, if this machine has one."""
    params = root / REAL
    named = variables.get("UNROLLED_MIRROR") or (load(params).mirror if params.exists() else None)
    folder = (root / named).resolve() if named else None
    return folder if folder and folder.is_dir() else None


@contextlib.contextmanager
def workplace(keep: Path | None) -> Iterator[Path]:
    """An empty folder: `keep`, which stays, or a temporary one, which does not."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="unrolled-verify-") as folder:
            yield Path(folder)
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(keep, error) from None
    if any(keep.iterdir()):
        raise UserError(f"--keep {keep}: this folder is not empty; name another one")
    yield keep.resolve()


def verify_last_commit(jobs: int, keep: Path | None, *, train: bool = True) -> int:
    """Verify HEAD in a clone, which stays when `keep` names a folder; the exit code.

    Without `train`, only what committed files say of each other is checked.

    Raises UserError when git is not installed, HEAD cannot be cloned, or `keep` is not empty.
    """
    require_git("what is verified is a clone of the last commit")
    if count := uncommitted(ROOT):
        print(f"note: {count} uncommitted paths of this folder are not part of what is verified",
              flush=True)
    with workplace(keep) as folder:
        target = folder / "clone"
        clone(ROOT, target)
        print(f"verifying HEAD in {target}", flush=True)
        command = [sys.executable, "-m", "pipeline.verification.reproduction", "--jobs", str(jobs),
                   "--train" if train else "--no-train"]
        return processes.run(command, cwd=target, env=environment(
            os.environ, mirror_of(ROOT, os.environ))).returncode
