"""Places: where everything lies, and that nobody else says so."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.suite.places import Places

FOLDERS = ("data", "features", "models", "predictions", "metrics", "costs", "figures",
           "leaderboards", "inputs", "work")
FOLDER = re.compile(rf"({'|'.join(FOLDERS)})(/.*)?", re.DOTALL)
# In a formatted string a name is the beginning of a path only with the slash after it.
PATH = re.compile(rf"(^|/)({'|'.join(FOLDERS)})/")


def text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def built_paths(source: str) -> Iterator[str]:
    """Strings of a source that become a path of the layout.

    A string that a '/' joins or `Path` takes, a formatted string with a folder's name in it, and
    a list of names whose members a '/' joins.
    """
    module = ast.parse(source)
    joined = [side for node in ast.walk(module)
              if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
              for side in (node.left, node.right)]
    names = {node.id for node in joined if isinstance(node, ast.Name)}
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else (
                node.func.id if isinstance(node.func, ast.Name) else "")
            if called in ("Path", "joinpath"):
                joined += node.args
        elif isinstance(node, ast.JoinedStr):
            yield from (text(part) for part in node.values if PATH.search(text(part)))
        elif (isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name)
              and node.target.id in names and isinstance(node.iter, ast.Tuple | ast.List)):
            joined += node.iter.elts
    yield from (text(node) for node in joined if FOLDER.fullmatch(text(node)))


@pytest.mark.parametrize("source", [
    'root / "models"',
    'root / suite.directory / "models" / key',
    'base / "leaderboards/spread.json"',
    'base / f"metrics/{track}/{key}.json"',
    'base / f"{suite}costs/{track}"',
    'cost = f"costs/{track}/{key}.train.json"',
    'Path("work")',
    'root.joinpath("data", corpus)',
    'for name in ("metrics", "costs"):\n    remove(root / name)',
    '[root / name for name in ["metrics", "costs"]]',
])
def test_every_way_to_build_a_path_of_the_layout_is_seen(source: str) -> None:
    assert list(built_paths(source))


@pytest.mark.parametrize("source", [
    'result["metrics"]["wer"]', '{"data": 1, "features": 2}', 'fit / "spec.json"',
    'f"metrics of {key}"', 'part_name(task, "features")', 'a / b', 'word / "database"',
    'for name in ("metrics", "costs"):\n    print(result[name])', '"data/ is a folder"',
])
def test_other_uses_of_the_names_are_let_through(source: str) -> None:
    assert list(built_paths(source)) == []


def test_nobody_else_builds_a_path_of_the_layout(root: Path) -> None:
    found = {path.relative_to(root).as_posix(): built for folder in ("pipeline", "stages")
             for path in (root / folder).rglob("*.py")
             if (built := list(built_paths(path.read_text("utf-8"))))}
    assert set(found) == {"pipeline/suite/places.py"}, found


def test_where_everything_of_a_system_lies() -> None:
    places = Places(Path("/p"), "real/")
    assert [path.as_posix() for path in (
        places.params, places.pipeline, places.lock, places.data("c"), places.fit("t"),
        places.test("t"), places.model("s"), places.answers("t", "s", "beam"),
        places.items("t", "s", ""), places.metrics("t", "s"), places.cost("t", "s", "train"),
        places.figures("t", "s"), places.board("t"), places.page("t"),
        places.input("train", "s"), places.input("report"))] == [
        "/p/real/params.yaml", "/p/real/dvc.yaml", "/p/real/dvc.lock", "/p/real/data/c",
        "/p/real/features/t/fit", "/p/real/features/t/test", "/p/real/models/s",
        "/p/real/predictions/t/s/beam.parquet", "/p/real/predictions/t/s/plain.items.parquet",
        "/p/real/metrics/t/s.json", "/p/real/costs/t/s.train.json", "/p/real/figures/t/s",
        "/p/real/leaderboards/t.json", "/p/real/leaderboards/t.md",
        "/p/real/inputs/train/s.json", "/p/real/inputs/report.json"]


def test_a_layout_elsewhere_has_the_same_folders_and_no_suite() -> None:
    below = Places(Path("/p"), "real/").below(Path("/tmp/x"))
    assert below.metrics("t", "s") == Path("/tmp/x/metrics/t/s.json")


def test_suites_with_systems_of_one_name_share_no_checkpoint() -> None:
    suites = [Places(Path("/p"), suite) for suite in ("", "real/", "large/")]
    folders = [places.checkpoints("lm-lstm", 1, "version") for places in suites]
    for one in folders:
        assert one.is_relative_to("/p/work")
        assert not any(one != other and one.is_relative_to(other.parent) for other in folders)
