"""No method answers for another without a word: in predictions, in own answers, on the page."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from statsforecast.models import AutoETS

from pipeline.results.leaderboard import build, write_leaderboard
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.files import read_json, write_json
from pipeline.systems.base import Run
from pipeline.tasks.forecast.scoring import details, score
from pipeline.tasks.forecast.shared.storage import (
    fingerprints,
    load_pasts,
    save_array,
    save_pasts,
)
from pipeline.tasks.forecast.systems.statistical import Method, Settings, Statistical
from tests.toy_suite import toy_suite, write_results

PASTS = {
    "plain": [10.0, 14, 12, 9, 11, 15, 13, 10, 12, 17, 14, 11, 13, 18, 15, 12, 14, 19, 17, 13],
    "with zeros": [0.0, 3, 2, 4, 1, 3, 2, 5, 0, 4, 3, 5, 1, 4, 2, 6, 0, 4, 3, 7],
    "negative": [-float(step) - step % 3 for step in range(1, 40)],
    "temperatures": [-9.0, 1, 12, 2, -8, 2, 11, 1, -10, 0, 13, 2, -9, 1, 12, 1, -8, 2, 11, 3],
    "constant": [5.0] * 30, "one point": [3.0], "three points": [3.0, 4, 6],
    "seven points": [3.0, 4, 6, 5, 4, 7, 8],
}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Statistical, Path]:
    """Every method for every past, and the folder of the pasts with futures to score them."""
    folder = tmp_path_factory.mktemp("statistical")
    variants = {name: {"method": name} for name in get_args(Method)}
    pasts = [np.array(past) for past in PASTS.values()]
    save_pasts(folder, list(PASTS), pasts)
    save_array(folder / "futures.npy", np.ones((len(pasts), 3)))
    save_array(folder / "naive2.npy", np.full((len(pasts), 3), 2.0))
    save_array(folder / "scales.npy", np.ones(len(pasts)))
    write_clusters(folder, alone(PASTS))
    spec = {"period": 4, "horizon": 3, "series": len(pasts), "pasts": fingerprints(pasts)}
    system = Statistical(Settings(track="t", model="statistical", ets="MNM", variants=variants),
                         spec)
    system.fit(folder, Run(1, folder))
    system.save(folder / "model")
    return Statistical.load(folder / "model"), folder


def made_by(fitted: tuple[Statistical, Path]) -> dict[str, dict[str, str]]:
    """By row and series, what another method has made."""
    system, folder = fitted
    return {name: {one["id"]: one["method"] for one in system.predict(folder, variant)
                   if "method" in one} for name, variant in system.settings.variants.items()}


def test_what_another_method_has_made_is_named(fitted: tuple[Statistical, Path]) -> None:
    found = made_by(fitted)
    short = {"one point": "naive2", "three points": "naive2"}
    assert found["naive"] == {}
    assert found["naive2"] == {"temperatures": "naive"}
    assert found["snaive"] == {"one point": "naive", "three points": "naive"}
    additive = dict.fromkeys(("with zeros", "negative", "temperatures"), "ETS(A,N,A)")
    assert found["ets"] == additive | {
        "constant": "ETS(A,N,N)", "one point": "naive", "three points": "naive",
        "seven points": "snaive"}
    assert found["theta"] == short | {"temperatures": "theta without season"}
    assert {name: found["holt"][name] for name in short} == short
    assert found["holt"]["seven points"] == "naive2"
    assert found["comb"]["three points"] == "mean of naive2, naive2, naive2"
    assert not any("plain" in row for row in found.values())


def test_a_forecast_that_names_no_other_method_is_no_other_methods(
        fitted: tuple[Statistical, Path]) -> None:
    """The forecast of a stand-in is never given without its name."""
    system, folder = fitted
    rows = {name: {one["id"]: one for one in system.predict(folder, variant)}
            for name, variant in system.settings.variants.items()}
    for name, others in rows.items():
        for identity, one in others.items():
            for other in ("naive", "snaive", "naive2"):
                same = one["forecast"] == rows[other][identity]["forecast"]
                constant = len(set(PASTS[identity])) == 1
                if same and not constant and name not in ("naive", "snaive", "naive2"):
                    assert "method" in one, (name, identity, other)


def test_series_with_zeros_have_additive_ets(fitted: tuple[Statistical, Path]) -> None:
    system, folder = fitted
    rows = {one["id"]: one for one in system.predict(folder, system.settings.variants["ets"])}
    theirs = AutoETS(4, model="ANA").forecast(np.array(PASTS["with zeros"]), 3, level=[95])
    np.testing.assert_allclose(rows["with zeros"]["forecast"], theirs["mean"], rtol=1e-5)


def test_replaced_answers_are_counted(fitted: tuple[Statistical, Path]) -> None:
    system, folder = fitted
    items = score(list(system.predict(folder, system.settings.variants["ets"])), folder)
    items.write(folder / "items.parquet")
    assert details(ItemStatistics.read(folder / "items.parquet")) == {"replaced": {
        "ETS(A,N,A)": 3, "ETS(A,N,N)": 1, "naive": 2, "snaive": 1}}
    plain = list(system.predict(folder, system.settings.variants["naive"]))
    assert details(score(plain, folder)) == {}


def test_series_of_ones_own_are_named_alike(fitted: tuple[Statistical, Path],
                                            tmp_path: Path) -> None:
    """Not asked for as series that were fitted: the same names."""
    system, folder = fitted
    pasts = [np.array(past) * 2 for past in load_pasts(folder)]
    save_pasts(tmp_path, list(PASTS), pasts)
    assert made_by((system, tmp_path)) == made_by(fitted)


def test_the_page_says_how_many_items_were_answered_by_what(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    write_leaderboard(suite, "yearly")
    assert "another method" not in suite.places.page("yearly").read_text("utf-8")
    path = suite.places.metrics("yearly", "smooth")
    result = read_json(path)
    result["variants"]["holt"]["details"] = {"replaced": {"naive2": 3, "naive": 1}}
    write_json(path, result)
    write_leaderboard(suite, "yearly")
    page = suite.places.page("yearly").read_text("utf-8")
    assert "- `smooth:holt`: 1 of 4 by naive, 3 of 4 by naive2\n" in page
    rows = {row["system"]: row for row in build(suite, "yearly")["rows"]}
    assert rows["smooth:holt"]["replaced"] == {"naive2": 3, "naive": 1}
    assert "replaced" not in rows["smooth:ses"]
