"""Start states of one's own: continued as in the suite, or refused by their line."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.systems.base import System
from tests.tasks.answers import answers, written
from tests.tasks.trajectory import test_direct, test_recurrent
from tests.tasks.trajectory.conftest import STEPS
from tests.tasks.trajectory.raw import write_raw


def system_of(model: str, extracted: Path) -> System:
    return (test_direct.fitted if model == "direct" else test_recurrent.new)(extracted)


@pytest.mark.parametrize(("model", "variant"), [
    ("direct", "constant"), ("direct", "nearest"), ("direct", "ridge"), ("recurrent", None)])
def test_the_test_starts_are_continued_as_in_the_suite(model: str, variant: str | None,
                                                       extracted: Path, tmp_path: Path) -> None:
    system = system_of(model, extracted)
    files = write_raw(extracted / "test", tmp_path, tmp_path)
    rows = answers(system, files, tmp_path / "model", variant)
    found = np.array([[row["x"], row["y"]] for row in rows]).reshape(-1, STEPS, 2)
    settings = system.settings.variants[variant] if variant else None
    expected = list(system.predict(extracted / "test", settings))
    assert np.array_equal(found, [one["path"] for one in expected])
    assert [row["id"] for row in rows[::STEPS]] == [one["id"] for one in expected]
    assert len(rows) == 12 * STEPS


def test_columns_stand_in_any_order_and_rows_are_named(extracted: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "own.csv",
                   "\ufeffy, place,time,x\r\n1,a,0,2\r\n\r\n-1e-1,b,0.0,3\r\n")
    rows = answers(system_of("direct", extracted), [file], tmp_path / "model", "constant")
    assert rows[0] == {"file": str(file), "line": 2, "id": "2", "step": 1,
                       "time": pytest.approx(0.3), "x": 2, "y": 1}
    assert rows[STEPS] == rows[STEPS] | {"line": 4, "id": "4", "step": 1, "x": 3, "y": -0.1}
    assert [row["step"] for row in rows] == 2 * [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("content", "message"), [
    ("", "own.csv is empty"),
    ("\n", "own.csv, line 1: no column 'x'; .* got nothing"),
    ("x\n1\n", "own.csv, line 1: no column 'y'; the first line must name the columns x, y, got x"),
    ("x,y,x\n1,2,3\n", "line 1: column 'x' stands there twice"),
    ("x,y\n", "line 1: no start state after the header"),
    ("x,y\n1,2\n1\n", "line 3: expected 2 fields, got 1"),
    ("x,y\n1,nan\n", "line 2: y 'nan' is no finite number"),
    ("x,y\n\n1,\n", "line 3: y '' is no finite number"),
    ("x,y,time\n1,2,0\n1,2,0.5\n", "line 3: a start is at time 0, got time 0.5"),
    ('x,y\n"1,2\n', "this is no CSV"),
    (b"x,y\n1,\xe9\n", "own.csv, line 2: byte 3 of the line is not UTF-8"),
])
def test_what_is_no_start_is_named(content: str | bytes, message: str, extracted: Path,
                                   tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        answers(system_of("direct", extracted), [written(tmp_path / "own.csv", content)],
                tmp_path / "model", "constant")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_path_without_bound_is_refused(extracted: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "own.csv", "x,y\n1e120,1e120\n")
    system = test_direct.fitted(extracted, degree=3)
    with pytest.raises(UserError, match="own.csv, line 2: the path from this start grows without"):
        answers(system, [file], tmp_path / "model", "ridge")
