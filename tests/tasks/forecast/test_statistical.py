"""The classical methods: their protocol around statsforecast, and difficult series."""

from pathlib import Path

import numpy as np
import pytest
from statsforecast.models import AutoETS

from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.systems.base import Run
from pipeline.tasks.forecast.figures import draw
from pipeline.tasks.forecast.shared.methods import naive
from pipeline.tasks.forecast.shared.seasonality import adjust
from pipeline.tasks.forecast.shared.storage import fingerprints, load_array, load_pasts, save_pasts
from pipeline.tasks.forecast.systems.statistical import Settings, Statistical
from tests.tasks.forecast.small_corpus import twin

METHODS = ("naive", "snaive", "naive2", "ses", "holt", "damped", "theta", "comb", "ets")


def settings(methods: tuple[str, ...] = METHODS) -> Settings:
    return Settings(track="m4", model="statistical", ets="MNM",
                    variants={name: {"method": name} for name in methods})


def forecasts(system: Statistical) -> dict[str, np.ndarray]:
    return {name: values[0].numpy() for name, values in system.forecasts.items()}


def test_methods_follow_the_competitions_protocol(tmp_path: Path) -> None:
    features = twin(tmp_path, "Monthly")
    system = Statistical(settings(), features.spec)
    assert system.fit(features.fit, Run(1, tmp_path)) == []
    found = forecasts(system)
    np.testing.assert_allclose(found["comb"],
                               (found["ses"] + found["holt"] + found["damped"]) / 3)
    np.testing.assert_array_equal(found["naive2"], load_array(features.test / "naive2.npy"))
    for row, past in enumerate(load_pasts(features.test)):
        assert np.all(found["naive"][row] == past[-1])
        np.testing.assert_array_equal(found["snaive"][row][:12], past[-12:])
        adjusted = adjust(past, 12, 18)
        level = AutoETS(model="ANN").forecast(y=adjusted.values, h=18)["mean"]
        np.testing.assert_allclose(found["ses"][row], level * adjusted.indices)
    system.save(tmp_path / "model")
    again = forecasts(Statistical.load(tmp_path / "model"))
    for name in METHODS:
        np.testing.assert_array_equal(again[name], found[name])


def test_only_methods_asked_for_are_kept(tmp_path: Path) -> None:
    features = twin(tmp_path, "Yearly")
    system = Statistical(settings(("comb",)), features.spec)
    system.fit(features.fit, Run(1, tmp_path))
    assert set(system.tensors()) == {"comb"}


def spoiled(directory: Path, pasts: dict[str, list[float]]) -> Statistical:
    """An unfitted system for hand-made pasts in `directory`, with a horizon of 3."""
    directory.mkdir()
    values = [np.array(past) for past in pasts.values()]
    save_pasts(directory, list(pasts), values)
    spec = {"period": 4, "horizon": 3, "series": len(pasts), "pasts": fingerprints(values)}
    write_json(directory / "spec.json", spec)
    return Statistical(settings(), spec)


def test_difficult_series_get_a_forecast(tmp_path: Path) -> None:
    pasts = {
        "constant": [5.0] * 30, "one point": [3.0], "five points": [3.0, 4, 6, 5, 4],
        "zeros": [0.0] * 30, "with zeros": [0.0, 3, 2, 4] * 8,
        "negative": [-float(t) for t in range(1, 40)], "line": [float(t) for t in range(40)],
    }
    system = spoiled(tmp_path / "fit", pasts)
    system.fit(tmp_path / "fit", Run(1, tmp_path))
    for name, values in forecasts(system).items():
        assert np.all(np.isfinite(values)), name
        np.testing.assert_allclose(values[0], 5, err_msg=name)
        np.testing.assert_allclose(values[1], 3, err_msg=name)


def test_a_series_with_values_that_are_not_finite_is_named(tmp_path: Path) -> None:
    system = spoiled(tmp_path / "fit", {"fine": [1.0, 2, 3] * 5, "spoiled": [1.0, np.nan] * 10})
    with pytest.raises(UserError, match="'spoiled' has values that are no finite numbers"):
        system.fit(tmp_path / "fit", Run(1, tmp_path))


def test_naive_intervals_by_hand() -> None:
    """Steps of +1 and -3 have a root mean square of sqrt 5; seasons of two of sqrt(20 / 2)."""
    past = np.array([4.0, 5, 2])
    points, low, high = naive(past, 1, 3)
    reach = 1.959964 * np.sqrt(5 * np.arange(1, 4))
    np.testing.assert_allclose(points, [2, 2, 2])
    np.testing.assert_allclose(high, 2 + reach, rtol=1e-6)
    np.testing.assert_allclose(low, 2 - reach, rtol=1e-6)
    points, _, high = naive(np.array([4.0, 5, 2, 9]), 2, 4)
    np.testing.assert_allclose(points, [2, 9, 2, 9])
    np.testing.assert_allclose(high - points, 1.959964 * np.sqrt([10, 10, 20, 20]), rtol=1e-6)


def test_intervals_are_those_of_statsforecast(tmp_path: Path) -> None:
    features = twin(tmp_path, "Monthly")
    system = Statistical(settings(("ses", "holt", "damped", "comb", "naive2")), features.spec)
    system.fit(features.fit, Run(1, tmp_path))
    found = {name: dict(zip(("forecast", "low", "high"), values[:, 0].numpy(), strict=True))
             for name, values in system.forecasts.items()}
    past = load_pasts(features.test)[0]
    adjusted = adjust(past, 12, 18)
    one = AutoETS(model="ANN").forecast(y=adjusted.values, h=18, level=[95])
    for name, theirs in (("low", "lo-95"), ("high", "hi-95")):
        np.testing.assert_allclose(found["ses"][name], one[theirs] * adjusted.indices)
        three = [found[method][name] for method in ("ses", "holt", "damped")]
        np.testing.assert_allclose(found["comb"][name], np.mean(three, axis=0))
    reach = (found["naive2"]["high"] - found["naive2"]["forecast"]) / adjusted.indices
    step = np.sqrt(np.mean(np.diff(adjusted.values) ** 2))
    np.testing.assert_allclose(reach, 1.959964 * step * np.sqrt(np.arange(1, 19)), rtol=1e-6)


def test_figure_shows_three_series(tmp_path: Path) -> None:
    features = twin(tmp_path, "Yearly")
    system = Statistical(settings(("naive", "theta")), features.spec)
    system.fit(features.fit, Run(1, tmp_path))
    answers = {name: list(system.predict(features.test, variant))
               for name, variant in system.settings.variants.items()}
    for folder in ("a", "b"):
        (tmp_path / folder / "row").mkdir(parents=True)
        draw(system, answers, features.test, tmp_path / folder / "row")
    content = (tmp_path / "a/row/forecasts.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert content == (tmp_path / "b/row/forecasts.png").read_bytes()
