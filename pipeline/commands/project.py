"""Which project and which suite a command means, from the folder that it is called in.

A project is a folder whose params.yaml names its `root`, or has `pipeline/` beside it; a command
looks for the nearest one from the current folder upward, as git does. The code that runs is that of
the project, wherever `unrolled` itself was installed: a clone's results come from the clone's code.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import UserError
from pipeline.suite.messages import nearest

EMBEDDED = "embedded"
_PARAMS = "params.yaml"
_PACKAGE = Path(__file__).resolve().parents[1]
# Read as text: a command that only looks for its project does not wait for YAML.
_ROOT_KEY = re.compile(r"^(?:\ufeff)?root:\s*(['\"]?)(\S*?)\1\s*(?:#.*)?$", re.MULTILINE)


def find_params(start: Path) -> Path | None:
    """The params.yaml of the nearest suite, in `start` or above it."""
    folder = start.resolve()
    for place in (folder, *folder.parents):
        found = place / _PARAMS
        if os.path.isfile(found) and _root_of(found):
            return found
    return None


def find_root(start: Path) -> Path | None:
    """The folder of the project that `start` lies in."""
    params = find_params(start)
    return _root_of(params) if params else None


def suite_file(name: str | None, start: Path) -> Path:
    """The params.yaml that is meant: the nearest one, or by its path, or by the suite's name.

    Raises UserError when there is no project here or no such suite in it.
    """
    if name == "":
        raise UserError("--suite names nothing; give a suite's name or its params.yaml, or leave "
                        "the option out")
    if name:
        for path in (start / name, start / name / _PARAMS):
            if os.path.isfile(path):
                return path.resolve()
    params = find_params(start)
    if params is None:
        raise UserError(
            f"no project here: neither {start.resolve()} nor a folder above it has a params.yaml "
            "of a suite. Change to a clone of Unrolled; a trained system's folder alone serves "
            "'unrolled predict FOLDER FILE'")
    if not name:
        return params
    root = _root_of(params) or params.parent
    suites = {EMBEDDED: root / _PARAMS} | {
        path.parent.name: path for path in sorted(root.glob(f"*/{_PARAMS}")) if _root_of(path)}
    if os.path.isfile(root / name):
        return root / name
    if name.rstrip("/") not in suites:
        raise UserError(f"--suite {name}: no such suite or file{nearest(name, list(suites))}")
    return suites[name.rstrip("/")]


def run_the_projects_code(arguments: Sequence[str], start: Path) -> None:
    """Begin again with the project's own code, unless it is that which runs already."""
    root = find_root(start)
    if root is None:
        return
    package = root / "pipeline"
    if package.resolve() == _PACKAGE or not (package / "__main__.py").is_file():
        return
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    # -P: a folder of that name in the current folder must not come before the project's.
    command = [sys.executable, "-P", "-m", "pipeline", *arguments]
    os.execve(sys.executable, command, os.environ | {"PYTHONPATH": path})


def _root_of(params: Path) -> Path | None:
    """The project's folder as a params.yaml names it; None for another program's file."""
    try:
        named = _ROOT_KEY.search(params.read_text("utf-8", "replace"))
    except OSError as error:
        raise UserError(f"{params} cannot be read ({error.strerror}); get the right to read it, or "
                        "change to another folder") from None
    if named:
        # Any other root is a mistake that is told when the suite is read; no code lies there.
        folder = params.parent.resolve()
        return folder.parent if named[2] == ".." else folder
    return params.parent.resolve() if (params.parent / "pipeline").is_dir() else None
