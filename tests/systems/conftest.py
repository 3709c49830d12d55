"""Small tracks and trained entrants, of which all tests of systems share one copy."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.systems.entrants import Entrant
from tests.systems.trained import Tracks, Trained, make_trained


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "conformance"


@pytest.fixture(scope="session")
def small_tracks(shared_folder: Path) -> Tracks:
    """Features of tracks of the embedded suite."""
    return Tracks(shared_folder)


@pytest.fixture(scope="session")
def trained(shared_folder: Path, small_tracks: Tracks) -> Callable[[Entrant], Trained]:
    """Gives an entrant's saved system."""
    return make_trained(shared_folder, small_tracks)
