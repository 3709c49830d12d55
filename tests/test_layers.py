"""What may import what: folders stand above one another, and no modules import in a circle."""

import functools
import graphlib
from pathlib import Path

import pytest

from pipeline.provenance.code import imports_in
from tests.conftest import ROOT

# Each may import those before it. `__main__` is the way in from outside.
LAYERS = ["version", "environment", "errors", "stops", "guardian", "processes", "workers", "ending",
          "modules", "entries", "storage", "suite", "provenance", "scoring", "nn", "ngram", "hmm",
          "audio", "decoding", "corpora", "systems", "drawing", "tasks", "running", "results",
          "site", "tracking", "workflow", "verification", "installation", "commands", "__main__"]
BUILDING_BLOCKS = {"nn", "ngram", "hmm", "audio", "decoding"}
TASKS = {path.parent.name for path in (ROOT / "pipeline" / "tasks").glob("*/__init__.py")}


@functools.cache
def imported() -> dict[str, set[str]]:
    """The project's own modules that each module of pipeline/ imports, wherever in its text."""
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
             for path in (ROOT / "pipeline").rglob("*.py")}
    return {name: {other for other in imports_in(path.read_text("utf-8"),
                                                 path.relative_to(ROOT).parts[:-1])
                   if other in files and other != name}
            for name, path in files.items()}


def arrows() -> list[tuple[list[str], list[str]]]:
    """Every import from one module to another, each as the parts of its name below pipeline/."""
    return [(name.split(".")[1:], other.split(".")[1:])
            for name, others in imported().items() for other in others if other != "pipeline"]


def test_no_module_imports_itself_by_way_of_others() -> None:
    try:
        graphlib.TopologicalSorter(imported()).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"these import one another in a circle: {' <- '.join(error.args[1])}")


def test_every_module_has_its_layer() -> None:
    assert {name.split(".")[1] for name in imported() if "." in name} <= set(LAYERS)


def test_no_folder_imports_one_below_it() -> None:
    assert [arrow for arrow in arrows()
            if LAYERS.index(arrow[0][0]) < LAYERS.index(arrow[1][0])] == []


def test_building_blocks_know_no_suite_no_task_and_no_provenance() -> None:
    assert [arrow for arrow in arrows() if arrow[0][0] in BUILDING_BLOCKS
            and arrow[1][0] in ("suite", "tasks", "provenance")] == []


def test_no_task_imports_another() -> None:
    within = [arrow for arrow in arrows() if arrow[0][0] == arrow[1][0] == "tasks"]
    assert len(within) > 100
    assert [(one, other) for one, other in within
            if len(other) > 1 and other[1] in TASKS and one[1:2] != other[1:2]] == []


def test_the_pipeline_imports_no_stage_and_no_test() -> None:
    for path in (Path(ROOT) / "pipeline").rglob("*.py"):
        names = imports_in(path.read_text("utf-8"), path.relative_to(ROOT).parts[:-1])
        assert not [name for name in names if name.split(".")[0] in ("stages", "tests")], path
