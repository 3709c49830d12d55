"""Batches: every utterance once an epoch, decided by seed and epoch alone; masks; tempo."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.tasks.asr.shared.batching import Utterances
from pipeline.tasks.asr.shared.masking import mask
from pipeline.tasks.asr.shared.storage import write_frames

SYMBOLS = [" ", "A", "B", "C"]


def batches(features: Path, tempo: float = 0.0, seed: int = 1) -> Utterances:
    return Utterances(features / "fit", "train", SYMBOLS, 7, seed, tempo)


def test_an_epoch_has_every_utterance_once(features: Path) -> None:
    plan = batches(features).plan(3)
    assert sorted(np.concatenate([batch.items for batch in plan])) == list(range(60))
    assert [len(batches(features).plan(epoch)) for epoch in range(3)] == [9, 9, 9]


def test_a_batch_is_frames_and_symbols_of_its_utterances(features: Path) -> None:
    found = batches(features)
    description = found.plan(0)[0]
    batch = found.load(description)
    assert batch["frames"].shape == (len(description.items), int(batch["lengths"].max()), 12)
    targets = torch.split(batch["targets"], batch["target_lengths"].tolist())
    for row, item in enumerate(description.items):
        length = int(batch["lengths"][row])
        np.testing.assert_array_equal(batch["frames"][row, :length], found.frames[item])
        assert not batch["frames"][row, length:].any()
        assert "".join(SYMBOLS[i - 1] for i in targets[row]) == found.items[item]["text"]


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


def test_an_utterance_too_short_for_its_transcript_is_named(features: Path) -> None:
    batches(features).check_alignable(2)
    with pytest.raises(UserError, match=r"utterance 1-1-\d{4} has .* lower `stack`"):
        batches(features).check_alignable(8)


@pytest.mark.parametrize(("text", "enough"), [("AB", True), ("AA", False)])
def test_equal_neighbours_need_a_frame_between_them(tmp_path: Path, text: str,
                                                    enough: bool) -> None:
    write_frames(tmp_path, "train", [np.zeros((5, 3), np.float32)])
    write_json(tmp_path / "train.items.json", [{"id": "u", "text": text}])
    found = Utterances(tmp_path, "train", SYMBOLS, batch=1, seed=0)
    with contextlib.nullcontext() if enough else pytest.raises(UserError, match="has 2 .* needs 3"):
        found.check_alignable(2)


def test_masks_hide_bands_within_the_utterance() -> None:
    torch.manual_seed(0)
    lengths = torch.tensor([50, 100])
    hidden_frames, hidden_features = set(), set()
    for _ in range(100):
        found = mask(torch.ones(2, 100, 8), lengths, time_masks=1, longest=15, feature_masks=1,
                     widest=3) == 0
        rows, columns = found.all(dim=2), found.all(dim=1)
        assert not rows[0, 50:].any()
        # A fifth of fifty frames limits the first, `longest` the second.
        assert rows.sum(dim=1)[0] <= 10 and rows.sum(dim=1)[1] <= 15
        assert (columns.sum(dim=1) <= 3).all()
        assert torch.equal(found, rows[:, :, None] | columns[:, None])
        for band in (*rows, *columns):
            assert int((band.int().diff() == 1).sum()) + int(band[0]) <= 1
        hidden_frames.add(int(rows[1].sum()))
        hidden_features.add(int(columns[1].sum()))
    assert max(hidden_frames) == 15 and hidden_features == {0, 1, 2, 3}
