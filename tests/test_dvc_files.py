"""dvc.yaml of every suite: one text in files of their own, and what a lock may hold."""

from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

COPIES = ["real/dvc.yaml", "large/dvc.yaml"]


@pytest.mark.parametrize("copy", COPIES)
def test_each_suite_has_the_same_dvc_yaml_and_no_link(root: Path, copy: str) -> None:
    """git stores a link as its text, which `dvc metrics diff <revision>` then takes for YAML."""
    assert not (root / copy).is_symlink()
    assert (root / copy).read_bytes() == (root / "dvc.yaml").read_bytes(), f"cp dvc.yaml {copy}"


def test_no_stage_reads_or_writes_what_depends_on_the_clock(root: Path) -> None:
    with Repo(str(root)) as repo:
        paths = {Path(file.fs_path).relative_to(root)
                 for stage in repo.index.stages for file in (*stage.deps, *stage.outs)}
    assert paths
    assert not [path for path in paths if "costs" in path.parts]


def test_scores_are_plain_outs_so_that_systems_not_run_raise_no_warning(root: Path) -> None:
    stages = YAML(typ="safe").load(root / "dvc.yaml")["stages"]
    for stage in stages.values():
        assert not {"metrics", "params", "plots"} & set(stage.get("do", stage))


def test_git_knows_the_costs_of_the_rows_that_were_run_once_alone(root: Path) -> None:
    ignored = (root / ".gitignore").read_text().splitlines()
    assert "/costs/" in ignored
    assert not [line for line in ignored if line.startswith(("/real/costs", "/large/costs"))]


def test_no_stage_writes_seeds_which_dvc_would_remove_and_the_report_reads_them(root: Path) -> None:
    stages = YAML(typ="safe").load(root / "dvc.yaml")["stages"]
    bodies = {name: stage.get("do", stage) for name, stage in stages.items()}
    outs = [out if isinstance(out, str) else next(iter(out))
            for body in bodies.values() for out in body.get("outs", [])]
    assert outs and not [out for out in outs if "seeds" in out]
    assert "${suite}seeds" in bodies["report"]["deps"]


def test_git_and_dvc_know_the_seeds_of_every_suite(root: Path) -> None:
    for name in (".gitignore", ".dvcignore"):
        lines = (root / name).read_text().splitlines()
        assert not [line for line in lines if "seeds" in line]
