"""Verdicts on real corpora, counted again from the committed files without the project's code.

pandas reads the statistics of test items, and what follows from sums alone is done by hand here:
scores that are a ratio of two sums, effects, seeds, groups of items, pairs won, Holm's method, and
what a verdict may then say. Errors of effects need resamples, so p values are taken as committed.
"""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from pipeline.storage.files import read_json

# Which two columns a metric divides, and whether the lower score is the better one.
RATIOS = {"accuracy": ("correct", False), "wer": ("errors", True), "mse": ("squared_error", True),
          "nll": ("nll", True), "bits_per_character": ("nll_characters", True)}
OF = {"correct": ("items", "words"), "errors": ("words",), "nll": ("steps",),
      "squared_error": ("squared_error_items",), "nll_characters": ("characters",)}
Frames = list[pd.DataFrame]


@pytest.fixture(scope="module")
def params(root: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(root / "real/params.yaml")


@pytest.fixture(scope="module")
def claims(root: Path) -> list[dict[str, Any]]:
    return read_json(root / "real/leaderboards/claims.json")


def trainings(root: Path, track: str, row: str) -> Frames:
    """Statistics of a row's trainings of the version that its metrics file states."""
    key, _, variant = row.partition(":")
    files = root / "real/predictions" / track / key / f"{variant or 'plain'}.items.parquet"
    version = read_json(root / f"real/metrics/{track}/{key}.json")["version"]
    further = root / "real/seeds" / track / key / (variant or "plain") / version
    return [pd.read_parquet(file) for file in (files, *further.glob("*.items.parquet"))]


def counted(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The two columns that a metric divides, the numerator first."""
    column, _ = RATIOS[metric]
    return frame[[column, next(name for name in OF[column] if name in frame)]].astype(float)


def score(frame: pd.DataFrame, metric: str) -> float:
    """Higher is better, whatever the metric's own direction is."""
    above, below = counted(frame, metric).sum()
    unit = {"accuracy": 100, "wer": 100, "bits_per_character": 1 / np.log(2)}.get(metric, 1.0)
    return (-1 if RATIOS[metric][1] else 1) * unit * above / below


def groups_about(frames: Frames, metric: str) -> int:
    """How many groups of test items hold anything that the metric is about."""
    sums = pd.concat(counted(frame, metric).groupby(frame["group"]).sum() for frame in frames)
    return int(sums[(sums != 0).any(axis=1)].index.nunique())


def named(claim: dict[str, Any]) -> dict[str, float]:
    """The rows of a claim's effect with their weights."""
    contrast = claim["contrast"] or {}
    pairs = [(claim["better"], 1.0), (claim["worse"], -1.0)] + (
        [(contrast["better"], -1.0), (contrast["worse"], 1.0)] if contrast else [])
    return pd.DataFrame(pairs).groupby(0)[1].sum().to_dict()


def test_effects_seeds_and_groups_are_those_of_the_files(
        root: Path, params: dict[str, Any], claims: list[dict[str, Any]]) -> None:
    about = [claim for claim in claims if claim["metric"] in RATIOS]
    assert len(about) > len(claims) / 2
    for claim in about:
        weights = named(claim)
        found = {row: trainings(root, claim["track"], row) for row in weights}
        scores = {row: [score(frame, claim["metric"]) for frame in frames]
                  for row, frames in found.items()}
        effect = sum(weight * np.mean(scores[row]) for row, weight in weights.items())
        assert claim["effect"] == pytest.approx(effect, rel=1e-9, abs=1e-12), claim["id"]
        assert claim["clusters"] == groups_about(
            found[claim["worse"]], claim["metric"]), claim["id"]
        networks = {row.partition(":")[0] for row in weights
                    if "training" in params["systems"][row.partition(":")[0]]}
        seeds = [len(scores[row]) for row in scores if row.partition(":")[0] in networks]
        assert claim["seeds"] is None if not seeds else claim["seeds"] <= min(seeds), claim["id"]
        if len(weights) == 2 and len({row.partition(":")[0] for row in weights}) == 2:
            won = [np.sign(one - other) / 2 + 0.5 for one, other in product(
                scores[claim["better"]], scores[claim["worse"]])]
            assert claim["wins"] == pytest.approx(np.mean(won)), claim["id"]


def test_holms_method_and_verdicts_follow_from_the_committed_p_values(
        claims: list[dict[str, Any]]) -> None:
    family = sorted((claim for claim in claims if claim["p"] is not None and claim["seeds"] != 1),
                    key=lambda claim: claim["p"])
    least = 0.0
    for place, claim in enumerate(family):
        least = max(least, min(1.0, (len(family) - place) * claim["p"]))
        assert claim["p_adjusted"] == pytest.approx(least), claim["id"]
    for claim in claims:
        if claim in family:
            decided = "holds" if claim["effect"] > 0 else "refuted"
            assert claim["verdict"] == (decided if claim["p_adjusted"] < 0.05 else "undecided")
        else:
            assert claim["p_adjusted"] is None
            assert claim["verdict"] in ("one training", "undecided")
        # What is decided excludes that there is no effect, also by its interval alone.
        assert claim["verdict"] not in ("holds", "refuted") or claim["low"] * claim["high"] > 0
