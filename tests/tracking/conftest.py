"""The store that most tests of tracking publish to."""

from pathlib import Path

import pytest

from tests.tracked_project import empty_store


@pytest.fixture
def uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The project's own SQLite store."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return empty_store(tmp_path / "mlflow.db")
