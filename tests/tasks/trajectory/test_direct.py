"""The baselines: the nearest by search, ridge regression against scikit-learn."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import PolynomialFeatures

from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.trajectory.scoring import METRICS, score
from pipeline.tasks.trajectory.systems.direct import Direct, Settings, polynomials

VARIANTS = {name: {"method": name} for name in ("constant", "nearest", "ridge")}


def new(extracted: Path, **changes: object) -> Direct:
    return Direct(Settings.model_validate(
        {"track": "t", "model": "direct", "degree": 1, "penalty": 1e-9,
         "variants": VARIANTS, **changes}), read_json(extracted / "fit/spec.json"))


def fitted(extracted: Path, **changes: object) -> Direct:
    system = new(extracted, **changes)
    assert system.fit(extracted / "fit", Run(seed=1, work=extracted)) == []
    return system


def paths(system: Direct, extracted: Path, variant: str) -> np.ndarray:
    found = system.predict(extracted / "test", system.settings.variants[variant])
    return np.array([one["path"] for one in found])


def test_the_constant_path_stays_at_its_start(extracted: Path) -> None:
    starts = np.load(extracted / "test/starts.npy")
    found = paths(fitted(extracted), extracted, "constant")
    assert found == pytest.approx(np.repeat(starts[:, None], 6, axis=1), abs=1e-6)


def test_the_nearest_start_is_found_in_units_of_each_coordinate(extracted: Path) -> None:
    scale = read_json(extracted / "fit/spec.json")["scale"]
    known, asked = np.load(extracted / "fit/train.npy"), np.load(extracted / "test/starts.npy")
    nearest = [min(range(len(known)), key=lambda row: float(
        (((known[row, 0] - start) / scale) ** 2).sum())) for start in asked]
    in_metres = [min(range(len(known)), key=lambda row: float(
        ((known[row, 0] - start) ** 2).sum())) for start in asked]
    assert nearest != in_metres
    found = paths(fitted(extracted), extracted, "nearest")
    assert found == pytest.approx(known[nearest, 1:], abs=1e-6)


def test_a_turn_is_linear(extracted: Path) -> None:
    # Turning is a linear map of the start, so ridge regression with hardly a penalty finds it.
    system = fitted(extracted)
    answers = list(system.predict(extracted / "test", system.settings.variants["ridge"]))
    assert score(answers, extracted / "test").score(METRICS["nrmse"]) < 1e-4


@pytest.mark.parametrize("degree", [1, 3])
def test_ridge_regression_is_that_of_scikit_learn(degree: int, extracted: Path) -> None:
    spec = read_json(extracted / "fit/spec.json")
    known, asked = np.load(extracted / "fit/train.npy"), np.load(extracted / "test/starts.npy")
    mean, scale = np.array(spec["mean"]), np.array(spec["scale"])
    powers = PolynomialFeatures(degree, include_bias=False)
    reference = Ridge(alpha=0.02 * len(known), solver="cholesky").fit(
        powers.fit_transform((known[:, 0] - mean) / scale),
        ((known[:, 1:] - mean) / scale).reshape(len(known), -1))
    expected = reference.predict(powers.transform((asked - mean) / scale)).reshape(12, 6, 2)
    system = fitted(extracted, degree=degree, penalty=0.02)
    assert paths(system, extracted, "ridge") == pytest.approx(expected * scale + mean, abs=1e-5)
    assert system.parameters_count == {1: 3, 3: 10}[degree] * 12


def test_polynomials_by_hand() -> None:
    assert polynomials(np.array([[2.0, 3.0]]), 2).tolist() == [[1, 2, 3, 4, 6, 9]]


def test_it_survives_saving_and_says_when_it_was_not_fitted(extracted: Path,
                                                            tmp_path: Path) -> None:
    system = fitted(extracted, degree=2)
    system.save(tmp_path / "model")
    again = Direct.load(tmp_path / "model")
    for name in VARIANTS:
        assert np.array_equal(paths(again, extracted, name), paths(system, extracted, name))
    with pytest.raises(UserError, match="have not been fitted"):
        paths(new(extracted), extracted, "nearest")
