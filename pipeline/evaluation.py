"""Evaluate one system of a suite: predict, write, read back, score.

Scores are computed from the prediction files alone, so anybody who has the corpus can repeat them.
"""

import math
from pathlib import Path
from typing import Any

from pipeline import predictions, significance
from pipeline.config import Suite, SystemSettings, task_module
from pipeline.costs import limited_threads, measured, processor
from pipeline.errors import UserError
from pipeline.files import read_json, write_json
from pipeline.predictions import variant_file
from pipeline.scores import ItemStatistics, Metric
from pipeline.system import system_class


def evaluate_system(suite: Suite, root: Path, key: str, model: Path, out: Path) -> None:
    """Predict, write, read back and score the test items of the system saved in `model`.

    Below `out` it writes metrics/<track>/<key>.json, predictions/<track>/<key>/,
    figures/<track>/<key>/ and costs/<track>/<key>.evaluate.json.
    """
    settings: SystemSettings = suite.system(key)
    test = root / suite.directory / "features" / settings.track / "test"
    system = system_class(settings.task, settings.model).load(model)
    system.settings = settings
    folder = out / "predictions" / settings.track / key
    with limited_threads(suite.threads), measured() as measures:
        for variant in settings.variants or {"": None}:
            predictions.write(folder / f"{variant_file(variant)}.jsonl.gz",
                              system.predict(test, settings.variants.get(variant)))
    rows, by_variant = {}, {}
    for variant in settings.variants or {"": None}:
        name = variant_file(variant)
        by_variant[name] = predictions.read(folder / f"{name}.jsonl.gz")
        statistics = score_predictions(settings.task, by_variant[name], test)
        statistics.write(folder / f"{name}.items.csv.gz")
        rows[variant] = metrics_row(suite, settings.track, statistics)
    record = read_json(model / "record.json")
    write_json(out / "metrics" / settings.track / f"{key}.json", {
        "track": settings.track, "task": settings.task, "system": key,
        "corpus": suite.track(settings.track).corpus,
        "parameters": record["parameters"],
        "ceiling": read_json(test / "ceiling.json"),
        "settings_tried": settings.settings_tried,
        "variants": rows,
    })
    write_json(out / "costs" / settings.track / f"{key}.evaluate.json",
               {**measures, "threads": suite.threads, "processor": processor(suite.device)})
    figures = out / "figures" / settings.track / key
    figures.mkdir(parents=True, exist_ok=True)
    task_module(settings.task, "figures").draw(system, by_variant, test, figures)


def score_predictions(task: str, found: list[predictions.Prediction],
                      test: Path) -> ItemStatistics:
    """The task's additive statistics of each test item."""
    return task_module(task, "scoring").score(found, test)


def metrics_row(suite: Suite, track: str, statistics: ItemStatistics) -> dict[str, Any]:
    """Every metric of the track's task that the test set has items for, with its 95 % interval.

    `n_items` counts the items that the track's primary metric is about: those of another
    condition have nothing in its sums.
    """
    entry = suite.track(track)
    known: dict[str, Metric] = task_module(entry.task, "scoring").METRICS
    metrics = {name: metric for name, metric in known.items()
               if math.isfinite(statistics.score(metric))}
    if entry.metric not in metrics:
        raise UserError(f"track {track!r} is ranked by {entry.metric!r}, for which its test set "
                        f"has no items; tracks.{track}.metric can be one of {sorted(metrics)}")
    bounds = significance.intervals(statistics, metrics, suite.resamples, suite.seed)
    primary = statistics.table(known[entry.metric].columns)
    return {
        "metrics": {name: {"value": statistics.score(metric),
                           "low": bounds[name][0], "high": bounds[name][1]}
                    for name, metric in metrics.items()},
        "n_items": int(primary.any(axis=1).sum()),
        "signature": {name: metric.signature for name, metric in metrics.items()
                      if metric.signature},
    }
