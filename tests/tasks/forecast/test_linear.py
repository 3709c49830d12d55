"""Linear autoregression: it finds a known law, and its intervals hold what they promise."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.storage.files import write_json
from pipeline.systems.base import Run
from pipeline.tasks.forecast.shared.storage import fingerprints, load_ids, load_pasts, save_pasts
from pipeline.tasks.forecast.systems.linear import LinearAutoregression, Settings
from tests.tasks.forecast.small_corpus import twin


def system(folder: Path, pasts: list[np.ndarray], horizon: int, **changes: Any
           ) -> LinearAutoregression:
    """Fitted on hand-made pasts."""
    folder.mkdir()
    ids = [f"S{row}" for row in range(len(pasts))]
    save_pasts(folder, ids, pasts)
    spec = {"period": 1, "horizon": horizon, "series": len(pasts), "pasts": fingerprints(pasts)}
    write_json(folder / "spec.json", spec)
    values = {"window": 4, "scale": "level", "deseasonalise": False, "weights": "equal",
              "ridge": 0.0, **changes}
    found = LinearAutoregression(
        Settings(track="m4", model="linear", **values), spec)
    assert found.fit(folder, Run(1, folder)) == []
    return found


def points(found: LinearAutoregression, folder: Path) -> np.ndarray:
    return found.forecast(load_ids(folder), load_pasts(folder), None).points


def continued(past: list[float], steps: int) -> list[float]:
    """x_t = 1.2 x_{t-1} - 0.5 x_{t-2} + 0.3 x_{t-3}, whose weights sum to 1."""
    values = list(past)
    for _ in range(steps):
        values.append(1.2 * values[-1] - 0.5 * values[-2] + 0.3 * values[-3])
    return values


def test_a_law_without_noise_is_found(tmp_path: Path) -> None:
    generator = np.random.Generator(np.random.PCG64(2))
    whole = [np.array(continued(generator.normal(10, 3, 3).tolist(), 30)) for _ in range(8)]
    pasts = [one[: 20 + row] for row, one in enumerate(whole)]
    found = system(tmp_path / "level", pasts, 3)
    expected = np.stack([one[20 + row : 23 + row] for row, one in enumerate(whole)])
    np.testing.assert_allclose(points(found, tmp_path / "level"), expected, rtol=1e-6)
    logs = system(tmp_path / "log", [np.exp(past / 5) for past in pasts], 3, scale="log")
    np.testing.assert_allclose(points(logs, tmp_path / "log"), np.exp(expected / 5), rtol=1e-6)


def test_every_series_counts_the_same(tmp_path: Path) -> None:
    """A long series of growth 0.2 and a short one of growth 0: half way, whatever the lengths."""
    pasts = [np.exp(0.2 * np.arange(200)), np.full(6, 5.0)]
    found = system(tmp_path / "fit", pasts, 1, window=1, scale="log")
    np.testing.assert_allclose(found.weights, [[0.1]], rtol=1e-9)


def test_a_ridge_draws_weights_to_zero(tmp_path: Path) -> None:
    generator = np.random.Generator(np.random.PCG64(2))
    pasts = [generator.normal(10, 1, 40) for _ in range(5)]
    loose, tight = (system(tmp_path / str(ridge), pasts, 2, ridge=ridge)
                    for ridge in (0.0, 100.0))
    assert np.abs(tight.weights[:-1]).max() < 0.02 * np.abs(loose.weights[:-1]).max()


def test_intervals_cover_a_random_walk(tmp_path: Path) -> None:
    generator = np.random.Generator(np.random.PCG64(3))
    scales = 10.0 ** generator.integers(-2, 3, size=(400, 1))
    walks = 1000 + np.cumsum(scales * generator.standard_normal((400, 44)), axis=1)
    found = system(tmp_path / "fit", list(walks[:, :40]), 4, window=12)
    answers = list(found.predict(tmp_path / "fit", None))
    low, high = (np.array([one[name] for one in answers]) for name in ("low", "high"))
    inside = (low <= walks[:, 40:]) & (walks[:, 40:] <= high)
    assert 0.92 < inside.mean() < 0.98
    assert np.all(np.median(high - low, axis=0)[1:] > np.median(high - low, axis=0)[:-1])


def test_saved_and_loaded(tmp_path: Path) -> None:
    features = twin(tmp_path, "Monthly")
    found = LinearAutoregression(
        Settings(track="m4", model="linear", window=24, scale="log",
                 deseasonalise=True, weights="owa", ridge=0.001), features.spec)
    found.fit(features.fit, Run(1, tmp_path))
    found.save(tmp_path / "model")
    loaded = LinearAutoregression.load(tmp_path / "model")
    assert list(loaded.predict(features.test, None)) == list(found.predict(features.test, None))
    assert loaded.parameters_count == 24 * 18
    assert len(load_pasts(features.test)) == 12


@pytest.mark.parametrize("most", [None, 2])
def test_examples_are_the_windows_of_a_plain_loop(most: int | None, tmp_path: Path) -> None:
    pasts = [np.arange(1.0, 9), np.array([3.0, 1, 4, 1, 5]), np.array([2.0, 7])]
    found = system(tmp_path / "fit", pasts, 2, window=3)
    expected = []
    for past in pasts:
        last = len(past) - 3
        ends = [end for end in range(len(past)) if min(2, last) <= end <= last]
        for end in ends[-most:] if most else ends:
            expected.append(past[end + 1 : end + 3])
    got = []
    for framed, targets, shares in found._examples(
            found._windows(["a", "b", "c"], pasts), np.ones(3), most):
        got += (targets * framed.unit + framed.origin).tolist()
        assert sum(shares) == pytest.approx(2)
    np.testing.assert_allclose(got, expected)
