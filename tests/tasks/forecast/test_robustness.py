"""Difficult series: every system forecasts them or names them, never neither.

The entries are those of the embedded and the large suite, fitted for two epochs; the large suite's
frequencies are generated in M4's files.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.corpora import m4
from pipeline.corpora.twins import m4_twin
from pipeline.errors import UserError
from pipeline.suite.schema import load
from pipeline.systems.base import Run, System, system_class
from pipeline.tasks.forecast.scoring import METRICS, score
from pipeline.tasks.forecast.shared.forecasts import Forecaster
from tests.conftest import ROOT
from tests.tasks.forecast.small_corpus import Features, extract, twin

DIFFICULT = {
    "shorter than the window": [3.0, 4, 6], "constant": [5.0] * 30, "zeros": [0.0] * 30,
    "with zeros": [0.0, 3, 2, 4] * 8, "negative": [-float(t) for t in range(1, 40)],
    "wild": [1e-19, 1e19] * 20, "exploding": [10.0**power for power in range(-20, 21)],
    "one step": [1e15] * 30 + [1e15 + 1], "not a number": [1.0, np.nan] * 10,
    "infinite": [1.0] * 20 + [np.inf], "too large": [1.0] * 20 + [1e300],
    "too small": [1.0] * 20 + [5e-324],
}
BEYOND = ("not a number", "infinite", "too large", "too small")


def fitted(suite: str, key: str, features: Features, work: Path, **changes: Any) -> System:
    settings = load(ROOT / suite).system(key)
    if hasattr(settings, "training"):
        changes["training"] = settings.training.model_copy(
            update={"epochs": 2, "warmup_steps": 0})
    settings = settings.model_copy(update=changes)
    torch.manual_seed(1)
    system = system_class("forecast", settings.model)(settings, features.spec)
    system.fit(features.fit, Run(1, work))
    return system


def keys(suite: str) -> dict[str, dict[str, Any]]:
    found = load(ROOT / suite)
    return {key: entry for key, entry in found.systems.items() if found.task_of(key) == "forecast"}


YEARLY = {entry["model"]: key for key, entry in reversed(keys("params.yaml").items())
          if entry["track"] == "forecast-yearly"}
CASES = [("statistical", {}), ("esrnn", {}), *(
    (kind, {"scale": scale}) for kind in ("linear", "time_delay", "recurrent")
    for scale in ("log", "level"))]


@pytest.mark.parametrize(("kind", "changes"), CASES)
def test_difficult_series(kind: str, changes: dict[str, Any], tmp_path: Path) -> None:
    features = twin(tmp_path, "Yearly", series=10)
    system = fitted("params.yaml", YEARLY[kind], features, tmp_path / "work", **changes)
    assert isinstance(system, Forecaster)
    logarithms = kind == "esrnn" or changes.get("scale") == "log"
    for variant in (system.settings.variants or {"": None}).values():
        for name, values in DIFFICULT.items():
            past = np.array(values)
            if name in BEYOND or (logarithms and not np.all(past > 0)):
                with pytest.raises(UserError, match=f"series '{name}'"):
                    system.forecast([name], [past], variant)
                continue
            found = system.forecast([name], [past], variant)
            for part in (found.points, found.low, found.high):
                assert part.shape == (1, 6) and np.all(np.isfinite(part)), name
            assert np.all(found.low <= found.high), name
            if name == "constant" and kind == "statistical":
                np.testing.assert_allclose(found.points, 5)


@pytest.mark.parametrize("key", keys("large/params.yaml"))
def test_large_suite_runs_on_its_frequencies(key: str, tmp_path: Path) -> None:
    """Quarterly, Monthly and Daily go through the same code as the rest."""
    suite = load(ROOT / "large/params.yaml")
    frequency = suite.track(suite.systems[key]["track"]).features["frequency"]
    law = m4_twin.PROCESSES["Monthly"]
    period, horizon = m4.FREQUENCIES[frequency].period, m4.FREQUENCIES[frequency].horizon
    generator = np.random.Generator(np.random.PCG64(1))
    simulated = [m4_twin.simulate(law, period, horizon, generator) for _ in range(10)]
    for part, rows in (("Train", [one.past for one in simulated]),
                       ("Test", [one.future for one in simulated])):
        path = tmp_path / "corpus" / part / f"{frequency}-{part.lower()}.csv"
        path.parent.mkdir(parents=True)
        path.write_text(m4_twin._csv([f"S{row}" for row in range(10)], rows), encoding="utf-8")
    features = extract(tmp_path / "corpus", frequency, tmp_path / "features")
    system = fitted("large/params.yaml", key, features, tmp_path / "work")
    for variant in (system.settings.variants or {"": None}).values():
        items = score(list(system.predict(features.test, variant)), features.test)
        assert all(np.isfinite(items.score(metric)) for metric in METRICS.values())
