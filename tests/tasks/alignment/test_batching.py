"""Utterances read back, what fits in them, and frames, phones and starts turned into each other."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.storage.files import read_json, write_json
from pipeline.tasks.alignment.shared.batching import (
    PhoneBatches,
    Utterances,
    fits,
    frame_symbols,
    padded_targets,
    starts_of,
    with_separators,
)


@pytest.fixture
def copied(features: Path, tmp_path: Path) -> Path:
    return shutil.copytree(features / "fit", tmp_path / "fit")


def labels(fit: Path) -> list[str]:
    return read_json(fit / "spec.json")["phones"]


def change(fit: Path, **values: object) -> None:
    items = read_json(fit / "train.items.json")
    items[3] |= values
    write_json(fit / "train.items.json", items)


def test_symbols_are_places_among_the_labels(features: Path) -> None:
    found = Utterances.of(features / "fit", "train", labels(features / "fit"))
    names = labels(features / "fit")
    assert names[0] == "SIL"
    for item, symbols, starts in zip(found.items, found.symbols, found.known_starts(), strict=True):
        assert [names[symbol] for symbol in symbols] == item["phones"]
        assert starts.tolist() == item["starts"]


@pytest.mark.parametrize(("symbols", "frames", "possible"), [
    ([1, 2, 3], 3, True), ([1, 2, 3], 2, False), ([1, 1, 2], 3, False), ([1, 1, 2], 4, True),
    ([], 4, False)])
def test_equal_neighbours_need_a_frame_between_them(symbols: list[int], frames: int,
                                                    possible: bool) -> None:
    assert fits(np.array(symbols, np.int64), frames) is possible


def test_a_silence_parts_equal_neighbours_and_belongs_to_the_first() -> None:
    rows, places = with_separators(np.array([4, 4, 2]))
    assert rows == [4, 0, 4, 2]
    assert places.tolist() == [0, 0, 1, 2]


def test_starts_and_frames_are_two_ways_to_say_the_same() -> None:
    assert starts_of(np.array([0, 0, 1, 2, 2, 2])).tolist() == [0, 2, 3]
    assert frame_symbols(np.array([7, 5, 7]), np.array([0, 2, 3]), 6).tolist() == [
        7, 7, 5, 7, 7, 7]


def test_nothing_is_wanted_behind_the_end() -> None:
    found = padded_targets([np.array([3, 3]), np.array([1])], 3)
    assert found.tolist() == [[3, 3, -1], [1, -1, -1]]


def test_an_utterance_with_more_phones_than_frames_is_named(copied: Path) -> None:
    change(copied, phones=["SIL", "N"] * 200)
    with pytest.raises(UserError, match="has 400 phones and .* frames"):
        PhoneBatches(copied, "train", 4, 1, labels(copied))


def test_an_utterance_without_times_is_named(copied: Path) -> None:
    change(copied, starts=None)
    found = Utterances.of(copied, "train", labels(copied))
    with pytest.raises(UserError, match=f"{found.items[3]['id']}.*does not know when"):
        found.known_starts()


def test_a_batch_says_which_utterances_are_in_it(features: Path) -> None:
    batches = PhoneBatches(features / "fit", "train", 4, 1, labels(features / "fit"))
    for description in batches.plan(0):
        found = batches.load(description)
        lengths = batches.utterances.lengths[found["rows"]]
        assert torch.equal(found["lengths"], torch.from_numpy(lengths))
