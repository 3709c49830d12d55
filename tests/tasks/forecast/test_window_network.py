"""Feed-forward and recurrent networks over windows: what they see, and in which units."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from pipeline.systems.base import Run
from pipeline.tasks.forecast.scoring import METRICS, score
from pipeline.tasks.forecast.shared.storage import load_pasts
from pipeline.tasks.forecast.shared.window_network import WindowNetwork
from pipeline.tasks.forecast.systems import recurrent, time_delay
from tests.tasks.forecast.small_corpus import Features, twin

TRAINING = {"epochs": 12, "optimizer": "adam", "learning_rate": 0.01, "schedule": "cosine",
            "warmup_steps": 0, "weight_decay": 0.0, "gradient_clip": 5.0, "patience": 0}
KINDS: dict[str, tuple[Any, type[WindowNetwork], dict[str, Any]]] = {
    "time_delay": (time_delay.Settings, time_delay.TimeDelayNetwork, {"layers": 2}),
    "recurrent": (recurrent.Settings, recurrent.RecurrentForecaster,
                  {"layers": 1, "cell": "lstm", "points_a_step": 3}),
}


def system(kind: str, spec: dict[str, Any], **changes: Any) -> WindowNetwork:
    torch.manual_seed(0)
    settings, network, own = KINDS[kind]
    values = {"window": 12, "scale": "log", "deseasonalise": False, "hidden": 12, "dropout": 0.0,
              "weights": "equal", "windows_an_epoch": 8, "batch_windows": 32, "holdout": False,
              "training": TRAINING, **own, **changes}
    return network(settings(track="m4", model=kind, **values), spec)


@pytest.fixture(scope="module")
def yearly(tmp_path_factory: pytest.TempPathFactory) -> Features:
    return twin(tmp_path_factory.mktemp("yearly"), "Yearly", series=40)


@pytest.mark.parametrize("kind", list(KINDS))
def test_learns_to_beat_naive2(kind: str, yearly: Features, tmp_path: Path) -> None:
    found = system(kind, yearly.spec, holdout=True)
    found.fit(yearly.fit, Run(1, tmp_path))
    answers = list(found.predict(yearly.test, None))
    items = score(answers, yearly.test)
    assert items.score(METRICS["owa"]) < 0.9
    assert 60 < items.score(METRICS["coverage"]) <= 100


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("scale", ["log", "level"])
def test_forecasts_scale_with_the_series(kind: str, scale: str, yearly: Features) -> None:
    found = system(kind, yearly.spec, scale=scale)
    pasts = [np.array(past) for past in load_pasts(yearly.fit)[:5]]
    once, scaled = (found.forecast(["S"] * 5, [factor * past for past in pasts], None)
                    for factor in (1, 1000))
    for name in ("points", "low", "high"):
        np.testing.assert_allclose(getattr(scaled, name), 1000 * getattr(once, name), rtol=1e-4)


@pytest.mark.parametrize("kind", list(KINDS))
def test_only_the_window_is_seen(kind: str, yearly: Features) -> None:
    found = system(kind, yearly.spec)
    past = np.array(load_pasts(yearly.fit)[0])
    changed = past.copy()
    changed[:-12] *= 2
    nearer = past.copy()
    nearer[-12] *= 2
    once, same, other = (found.forecast(["S"], [one], None).points
                         for one in (past, changed, nearer))
    np.testing.assert_array_equal(once, same)
    assert np.abs(once - other).max() > 0


def test_an_epoch_draws_as_many_windows_from_each_series(yearly: Features) -> None:
    found = system("time_delay", yearly.spec)
    batches = found.batches(yearly.fit, "train", 1)
    plans = [[pair for batch in batches.plan(epoch) for pair in batch] for epoch in (0, 1, 0)]
    assert plans[0] == plans[2] != plans[1]
    rows = [row for row, _ in plans[0]]
    assert [rows.count(row) for row in range(40)] == [8] * 40
    lengths = [len(past) for past in load_pasts(yearly.fit)]
    assert all(11 <= end <= lengths[row] - 7 for row, end in plans[0])


@pytest.mark.parametrize(("holdout", "furthest"), [(False, 7), (True, 13)])
def test_held_out_points_are_never_learnt_from(holdout: bool, furthest: int,
                                               yearly: Features) -> None:
    found = system("time_delay", yearly.spec, holdout=holdout, windows_an_epoch=200)
    batches = found.batches(yearly.fit, "train", 1)
    lengths = [len(past) for past in load_pasts(yearly.fit)]
    ends = [lengths[row] - end for batch in batches.plan(0) for row, end in batch]
    assert min(ends) == furthest


def test_validation_is_the_last_horizon(yearly: Features) -> None:
    found = system("time_delay", yearly.spec)
    batches = found.batches(yearly.fit, "valid", 1)
    batch = batches.load(batches.plan(0)[0][:1])
    past = np.array(load_pasts(yearly.fit)[0])
    np.testing.assert_allclose(batch["targets"][0], np.log(past[-6:] / past[-7]), rtol=1e-5)
    np.testing.assert_allclose(batch["inputs"][0], np.log(past[-18:-6] / past[-7]), rtol=1e-4,
                               atol=1e-6)


def test_an_untrained_last_layer_forecasts_the_last_point(yearly: Features) -> None:
    found = system("recurrent", yearly.spec)
    with torch.no_grad():
        found.output.weight.zero_()
        found.output.bias.zero_()
    past = np.array(load_pasts(yearly.fit)[0])
    np.testing.assert_allclose(found.forecast(["S"], [past], None).points,
                               np.full((1, 6), past[-1]), rtol=1e-6)


def test_steps_must_fill_the_window(yearly: Features) -> None:
    with pytest.raises(ValidationError, match=r"window \(12\) must be a multiple"):
        system("recurrent", yearly.spec, points_a_step=5)
