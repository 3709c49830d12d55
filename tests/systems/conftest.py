"""Small tracks and trained entrants, of which all tests of systems share one copy."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.shared import shared_folder
from tests.systems.entrants import Entrant
from tests.systems.trained import Tracks, Trained, make_trained


@pytest.fixture(scope="session")
def conformance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_folder(tmp_path_factory, "conformance")


@pytest.fixture(scope="session")
def small_tracks(conformance: Path) -> Tracks:
    """Features of tracks of the embedded suite."""
    return Tracks(conformance)


@pytest.fixture(scope="session")
def trained(conformance: Path, small_tracks: Tracks) -> Callable[[Entrant], Trained]:
    """Gives an entrant's saved system."""
    return make_trained(conformance, small_tracks)
