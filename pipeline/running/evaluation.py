"""Evaluate one system of a suite: predict, write, read back, score.

Scores are computed from the prediction files alone, so anybody who has the corpus can repeat them.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pipeline.entries import SystemSettings
from pipeline.errors import UserError
from pipeline.modules import model_module, task_module
from pipeline.provenance.inputs import read_settings
from pipeline.running.costs import measured, processor
from pipeline.running.sealed import checked_test
from pipeline.running.threads import limited_threads
from pipeline.scoring import significance
from pipeline.scoring.records import Answers, Cost, Result
from pipeline.scoring.scores import ItemStatistics, Metric
from pipeline.storage import predictions
from pipeline.storage.files import write_json
from pipeline.storage.shapes import read_shaped
from pipeline.suite.places import PLAIN, Places
from pipeline.systems.base import NeuralSystem, System, system_class
from pipeline.systems.convergence import converged
from pipeline.systems.model_folder import read_training
from pipeline.systems.network import device_of


@dataclass(frozen=True)
class Scorer:
    """How the answers of one track are scored: by which task's metrics, over which resamples."""

    task: str
    track: str
    metric: str
    resamples: int
    seed: int

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Self:
        """That of an evaluate stage's settings."""
        return cls(entry["task"], entry["system"]["track"], entry["metric"],
                   entry["resamples"], entry["seed"])

    def statistics(self, found: list[predictions.Prediction], test: Path) -> ItemStatistics:
        """The task's additive statistics of each test item."""
        return task_module(self.task, "scoring").score(found, test)

    def row(self, statistics: ItemStatistics) -> Answers:
        """Every metric of the task that the test set has items for, with its 95 % interval.

        `n_items` counts the items that the track's primary metric is about: those of another
        condition have nothing in its sums. A task whose scoring has a function `details` adds what
        it returns, numbers that stand behind the metrics and are not ranked.
        """
        scoring = task_module(self.task, "scoring")
        known: dict[str, Metric] = scoring.METRICS
        metrics = {name: metric for name, metric in known.items()
                   if math.isfinite(statistics.score(metric))}
        if self.metric not in metrics:
            raise UserError(f"track {self.track!r} is ranked by {self.metric!r}, for which its "
                            f"test set has no items; tracks.{self.track}.metric can be one of "
                            f"{sorted(metrics)}")
        bounds = significance.intervals(statistics, metrics, self.resamples, self.seed)
        primary = statistics.table(known[self.metric].columns)
        details = scoring.details(statistics) if hasattr(scoring, "details") else {}
        row: Answers = {
            "metrics": {name: {"value": statistics.score(metric),
                               "low": bounds[name][0], "high": bounds[name][1]}
                        for name, metric in metrics.items()},
            "n_items": int(primary.any(axis=1).sum()),
            "signature": {name: metric.signature for name, metric in metrics.items()
                          if metric.signature},
        }
        if details:
            row["details"] = details
        return row


def evaluate_system(places: Places, key: str, out: Places) -> None:
    """Predict, write, read back and score the test items of a system of a validated suite.

    The model is taken from `out`, which gets predictions, metrics, figures and costs.
    """
    entry = read_settings(places, "evaluate", key)
    task, system = entry["task"], entry["system"]
    settings: SystemSettings = model_module(task, system["model"]).Settings.model_validate(system)
    track, test, model = settings.track, checked_test(places, settings.track), out.model(key)
    loaded = system_class(task, settings.model).load(model)
    loaded.settings = settings
    variants = list(settings.variants) or [""]
    if isinstance(loaded, NeuralSystem):
        loaded.to(device_of(entry["device"]))
    with limited_threads(entry["threads"]), measured() as measures:
        for variant in variants:
            predictions.write(out.answers(track, key, variant),
                              loaded.predict(test, settings.variants.get(variant)))
    if isinstance(loaded, NeuralSystem):
        loaded.to("cpu")
    found = {variant: predictions.read(out.answers(track, key, variant)) for variant in variants}
    training = read_training(model)
    result: Result = {
        "track": track, "task": task, "system": key, "corpus": entry["corpus"],
        "parameters": training["parameters"],
        "ceiling": read_shaped(test / "ceiling.json", dict[str, float]),
        "settings_tried": entry["settings_tried"],
        "variants": _rows(Scorer.of(entry), found, test, out, key),
    }
    if isinstance(loaded, NeuralSystem) and training["curve"]:
        result["converged"] = converged([point["validation_loss"] for point in training["curve"]],
                                        loaded.settings.training.patience)
    if precision := training.get("precision"):
        result["precision"] = precision
    cost: Cost = {**measures, "threads": entry["threads"],
                  "processor": processor(entry["device"])}
    write_json(out.metrics(track, key), result)
    write_json(out.cost(track, key, "evaluate"), cost)
    _draw(task, loaded, found, test, out.figures(track, key))


def _rows(scorer: Scorer, found: dict[str, list[predictions.Prediction]], test: Path,
          out: Places, key: str) -> dict[str, Answers]:
    """A metrics row of each variant; writes the statistics that it is made from."""
    rows = {}
    for variant, answers in found.items():
        statistics = scorer.statistics(answers, test)
        statistics.write(out.items(scorer.track, key, variant))
        rows[variant] = scorer.row(statistics)
    return rows


def _draw(task: str, system: System, found: dict[str, list[predictions.Prediction]], test: Path,
          folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    task_module(task, "figures").draw(
        system, {variant or PLAIN: answers for variant, answers in found.items()}, test, folder)
