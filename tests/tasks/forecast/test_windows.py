"""Scaled windows: by hand, back again, and what they may be learnt from."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.tasks.forecast.shared.windows import Windows, WindowSettings, training_ends


def windows(pasts: list[list[float]], period: int = 1, horizon: int = 2, held_out: int = 0,
            **changes) -> Windows:
    values = {"window": 3, "scale": "level", "deseasonalise": False, "weights": "equal", **changes}
    settings = WindowSettings(track="m4", model="linear", **values)
    ids = [f"S{row}" for row in range(len(pasts))]
    return Windows(settings, ids, [np.array(past, dtype=float) for past in pasts], period,
                   horizon, held_out)


def one(row: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array([row]), np.array([end])


def test_a_window_by_hand() -> None:
    """2, -4, 6 have a mean absolute value of 4 and end with 6; then come 10 and 2."""
    found = windows([[9.0, 9], [1.0, 2, -4, 6, 10, 2]])
    framed = found.framed(*one(1, 3))
    np.testing.assert_allclose(framed.inputs, [[-1, -2.5, 0]])
    np.testing.assert_allclose(framed.spread, [[(1.5 + 2.5) / 2]])
    np.testing.assert_allclose(found.targets(framed, *one(1, 3)), [[1, -1]])
    np.testing.assert_allclose(found.restored(np.array([[1.0, -1]]), framed, np.array([1])),
                               [[10, 2]])


def test_logarithms_by_hand() -> None:
    """A window that begins before its series repeats the first point."""
    found = windows([[1.0, 2, 8, 4]], scale="log")
    framed = found.framed(*one(0, 1))
    np.testing.assert_allclose(framed.inputs, [[-np.log(2), -np.log(2), 0]])
    np.testing.assert_allclose(found.targets(framed, *one(0, 1)), [[np.log(4), np.log(2)]])
    np.testing.assert_allclose(found.restored(np.log([[4.0, 2]]), framed, np.array([0])),
                               [[8, 4]])


def test_a_series_of_zeros_has_a_unit() -> None:
    found = windows([[0.0] * 5])
    framed = found.framed(*one(0, 4))
    np.testing.assert_array_equal(found.restored(np.ones((1, 2)), framed, np.array([0])), [[1, 1]])
    assert np.all(framed.spread > 0)


@pytest.mark.parametrize(("past", "scale", "text"), [
    ([1.0, np.nan, 2], "level", "'S1' has values that are no finite numbers"),
    ([1.0, np.inf, 2], "log", "'S1' has values that are no finite numbers"),
    ([], "level", "'S1' has no values"),
    ([1.0, 1e300], "level", "'S1' has values that are beyond what systems compute with"),
    ([1.0, 1e-30], "log", "'S1' has values that are beyond what systems compute with"),
    ([1.0, 0, 2], "log", "'S1' has values that are not positive"),
])
def test_a_series_without_windows_is_named(past: list[float], scale: str, text: str) -> None:
    with pytest.raises(UserError, match=text):
        windows([[1.0, 2, 3], past], scale=scale)


def test_season_is_taken_out_and_put_back() -> None:
    season = np.array([0.5, 1.5, 1.0, 1.0])
    found = windows([(100 * np.tile(season, 8)).tolist()[:30]], period=4, horizon=6,
                    deseasonalise=True)
    framed = found.framed(*one(0, 29))
    np.testing.assert_allclose(framed.inputs, 0, atol=1e-12)
    np.testing.assert_allclose(found.restored(np.zeros((1, 6)), framed, np.array([0])),
                               100 * season[None, [2, 3, 0, 1, 2, 3]])


def test_held_out_points_do_not_move_the_season() -> None:
    generator = np.random.Generator(np.random.PCG64(1))
    past = 100 * np.tile([0.5, 1.5, 1.0, 1.0], 8) * (1 + 0.01 * generator.random(32))
    other = past.copy()
    other[-4:] *= [3, 1, 2, 1]
    first, second = (windows([one_past.tolist()], period=4, horizon=4, held_out=4,
                             deseasonalise=True) for one_past in (past, other))
    np.testing.assert_array_equal(first.framed(*one(0, 27)).inputs,
                                  second.framed(*one(0, 27)).inputs)
    np.testing.assert_array_equal(first.seasons, second.seasons)
    # The points that were held out lose the season of the points before them.
    framed = first.framed(*one(0, 27))
    back = first.targets(framed, *one(0, 27)) * framed.unit + framed.origin
    np.testing.assert_allclose(back * first.seasons, past[None, -4:])


def test_windows_to_learn_from() -> None:
    """Window 3, horizon 2: of 9 points those that end at 2 to 6, of 4 the incomplete one at 1."""
    first, last = training_ends(np.array([9, 4, 2]), 3, 2, 0)
    assert (first[:2].tolist(), last.tolist()) == ([2, 1], [6, 1, -1])
    first, last = training_ends(np.array([9]), 3, 2, 2)
    assert (first.tolist(), last.tolist()) == ([2], [4])
