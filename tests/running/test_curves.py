"""The file from which `dvc plots` draws how a training went."""

from pathlib import Path

from pipeline.running.fitting import write_curve
from pipeline.storage.files import read_json
from pipeline.suite.places import Places


def test_a_curve_is_a_list_of_points_and_none_is_no_file(tmp_path: Path) -> None:
    path = Places(tmp_path, "real/").curve("lm-word", "lm-lstm")
    assert path == tmp_path / "real/curves/lm-word/lm-lstm.json"
    points = [{"step": 10, "epoch": 1, "validation_loss": 3.0}]
    write_curve(path, points)
    assert read_json(path) == points
    write_curve(path, [])
    assert not path.exists()
