"""Batches of utterances have their transcripts, which fit into their frames."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.audio.frames import write_frames
from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.tasks.asr.shared.batching import Utterances

SYMBOLS = [" ", "A", "B", "C"]


def batches(features: Path) -> Utterances:
    return Utterances(features / "fit", "train", SYMBOLS, batch=7, seed=1)


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


def test_utterances_of_a_share_have_their_own_frames_and_transcripts(features: Path) -> None:
    whole = batches(features)
    found = Utterances(features / "fit", "train", SYMBOLS, batch=7, seed=1, share=0.2)
    ids = [item["id"] for item in whole.items]
    seen = set()
    for description in found.plan(3):
        batch = found.load(description)
        targets = torch.split(batch["targets"], batch["target_lengths"].tolist())
        for row, item in enumerate(description.items):
            place = ids.index(found.items[item]["id"])
            seen.add(place)
            np.testing.assert_array_equal(batch["frames"][row, : int(batch["lengths"][row])],
                                          whole.frames[place])
            assert targets[row].tolist() == whole.targets[place]
    assert seen == set(range(0, 60, 5))  # all are one speaker's
    with pytest.raises(UserError, match="lower `stack`"):
        found.check_alignable(8)


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
