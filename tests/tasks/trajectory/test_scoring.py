"""Errors of paths by hand, and the figures."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.arrays import write_array
from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.trajectory.figures import draw, examples
from pipeline.tasks.trajectory.scoring import METRICS, score, squared_errors


@pytest.fixture
def test(tmp_path: Path) -> Path:
    """Two paths of five states; a unit is 2 of the first coordinate, 1 of the second."""
    write_json(tmp_path / "items.json", {"ids": ["a", "b"], "times": [0, 1, 2, 3, 4, 5],
                                         "coordinates": ["x", "y"], "scale": [2.0, 1.0]})
    write_array(tmp_path / "test.npy", np.zeros((2, 6, 2)))
    write_clusters(tmp_path, alone("ab"))
    return tmp_path


@pytest.fixture
def answers() -> list[Prediction]:
    # Errors in units: a has (1, 0), (0, 3), then none; b (2, 2) at the end.
    return [{"id": "b", "path": [[0, 0]] * 4 + [[4, 2]]},
            {"id": "a", "path": [[2, 0], [0, 3], [0, 0], [0, 0], [0, 0]]}]


def test_errors_by_hand(test: Path, answers: list[Prediction]) -> None:
    assert squared_errors(answers, test).tolist() == [[0.5, 4.5, 0, 0, 0], [0, 0, 0, 0, 4]]
    found = score(answers, test)
    assert found.ids == ["a", "b"]
    assert found.score(METRICS["nrmse"]) == pytest.approx(np.sqrt((1.0 + 0.8) / 2))
    # A quarter of five states is two.
    assert found.score(METRICS["nrmse_early"]) == pytest.approx(np.sqrt(2.5 / 2))
    assert found.score(METRICS["nrmse_late"]) == pytest.approx(np.sqrt(2.0 / 2))


def test_the_truth_has_no_error(test: Path) -> None:
    found = score([{"id": name, "path": np.zeros((5, 2)).tolist()} for name in "ab"], test)
    assert [found.score(metric) for metric in METRICS.values()] == [0, 0, 0]


@pytest.mark.parametrize(("change", "message"), [
    (lambda found: found.pop(), "1 items without a prediction"),
    (lambda found: found[0].pop("path"), "'b' has no 'path'"),
    (lambda found: found[0].update(path=[[0, 0]] * 4), "'b' has no 'path'"),
    (lambda found: found[0].update(path=[[0, 0]] * 4 + [[0]]), "'b' has no 'path'"),
    (lambda found: found[0].update(path=[[0, "x"]] * 5), "'b' has no 'path'"),
    (lambda found: found[0].update(path=[[0, float("inf")]] * 5), "'b' has no 'path'"),
])
def test_predictions_that_do_not_fit_are_refused(test: Path, answers: list[Prediction], change,
                                                 message: str) -> None:
    change(answers)
    with pytest.raises(UserError, match=message):
        score(answers, test)


def test_figures(test: Path, answers: list[Prediction], tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "row").mkdir(parents=True)
        draw(None, {"plain": answers}, test, tmp_path / folder / "row")
    written = {path.name: path.read_bytes() for path in (tmp_path / "one" / "row").iterdir()}
    assert set(written) == {"paths-plain.png", "error.png"}
    for name, content in written.items():
        assert content.startswith(b"\x89PNG")
        assert (tmp_path / "two" / "row" / name).read_bytes() == content


def test_the_paths_shown() -> None:
    assert examples(np.array([3.0, 1.0, 9.0, 2.0, 5.0])) == {"best": 1, "median": 0, "worst": 2}
