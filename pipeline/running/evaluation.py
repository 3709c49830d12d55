"""Evaluate one system of a suite: predict, write, read back, score.

Scores are computed from the prediction files alone, so anybody who has the corpus can repeat them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pipeline.entries import SystemSettings
from pipeline.errors import UserError
from pipeline.modules import model_module, task_module
from pipeline.provenance.inputs import read_row_version, read_settings
from pipeline.running.costs import measured, processor
from pipeline.running.sealed import checked_test
from pipeline.running.threads import limited_threads
from pipeline.scoring import significance
from pipeline.scoring.item_clusters import check_clusters
from pipeline.scoring.records import Answers, Cost, Measures, Result, Score
from pipeline.scoring.scores import ItemStatistics, Metric
from pipeline.storage import predictions
from pipeline.storage.files import write_json
from pipeline.storage.shapes import read_shaped
from pipeline.suite.places import PLAIN, Places
from pipeline.systems.base import NeuralSystem, System, system_class
from pipeline.systems.convergence import converged
from pipeline.systems.model_folder import Training, read_training
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
        """The task's additive statistics of each test item, as a file keeps them.

        Items are in the clusters that their features name.
        """
        statistics: ItemStatistics = task_module(self.task, "scoring").score(found, test)
        check_clusters(statistics, test)
        return statistics.in_single()

    def metrics(self, statistics: ItemStatistics) -> dict[str, Metric]:
        """The task's metrics that the test set has items for, by name."""
        known: dict[str, Metric] = task_module(self.task, "scoring").METRICS
        return {name: metric for name, metric in known.items()
                if math.isfinite(statistics.score(metric))}

    def row(self, statistics: ItemStatistics) -> Answers:
        """Every metric of the task that the test set has items for, with its 95 % interval.

        An interval's bounds are None where the test set allows none. `n_items` counts the items
        that the track's primary metric is about (those of another condition have nothing in its
        sums) and `clusters` the clusters that they lie in. A task whose scoring has a function
        `details` adds what it returns, numbers that stand behind the metrics and are not ranked.
        """
        scoring = task_module(self.task, "scoring")
        metrics = self.metrics(statistics)
        if self.metric not in metrics:
            raise UserError(f"track {self.track!r} is ranked by {self.metric!r}, for which its "
                            f"test set has no items; tracks.{self.track}.metric can be one of "
                            f"{sorted(metrics)}")
        bounds = significance.intervals(statistics, metrics, self.resamples, self.seed)
        primary = statistics.table(metrics[self.metric].columns)
        details = scoring.details(statistics) if hasattr(scoring, "details") else {}
        row: Answers = {
            "metrics": {name: _score(statistics.score(metric), bounds[name])
                        for name, metric in metrics.items()},
            "n_items": int(primary.any(axis=1).sum()),
            "clusters": significance.clusters_about(statistics, metrics[self.metric]),
            "signature": {name: metric.signature for name, metric in metrics.items()
                          if metric.signature},
        }
        if details:
            row["details"] = details
        return row


def _score(value: float, bounds: tuple[float, float] | None) -> Score:
    low, high = bounds or (None, None)
    return {"value": value, "low": low, "high": high}


@dataclass(frozen=True)
class Answered:
    """What a trained system answers to its test items, by variant, as it was read back."""

    task: str
    system: System
    test: Path
    answers: Mapping[str, list[predictions.Prediction]]
    measures: Measures


def evaluate_system(places: Places, key: str, out: Places) -> None:
    """Predict, write, read back and score the test items of a system of a validated suite.

    The model is taken from `out`, which gets predictions, metrics, figures and costs.
    """
    entry = read_settings(places, "evaluate", key)
    answered = answer_test(places, key, out)
    scorer, training = Scorer.of(entry), read_training(out.model(key))
    result: Result = {
        "version": read_row_version(places, key),
        "track": scorer.track, "task": answered.task, "system": key, "corpus": entry["corpus"],
        "parameters": training["parameters"],
        "ceiling": read_shaped(answered.test / "ceiling.json", dict[str, float]),
        "settings_tried": entry["settings_tried"],
        "variants": {variant: scorer.row(statistics) for variant, statistics
                     in score_answers(places, key, answered, out).items()},
    }
    if (ended := had_converged(answered.system, training)) is not None:
        result["converged"] = ended
    if precision := training.get("precision"):
        result["precision"] = precision
    cost: Cost = {**answered.measures, "threads": entry["threads"],
                  "processor": processor(entry["device"])}
    write_json(out.metrics(scorer.track, key), result)
    write_json(out.cost(scorer.track, key, "evaluate"), cost)
    _draw(answered, out.figures(scorer.track, key))


def answer_test(places: Places, key: str, out: Places) -> Answered:
    """Let the model of a system that lies in `out` answer the test items, into files of `out`."""
    entry = read_settings(places, "evaluate", key)
    task, system = entry["task"], entry["system"]
    settings: SystemSettings = model_module(task, system["model"]).Settings.model_validate(system)
    test = checked_test(places, settings.track)
    loaded = system_class(task, settings.model).load(out.model(key))
    loaded.settings = settings
    files = {variant: out.answers(settings.track, key, variant)
             for variant in settings.variants or [""]}
    if isinstance(loaded, NeuralSystem):
        loaded.to(device_of(entry["device"]))
    with limited_threads(entry["threads"]), measured() as measures:
        for variant, file in files.items():
            predictions.write(file, loaded.predict(test, settings.variants.get(variant)))
    if isinstance(loaded, NeuralSystem):
        loaded.to("cpu")
    return Answered(task, loaded, test, {variant: predictions.read(file)
                                         for variant, file in files.items()}, measures)


def score_answers(places: Places, key: str, answered: Answered,
                  out: Places) -> dict[str, ItemStatistics]:
    """The statistics of the test items of each variant, which are also written into `out`."""
    scorer = Scorer.of(read_settings(places, "evaluate", key))
    found = {}
    for variant, answers in answered.answers.items():
        found[variant] = scorer.statistics(answers, answered.test)
        found[variant].write(out.items(scorer.track, key, variant))
    return found


def had_converged(system: System, training: Training) -> bool | None:
    """Whether the training had converged when it ended; None for one without gradient descent."""
    if not isinstance(system, NeuralSystem) or not training["curve"]:
        return None
    return converged([point["validation_loss"] for point in training["curve"]],
                     system.settings.training.patience)


def _draw(answered: Answered, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    task_module(answered.task, "figures").draw(
        answered.system, {variant or PLAIN: answers
                          for variant, answers in answered.answers.items()}, answered.test, folder)
