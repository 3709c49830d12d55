"""Modules that a params.yaml names: corpora, tasks, and the systems of a task.

They are imported by name here and nowhere else, so that `pipeline.provenance` can tell what a stage
uses by reading: every other import in the project is a plain statement.
"""

import importlib
from pathlib import Path
from types import ModuleType

from pipeline.errors import UserError

_PACKAGE = Path(__file__).resolve().parent


def corpus_name(corpus: str) -> str:
    """Dotted name of a corpus's module."""
    return f"pipeline.corpora.{corpus}"


def part_name(task: str, part: str) -> str:
    """Dotted name of a task's part: its features, scoring or figures."""
    return f"pipeline.tasks.{task}.{part}"


def model_name(task: str, model: str) -> str:
    """Dotted name of the module of one system of a task."""
    return f"pipeline.tasks.{task}.systems.{model}"


def corpus_module(corpus: str) -> ModuleType:
    """Raises UserError when there is no such corpus module."""
    _check("corpus module", corpus, corpora())
    return importlib.import_module(corpus_name(corpus))


def task_module(task: str, part: str) -> ModuleType:
    """Raises UserError when there is no such task."""
    _check("task", task, tasks())
    return importlib.import_module(part_name(task, part))


def model_module(task: str, model: str) -> ModuleType:
    """Raises UserError when there is no such task, or no such model of it."""
    _check("task", task, tasks())
    _check("model", model, models(task))
    return importlib.import_module(model_name(task, model))


def corpora() -> list[str]:
    """Names of all modules that can prepare a corpus."""
    return [name for name in _in("corpora")
            if "def prepare(" in (_PACKAGE / "corpora" / f"{name}.py").read_text("utf-8")]


def tasks() -> list[str]:
    """Names of all tasks."""
    return sorted(path.parent.name for path in (_PACKAGE / "tasks").glob("*/__init__.py"))


def models(task: str) -> list[str]:
    """Names of all systems of a task."""
    return _in(f"tasks/{task}/systems")


def _check(kind: str, name: str, known: list[str]) -> None:
    """What a file names is imported only if it is one of these."""
    if name not in known:
        raise UserError(f"there is no {kind} {name!r}; known: {', '.join(known)}")


def _in(folder: str) -> list[str]:
    return sorted(path.stem for path in (_PACKAGE / folder).glob("*.py")
                  if not path.stem.startswith("_"))
