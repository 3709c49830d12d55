"""Two small suites with results, of which every test of a verification has a copy to work in."""

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.results.leaderboard import write_leaderboard
from pipeline.results.report import write_report
from pipeline.suite.schema import Suite, load
from tests.toy_project import make_project
from tests.toy_suite import toy_suite, write_results, write_seeds
from tests.verification.small_suites import reproduced
from tests.written_lock import write_lock


@pytest.fixture(scope="session")
def toy_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a toy suite whose 'training' puts back what `reproduced/` holds."""
    folder = tmp_path_factory.mktemp("toy")
    suite = toy_suite(folder)
    write_results(suite)
    write_seeds(suite, "network", [0.1, 0.2])
    write_leaderboard(suite, "yearly")
    write_report(suite)
    write_lock(suite)
    for name in ("metrics", "leaderboards", "curves"):
        shutil.copytree(folder / name, folder / "reproduced" / name)
    shutil.copyfile(folder / "dvc.lock", folder / "reproduced/dvc.lock")
    for name in ("costs", "predictions"):
        (folder / name).rename(folder / "reproduced" / name)
    (folder / "pipeline").mkdir()
    (folder / "pipeline/__init__.py").touch()  # else another folder's package would go first
    (folder / "pipeline/__main__.py").write_text(
        "import shutil, sys\n"
        "assert sys.argv[1:] == ['repro', '--jobs', '3']\n"
        "shutil.copytree('reproduced', '.', dirs_exist_ok=True)\n")
    return folder


@pytest.fixture
def embedded(toy_results: Path, tmp_path: Path) -> Suite:
    """The suite of a copy of `toy_results`."""
    return toy_suite(shutil.copytree(toy_results, tmp_path, dirs_exist_ok=True))


@pytest.fixture
def other_machine(embedded: Suite) -> Suite:
    """The suite, whose network answers otherwise when it is trained here."""
    lock = reproduced(embedded) / "dvc.lock"
    yaml = YAML()
    content = yaml.load(lock)
    for stage in ("train@network", "evaluate@network"):
        for entry in content["stages"][stage]["outs"]:
            entry["md5"] = "f" * 32
    yaml.dump(content, lock)
    return embedded


@pytest.fixture(scope="session")
def real_results(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A project with a real suite as it is committed: results and predictions, no data."""
    folder = make_project(tmp_path_factory.mktemp("real") / "project", root)
    suite = load(folder / "real" / "params.yaml")
    write_lock(suite)
    write_leaderboard(suite, "yearly")
    write_report(suite)
    write_lock(suite)
    for name in ("data", "features", "models", "figures", "inputs"):
        shutil.rmtree(folder / "real" / name)
    return folder


@pytest.fixture
def project(real_results: Path, tmp_path: Path) -> Path:
    """A copy of `real_results` to work in."""
    return shutil.copytree(real_results, tmp_path / "project")
