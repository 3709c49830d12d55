"""State-space models: forecasts, choice and intervals beside statsforecast's and simulation."""

import numpy as np
import pytest
from statsforecast.models import AutoETS, Theta

from pipeline.tasks.forecast.shared.methods import estimates
from pipeline.tasks.forecast.shared.seasonality import adjust
from pipeline.tasks.forecast.shared.state_space import Model, Series, variances


def walk(seed: int, length: int = 60, season: int = 1) -> np.ndarray:
    """A positive series with a trend, and with a season of `season` points."""
    generator = np.random.default_rng(seed)
    time = np.arange(length)
    level = 50 + 0.8 * time + generator.standard_normal(length).cumsum()
    return level * (1 + 0.2 * np.sin(2 * np.pi * time / season) * (season > 1)
                    ) + generator.standard_normal(length)


def said(pasts: list[np.ndarray], methods: list[str], period: int, horizon: int,
         processes: int = 1) -> dict[str, np.ndarray]:
    adjusted = [adjust(past, period, horizon) for past in pasts]
    found = estimates(pasts, adjusted, methods, period, "ZZZ", processes)
    assert not any(any(models) for _, models in found.values())
    return {method: values for method, (values, _) in found.items()}


def theirs(model: AutoETS, values: np.ndarray, horizon: int) -> np.ndarray:
    found = model.forecast(values, horizon, level=[95])
    return np.stack([found["mean"], found["lo-95"], found["hi-95"]])


@pytest.mark.parametrize("components", ["ANN", "AAN", "AANd", "MNN", "MAN", "MANd"])
def test_models_without_season_are_those_of_statsforecast(components: str) -> None:
    model = Model(components[:3], components.endswith("d"))
    expected = theirs(AutoETS(1, model=model.components, damped=model.damped), walk(1), 8)
    np.testing.assert_allclose(Series(walk(1), 1).forecast(model, 8).values, expected, rtol=1e-9)


@pytest.mark.parametrize("components", ["MNA", "MAAd", "MNM", "MAMd"])
def test_models_with_season_are_those_of_statsforecast(components: str) -> None:
    """The season is used up and begins again within the horizon."""
    model = Model(components[:3], components.endswith("d"))
    values = walk(2, season=4)
    expected = theirs(AutoETS(4, model=model.components, damped=model.damped), values, 11)
    np.testing.assert_allclose(Series(values, 4).forecast(model, 11).values, expected, rtol=1e-9)


@pytest.mark.parametrize("error", "AM")
@pytest.mark.parametrize("damped", [False, True])
def test_variances_are_those_of_simulated_paths(error: str, damped: bool) -> None:
    """Trend and additive season, by the model's own equations.

    statsforecast is no reference here: with additive errors it counts at each step the seasons of
    the whole horizon, and with relative ones it multiplies alpha and beta.
    """
    alpha, beta, gamma, phi, sigma = 0.4, 0.1, 0.3, 0.9 if damped else 1.0, 0.05
    generator = np.random.default_rng(3)
    count, horizon = 200_000, 7
    level, growth = np.full(count, 100.0), np.full(count, 2.0)
    season = [np.full(count, one) for one in (5.0, -8.0, 3.0)]
    paths, means = [], []
    for step in range(horizon):
        expected = level + phi * growth + season[step]
        scale = expected if error == "M" else 1.0
        noise = scale * sigma * generator.standard_normal(count)
        paths.append(expected + noise)
        means.append(100 + 2 * sum(phi**k for k in range(1, step + 2)) + season[step % 3][0])
        level, growth = level + phi * growth + alpha * noise, phi * growth + beta * noise
        season.append(season[step] + gamma * noise)
    estimate = {"par": np.array([alpha, beta, gamma, phi if damped else np.nan]), "m": 3,
                "components": error + "AA" + ("D" if damped else "N"), "sigma2": sigma**2}
    simulated = np.var(paths, axis=1)
    np.testing.assert_allclose(variances(estimate, np.array(means)), simulated, rtol=0.02)


@pytest.mark.parametrize(("season", "seed"), [(1, 4), (1, 5), (1, 6), (4, 7), (4, 8)])
def test_aicc_chooses_as_in_statsforecast(season: int, seed: int) -> None:
    values = walk(seed, season=season)
    expected = theirs(AutoETS(season, model="ZZZ"), values, 6)
    found = Series(values, season).best_forecast("ZZZ", 6)
    np.testing.assert_allclose(found.values, expected, rtol=1e-9)


def test_negative_series_have_additive_models_only() -> None:
    values = walk(9) - 200
    expected = theirs(AutoETS(1, model="ZZZ"), values, 6)
    found = Series(values, 1).best_forecast("ZZZ", 6)
    np.testing.assert_allclose(found.values, expected, rtol=1e-9)


def test_holts_trend_is_not_damped_and_dampeds_is() -> None:
    found = said([walk(10)], ["holt", "damped"], 1, 30)
    steps = {name: np.diff(values[0, 0]) for name, values in found.items()}
    np.testing.assert_allclose(steps["holt"], steps["holt"][0])
    assert np.all(np.abs(np.diff(steps["damped"])) > 0)


def test_theta_is_statsforecasts_with_the_limits_of_ses() -> None:
    values = walk(11)
    points, low, high = said([values], ["theta"], 1, 9)["theta"][:, 0]
    model = Theta()
    np.testing.assert_allclose(points, model.forecast(values, 9)["mean"])
    alpha = model.fit(values).model_["par"]["alpha"]
    deviation = np.std(model.model_["residuals"][3:], ddof=1)
    generator = np.random.default_rng(1)
    moved, paths = np.zeros(200_000), []
    for _ in range(9):
        noise = deviation * generator.standard_normal(len(moved))
        paths.append(moved + noise)
        moved = moved + alpha * noise
    np.testing.assert_allclose(np.quantile(paths, 0.975, axis=1), high - points, rtol=0.02)
    np.testing.assert_allclose(points - low, high - points)


def test_processes_find_what_one_finds() -> None:
    pasts = [walk(seed) for seed in range(12)]
    methods = ["ses", "theta", "ets"]
    one, two = (said(pasts, methods, 4, 6, processes) for processes in (1, 2))
    for method in methods:
        np.testing.assert_array_equal(one[method], two[method])
    assert one["ses"].shape == (3, 12, 6)
