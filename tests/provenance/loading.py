"""What an interpreter loads, as an independent reference for what is found by reading imports."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.provenance.code import OBSERVERS

# Observers do not count, nor what only they import, so they are taken out beforehand.
_SCRIPT = """
import importlib, json, sys
from unittest.mock import MagicMock
observers, modules = map(json.loads, sys.argv[1:])
sys.modules.update({name: MagicMock(__path__=[]) for name in observers})
for name in modules:
    importlib.import_module(name)
print(json.dumps([module.__file__ for name, module in list(sys.modules.items())
                  if name.split(".")[0] in ("pipeline", "stages") and name not in observers]))
"""


def loaded_files(root: Path, modules: Sequence[str]) -> set[Path]:
    """Files below `root` that are loaded once `modules` are imported, observers aside."""
    names = [".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
             for path in (root / "pipeline").rglob("*.py")]
    observers = [name for name in names
                 if any(f"{name}.".startswith(f"{known}.") for known in OBSERVERS)]
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, json.dumps(observers), json.dumps(list(modules))],
        cwd=root, capture_output=True, text=True, check=True)
    return {Path(name).relative_to(root) for name in json.loads(done.stdout)}
