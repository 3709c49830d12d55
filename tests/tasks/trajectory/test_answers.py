"""Paths as text: six decimals, and six digits of what is next to zero."""

from pathlib import Path

import numpy as np

from pipeline.storage.files import write_json
from pipeline.tasks.trajectory.shared.answers import answers


def test_small_and_large_states_are_seen(tmp_path: Path) -> None:
    write_json(tmp_path / "items.json", {"ids": ["a"]})
    path = np.array([[[1.23456789e-9, -2.0], [12345.67890123, 0.5]]])
    (found,) = answers(path, tmp_path)
    assert found == {"id": "a", "path": [[1.23457e-9, -2.0], [12345.678901, 0.5]]}
