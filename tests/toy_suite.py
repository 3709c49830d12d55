"""A small suite with results written by hand, for tests of what is made from results."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.results.trainings import place_of
from pipeline.scoring.digests import digest_of
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.files import write_json
from pipeline.suite.schema import Suite
from pipeline.tasks.forecast.scoring import METRICS

# sMAPE and MASE of four series for each row; Naive2's are 10 and 1, so OWA is easy by hand.
ERRORS = {
    "smooth:ses": ([10.0, 10.0, 10.0, 10.0], [1.0, 1.0, 1.0, 1.0]),
    "smooth:holt": ([8.0, 12.0, 8.0, 8.0], [0.9, 1.1, 0.9, 0.9]),
    "network": ([5.0, 6.0, 4.0, 5.0], [0.5, 0.6, 0.4, 0.5]),
}


VERSION = "0123456789abcdef"


def toy_suite(project: Path = Path("nowhere"), /, **changes: Any) -> Suite:
    """One track `yearly` of the forecast task with the rows of `ERRORS`, in a project's folder."""
    track = {
        "title": "Yearly forecasts", "task": "forecast", "corpus": "series",
        "metric": "owa", "features": {"frequency": "Yearly"},
        "floor": {"value": 1.0, "of_ceiling": False, "rows": ["network"]},
        "published": {"network": {"value": 0.45, "source": "A paper, table 1"},
                      "Oracle|X": {"value": 0.7, "source": "Another paper"}},
    }
    claim = {"id": "network-wins", "track": "yearly", "text": "A network forecasts better",
             "source": "lecture 3", "lecture": "time series", "better": "network",
             "worse": ["smooth:ses", "smooth:holt"],
             "metric": "smape"}
    systems: dict[str, Any] = {
        "smooth": {"track": "yearly", "model": "statistical", "ets": "ZZZ", "settings_tried": 2,
                   "variants": {"ses": {"method": "ses"}, "holt": {"method": "holt"}}},
        "network": {"track": "yearly", "model": "esrnn", "settings_tried": 2, "training": {}},
    }
    return Suite.model_validate({
        "root": ".", "suite": "", "evidence": "ci", "seed": 1, "threads": 1, "device": "cpu",
        "precision": "fp32", "resamples": 200, "mirror": None,
        "corpora": {"series": {"module": "m4"}}, "tracks": {"yearly": track | changes.pop(
            "track", {})}, "systems": systems, "claims": [claim | changes.pop("claim", {})],
    } | changes).placed(project)


def statistics(row: str) -> ItemStatistics:
    smape, mase = ERRORS[row]
    count = len(smape)
    return ItemStatistics([f"Y{i}" for i in range(count)], {
        "smape": np.array(smape), "mase": np.array(mase), "naive2_smape": np.full(count, 10.0),
        "naive2_mase": np.ones(count), "series": np.ones(count)})


def write_results(suite: Suite, ceiling: float | None = 0.4) -> None:
    """Metrics, costs, curve and item statistics of every row, as the stages would leave them."""
    places = suite.places
    write_json(places.all_curves / "none.json", {})
    write_json(places.curve("yearly", "network"), [
        {"step": 10 * n, "epoch": n, "loss": 3.0 / n, "validation_loss": 4.0 / n}
        for n in (1, 2)])
    for key in suite.systems_of("yearly"):
        variants = {}
        for variant, row in suite.rows_of(key).items():
            items = statistics(row)
            items.write(places.items("yearly", key, variant))
            values = {name: items.score(metric) for name, metric in METRICS.items()
                      if math.isfinite(items.score(metric))}
            variants[variant] = {
                "metrics": {name: {"value": value, "low": value - 0.1, "high": value + 0.1}
                            for name, value in values.items()},
                "n_items": len(items.ids), "clusters": len(items.ids),
                "signature": {"owa": "m4|v1"}}
        write_json(places.metrics("yearly", key), {
            "version": VERSION,
            "track": "yearly", "task": "forecast", "system": key, "corpus": "series",
            "parameters": 12345, "ceiling": {} if ceiling is None else {"owa": ceiling},
            "settings_tried": 2, "variants": variants})
        write_json(places.cost("yearly", key, "train"), {
            "seconds": 70.5, "peak_memory_bytes": 3 * 2**20, "threads": 1, "commit": "a" * 40,
            "processor": "Test CPU", "precision": "fp32", "version": {}})
        write_json(places.cost("yearly", key, "evaluate"), {
            "seconds": 1.25, "peak_memory_bytes": 5 * 2**20, "threads": 1,
            "processor": "Test CPU"})


def write_seeds(suite: Suite, row: str, shifts: Sequence[float]) -> None:
    """What `unrolled spread` leaves of a row: its own training, and one for each of `shifts`.

    The sMAPE of each series of such a training is the row's own and a shift.
    """
    key, variant = place_of(suite, "yearly", row)
    for seed, shift in enumerate([0.0, *shifts], start=suite.seed):
        items = statistics(row)
        items.columns["smape"] += shift
        if seed != suite.seed:
            items.write(suite.places.seed_items("yearly", key, variant, VERSION, seed))
        scores = {name: items.score(metric) for name, metric in METRICS.items()
                  if math.isfinite(items.score(metric))}
        write_json(suite.places.seed_record("yearly", key, variant, VERSION, seed), {
            "scores": scores, "processor": "Test CPU", "precision": "fp32", "torch": "2",
            "converged": None, "answers": "0" * 64, "weights": "0" * 64,
            "statistics": digest_of(items)})
