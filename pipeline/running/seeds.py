"""One more training of a system with another seed, and what is kept of it: `seeds/`.

It is trained and scored by what the stages call, in a folder of its own that is removed afterwards:
of each row the statistics of its test items stay, and a record of what the training was. The record
is written last, so where there is one, all is there. The suite's own seed has a record alone; its
statistics are those of the predictions.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.provenance.inputs import read_row_version, read_settings
from pipeline.running.evaluation import Scorer, answer_test, had_converged, score_answers
from pipeline.running.fitting import train_system
from pipeline.scoring.digests import digest_of
from pipeline.scoring.records import Cost, Result, SeedRecord
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.files import sha256, write_json
from pipeline.storage.shapes import read_shaped
from pipeline.suite.places import Places
from pipeline.systems.model_folder import WEIGHTS, read_training

Kept = Mapping[str, tuple[SeedRecord, ItemStatistics]]


def train_seed(places: Places, track: str, key: str, seed: int) -> Kept:
    """Train and score a system with a seed; record and statistics of each variant.

    What a killed call has computed up to its last checkpoint is taken up again. Raises UserError.
    """
    with tempfile.TemporaryDirectory(prefix="unrolled-seed-") as folder:
        out = places.below(Path(folder))
        train_system(places, key, out, seed)
        answered = answer_test(places, key, out)
        ended = had_converged(answered.system, read_training(out.model(key)))
        scorer = Scorer.of(read_settings(places, "evaluate", key))
        return {variant: (_record(out, track, key, variant, statistics, {
            name: statistics.score(metric)
            for name, metric in scorer.metrics(statistics).items()}, ended), statistics)
            for variant, statistics in score_answers(places, key, answered, out).items()}


def keep_seed(places: Places, track: str, key: str, seed: int) -> None:
    """Train a system with a seed and keep what it gives in `seeds/`."""
    version = read_row_version(places, key)
    for variant, (record, statistics) in train_seed(places, track, key, seed).items():
        statistics.write(places.seed_items(track, key, variant, version, seed))
        write_json(places.seed_record(track, key, variant, version, seed), record)


def records_in(out: Places, track: str, key: str) -> Kept:
    """What there is to say of the trained and evaluated system that lies in `out`, by variant.

    Raises UserError where its model, its answers or its scores are not there.
    """
    result = read_shaped(out.metrics(track, key), Result)
    found = {}
    for variant, answers in result["variants"].items():
        statistics = ItemStatistics.read(out.items(track, key, variant))
        scores = {name: score["value"] for name, score in answers["metrics"].items()}
        found[variant] = (_record(out, track, key, variant, statistics, scores,
                                  result.get("converged")), statistics)
    return found


def _record(out: Places, track: str, key: str, variant: str, statistics: ItemStatistics,
            scores: dict[str, float], ended: bool | None) -> SeedRecord:
    file = out.cost(track, key, "train")
    cost: Mapping[str, Any] = read_shaped(file, Cost) if file.exists() else {}
    return {
        "scores": scores, "processor": cost.get("processor"), "precision": cost.get("precision"),
        "torch": cost.get("torch"), "converged": ended,
        "answers": sha256(out.answers(track, key, variant)),
        "weights": sha256(out.model(key) / WEIGHTS), "statistics": digest_of(statistics)}
