"""Batches: every recording once an epoch, decided by seed and epoch alone; tempo."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.audio.batching import FrameBatches
from pipeline.audio.frames import write_frames


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty recordings of 20 to 140 frames."""
    random = np.random.default_rng(5)
    directory = tmp_path_factory.mktemp("frames")
    write_frames(directory, "train", [random.normal(size=(random.integers(20, 141), 12))
                                      .astype(np.float32) for _ in range(60)])
    return directory


def batches(features: Path, tempo: float = 0.0, seed: int = 1) -> FrameBatches:
    return FrameBatches(features, "train", 7, seed, tempo)


def test_an_epoch_has_every_utterance_once(features: Path) -> None:
    plan = batches(features).plan(3)
    assert sorted(np.concatenate([batch.items for batch in plan])) == list(range(60))
    assert [len(batches(features).plan(epoch)) for epoch in range(3)] == [9, 9, 9]


@pytest.mark.parametrize("tempo", [0.0, 0.2])
def test_batches_depend_on_seed_and_epoch_alone(features: Path, tempo: float) -> None:
    first, second = batches(features, tempo), batches(features, tempo)
    first.load(first.plan(0)[0])
    a, b = (found.load(found.plan(2)[4]) for found in (first, second))
    assert all(torch.equal(a[name], b[name]) for name in a)
    orders = {tuple(np.concatenate([batch.items for batch in batches(features, seed=seed).plan(e)]))
              for seed in (1, 2) for e in (0, 1)}
    assert len(orders) == 4


def test_tempo_changes_lengths_and_keeps_the_sound(features: Path) -> None:
    plain, stretched = batches(features), batches(features, tempo=0.2)
    ratios = []
    for description in plain.plan(0):
        before, after = plain.load(description), stretched.load(description)
        ratios += (after["lengths"] / before["lengths"]).tolist()
        torch.testing.assert_close(after["frames"][:, 0], before["frames"][:, 0])
        last = [batch["frames"][0, batch["lengths"][0] - 1] for batch in (before, after)]
        torch.testing.assert_close(*last)
    assert min(ratios) < 0.9 and max(ratios) > 1.1
    assert min(ratios) > 0.75 and max(ratios) < 1.25
