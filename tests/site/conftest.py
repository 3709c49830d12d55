"""The site of `real/`, as a clone without any training renders it, once for all tests of it."""

import shutil
from pathlib import Path

import pytest

from pipeline.site.building import Written, render_site
from pipeline.site.bundle import FILES, kept
from pipeline.suite.places import Places
from pipeline.suite.schema import load
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def real_written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    if shutil.which("npm") is None and not (kept(Places(ROOT)) / FILES[0]).is_file():
        pytest.skip("PAGES OF REAL RESULTS NOT LOOKED AT: npm is not installed")
    return render_site([load(ROOT / "real/params.yaml")],
                       tmp_path_factory.mktemp("real") / "site")


@pytest.fixture(scope="session")
def real_site(real_written: Written) -> Path:
    return real_written.front.parent
