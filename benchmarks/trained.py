"""A system of a suite that has been trained, as scripts here load it."""

from pathlib import Path

from pipeline.running.trained import trained_folder
from pipeline.suite.schema import Suite, load
from pipeline.systems.base import System, system_class


def trained_system(params: Path, key: str) -> tuple[Suite, System]:
    """The suite of a params.yaml, and a trained system of it.

    Raises UserError naming the command that trains it.
    """
    suite = load(params)
    kind = system_class(suite.task_of(key), suite.systems[key]["model"])
    return suite, kind.load(trained_folder(suite, key))
