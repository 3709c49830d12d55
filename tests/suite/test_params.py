"""params.yaml: each value has one owner, so `dvc exp run -S` changes what it names, nothing else.

An anchor, an alias or a merge key gives one value several owners: an override of one of them then
changes nothing, or other systems too.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import load_yaml
from ruamel.yaml import YAML
from ruamel.yaml.tokens import AliasToken, AnchorToken, ScalarToken

SUITES = ["params.yaml", "real/params.yaml", "large/params.yaml"]
Path_ = tuple[str, ...]


@pytest.mark.parametrize("suite", SUITES)
def test_no_value_has_two_owners(root: Path, suite: str) -> None:
    shared = [f"line {found.start_mark.line + 1}" for found in YAML().scan(root / suite)
              if isinstance(found, AnchorToken | AliasToken)
              or isinstance(found, ScalarToken) and found.plain and found.value == "<<"]
    assert not shared, "write these values out where they are used"


def leaves(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Paths of all values below mappings; a list is one value."""
    if not isinstance(value, dict) or not value:
        yield path
        return
    for key, below in value.items():
        yield from leaves(below, (*path, key))


def with_values(tree: Any, values: dict[Path_, int], path: Path_ = ()) -> Any:
    """The tree with some of its leaves replaced."""
    if path in values:
        return values[path]
    if not isinstance(tree, dict):
        return tree
    return {key: with_values(below, values, (*path, key)) for key, below in tree.items()}


@pytest.mark.parametrize("remainder", [0, 1])
@pytest.mark.parametrize("suite", SUITES)
def test_an_override_of_a_leaf_changes_that_leaf_of_that_system_alone(
        root: Path, tmp_path: Path, suite: str, remainder: int) -> None:
    """Each second leaf gets a value of its own, by what `dvc exp run -S` does with a file."""
    file = tmp_path / "params.yaml"
    shutil.copy(root / suite, file)
    before = load_yaml(file)
    paths = [path for path in leaves(before["systems"], ("systems",))]
    values = {path: 900_000 + number for number, path in enumerate(paths)
              if number % 2 == remainder}
    apply_overrides(file, [f"{'.'.join(path)}={value}" for path, value in values.items()])
    assert load_yaml(file) == with_values(before, values)


def test_an_override_of_a_value_with_two_owners_would_be_noticed(tmp_path: Path) -> None:
    """What the tests above are against, so that they cannot pass for another reason."""
    file = tmp_path / "params.yaml"
    file.write_text("systems:\n  a: &a {rate: 1, size: 2}\n  b: *a\n  c: {<<: *a, size: 3}\n")
    before = load_yaml(file)
    apply_overrides(file, ["systems.b.rate=7", "systems.c.rate=8"])
    wanted = with_values(before, {("systems", "b", "rate"): 7, ("systems", "c", "rate"): 8})
    assert load_yaml(file) != wanted
