"""What all tests share: the mirror of real corpora, and one thread a process."""

import os
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder with copies of real corpora; tests that need it are skipped, with the reason."""
    folder = Path(os.environ.get("UNROLLED_MIRROR", ROOT.parent / "shared" / "mirror"))
    if not folder.is_dir():
        pytest.skip(f"REAL CORPORA NOT CHECKED: no mirror at {folder}; set UNROLLED_MIRROR")
    return folder
