"""What networks for words do to frames in training, and batches of words by fold."""

import math
from pathlib import Path

import numpy as np
import pytest
import scipy.fft
import torch

from pipeline.audio.batching import padded
from pipeline.storage.files import read_json
from pipeline.tasks.words.shared.batching import WordBatches
from pipeline.tasks.words.shared.folds import folds_of
from pipeline.tasks.words.shared.hearing import warped, waves
from tests.tasks.words.test_networks import new, two_words
from tests.tasks.words.toy import LABELS, SPEAKERS, write_features


@pytest.mark.parametrize("setting", [
    {"input_noise": 0.5}, {"warp": 0.5}, {"colour": 0.5}, {"dropout": 0.5},
    {"time_masks": 2, "time_mask_frames": 5}, {"feature_masks": 2, "feature_mask_width": 1}])
def test_frames_are_altered_in_training_only(setting: dict, tmp_path: Path) -> None:
    system = new("mean_mlp", write_features(tmp_path, held_out=False), **setting)
    body, lengths = system.bodies[0], torch.tensor([9, 9])
    torch.manual_seed(0)
    found = [body.train(mode)(two_words(), lengths) for mode in [True] * 4 + [False] * 2]
    assert not all(torch.equal(found[0], one) for one in found[1:4])
    assert torch.equal(found[4], found[5])


def test_what_is_softer_than_the_range_is_raised_to_its_end(tmp_path: Path) -> None:
    system = new("mean_mlp", write_features(tmp_path, held_out=False), range_db=20.0).eval()
    hearing = system.bodies[0].hearing
    words = [np.array([[3.0, -9.0], [0.0, 2.5]], np.float32), np.full((1, 2), -1.0, np.float32)]
    end = -2 * math.log(10)  # 20 dB of power
    known = np.array([[0, end], [-3, -0.5], [0, 0]])
    hearing.standardise_by(words)
    np.testing.assert_allclose(hearing.mean.numpy(), known.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(hearing.deviation.numpy(), known.std(axis=0), rtol=1e-5)
    batch = padded(words)
    batch["frames"][1, 1] = 50.0  # behind the end of the second word, whose loudest is -1
    found = hearing(batch["frames"], batch["lengths"]) * hearing.deviation + hearing.mean
    np.testing.assert_allclose(found[0].numpy(), known[:2], atol=1e-5)
    np.testing.assert_allclose(found[1, 0].numpy(), known[2], atol=1e-5)


def test_channels_are_taken_from_a_stretched_axis() -> None:
    torch.manual_seed(3)
    frames = torch.randn(4, 5, 9)
    torch.manual_seed(4)
    stretches = 1 + 0.3 * (2 * torch.rand(4, 1) - 1)
    torch.manual_seed(4)
    found = warped(frames, 0.3)
    assert len(set(stretches.flatten().tolist())) == 4
    for row, stretch in enumerate(stretches.flatten().tolist()):
        places = np.minimum(np.arange(9) * stretch, 8)
        expected = [np.interp(places, np.arange(9), frame) for frame in frames[row].numpy()]
        np.testing.assert_allclose(found[row].numpy(), expected, atol=1e-5)


def test_a_colour_is_made_of_three_waves_of_equal_strength() -> None:
    torch.manual_seed(1)
    found = waves(4000, 12, torch.device("cpu")).numpy()
    np.testing.assert_allclose(found.mean(axis=1), 0, atol=1e-5)
    # The orthonormal cosine transform of a wave over 12 channels is the root of 6.
    strengths = scipy.fft.dct(found, norm="ortho").std(axis=0) / np.sqrt(6)
    assert strengths[1:4] == pytest.approx([1, 1, 1], rel=0.05)
    assert strengths[4:] == pytest.approx([0] * 8, abs=1e-5)


def test_no_batch_mixes_folds_and_an_epoch_has_all_their_words(tmp_path: Path) -> None:
    data = write_features(tmp_path, held_out=True) / "fit"
    rows = [fold.train for fold in folds_of(data)]
    items = read_json(data / "train.items.json")
    batches = WordBatches(data, "train", LABELS, rows, 16, seed=1)
    heard: dict[int, list[int]] = {fold: [] for fold in range(3)}
    for description in batches.plan(0):
        batch = batches.load(description)
        heard[batch["fold"]] += description.items.tolist()
        assert [LABELS[label] for label in batch["labels"]] == [
            items[row]["label"] for row in description.items]
    for fold, speaker in enumerate(SPEAKERS):
        assert sorted(heard[fold]) == [row for row, item in enumerate(items)
                                       if item["speaker"] != speaker]
    first, again, later = batches.plan(1), batches.plan(1), batches.plan(2)
    shown = [[plan.items.tolist() for plan in plans] for plans in (first, again, later)]
    assert shown[0] == shown[1] != shown[2]
    assert {plan.fold for plan in first[:6]} != {0}
