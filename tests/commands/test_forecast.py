"""The command that forecasts somebody's own series with a trained system."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.commands.forecast import forecast_file
from pipeline.errors import UserError
from pipeline.suite.schema import load
from pipeline.systems.base import Run, system_class
from tests.conftest import ROOT
from tests.tasks.forecast.small_corpus import twin

SUITE = load(ROOT / "params.yaml")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a few yearly systems, trained for two epochs."""
    root = tmp_path_factory.mktemp("trained")
    features = twin(root, "Yearly", series=10)
    for key in ("yearly-statistical", "yearly-linear", "yearly-esrnn"):
        settings = SUITE.system(key)
        if hasattr(settings, "training"):
            training = settings.training.model_copy(update={"epochs": 2})
            settings = settings.model_copy(update={"training": training})
        torch.manual_seed(1)
        system = system_class("forecast", settings.model)(settings, features.spec)
        system.fit(features.fit, Run(1, root / "work" / key))
        system.save(root / "models" / key)
    return root


@pytest.mark.parametrize("row", ["yearly-statistical:theta", "yearly-linear", "yearly-esrnn"])
def test_each_series_gets_a_horizon_with_intervals(row: str, trained: Path,
                                                   tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    lines = ["id,time,value"]
    for year in range(2000, 2025):
        lines += [f"shop,{year}-06-30,{1.05 ** (year - 2000) * 40}", f"flat,{year}-06-30,7"]
    file.write_text("\n".join(lines), encoding="utf-8")
    rows = list(csv.DictReader(forecast_file(SUITE.placed(trained), row, file).splitlines()))
    assert [(one["id"], one["step"]) for one in rows] == [
        (name, str(step)) for name in ("shop", "flat") for step in range(1, 7)]
    for one in rows:
        assert float(one["low"]) <= float(one["forecast"]) <= float(one["high"])
    first = np.array([float(one["forecast"]) for one in rows]).reshape(2, 6)[:, 0]
    assert 100 < first[0] < 180
    assert 5 < first[1] < 9


def test_what_cannot_be_done_is_named(trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("id,time,value\na,1,2\na,2,3\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 3: series 'a' ends after 2 points; .* needs 3"):
        forecast_file(SUITE.placed(trained), "yearly-linear", file)
    file.write_text("id,time,value\na,1,2\na,2,3\na,3,-3\n", encoding="utf-8")
    with pytest.raises(UserError, match="'a' has values that are not positive"):
        forecast_file(SUITE.placed(trained), "yearly-linear", file)
    with pytest.raises(UserError, match="no forecaster 'yearly-linaer'; did you mean 'yearly-lin"):
        forecast_file(SUITE.placed(trained), "yearly-linaer", file)
    with pytest.raises(UserError, match="no forecaster 'lm-lstm'"):
        forecast_file(SUITE.placed(trained), "lm-lstm", file)
    with pytest.raises(UserError, match="dvc repro train@monthly-linear"):
        forecast_file(SUITE.placed(trained), "monthly-linear", file)
