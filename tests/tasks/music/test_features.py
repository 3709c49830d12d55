"""Rolls on disk, what training may know, and the items that scores are about."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.storage.arrays import write_array
from pipeline.storage.files import read_json, sha256
from pipeline.tasks.music import features
from pipeline.tasks.music.shared.batching import Pieces
from pipeline.tasks.music.shared.items import Item, read_items
from pipeline.tasks.music.shared.rolls import KEYS, Rolls, pitches_of, roll_of, write_rolls


def corpus(**splits: list[list[list[int]]]) -> SimpleNamespace:
    known = {"train": [[[60], [62], []], [[21, 108], [64]]], "valid": [[[60], [60]]],
             "test": [[[60], [60], [], [61, 65]], [[50], [50]]]} | splits

    def pieces(directory: Path, split: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(id=f"{split}-{number}", steps=steps, nats=None)
                for number, steps in enumerate(known[split])]
    return SimpleNamespace(pieces=pieces)


def extract(folder: Path, reader: SimpleNamespace) -> None:
    for part in ("fit", "test"):
        (folder / part).mkdir(parents=True)
    features.extract(features.Settings(), folder, reader, folder / "fit", folder / "test")


def test_rolls_by_hand() -> None:
    roll = roll_of([[21], [], [108, 60]])
    assert roll.shape == (3, KEYS) and roll.sum() == 3
    assert roll[0, 0] == roll[2, 87] == roll[2, 39] == 1
    assert pitches_of(roll) == [[21], [], [60, 108]]
    for pitch in (20, 109):
        with pytest.raises(UserError, match=f"pitch {pitch} is not among the piano's keys"):
            roll_of([[60], [pitch]])


def test_what_is_written(tmp_path: Path) -> None:
    extract(tmp_path, corpus())
    assert read_json(tmp_path / "fit/spec.json") == {
        "lowest_key": 0, "highest_key": 87, "predicted_steps": 3, "openings": [[21, 108], [60]]}
    train = Rolls(tmp_path / "fit", "train")
    assert [pitches_of(train[item]) for item in range(len(train))] == [
        [[60], [62], []], [[21, 108], [64]]]
    assert read_items(tmp_path / "test") == [Item("test-0", 3, [1, 2]), Item("test-1", 1, [])]
    assert read_json(tmp_path / "test/ceiling.json") == {}


def test_the_ceiling_is_a_mean_over_pooled_steps(tmp_path: Path) -> None:
    reader = corpus()
    known = reader.pieces

    def pieces(directory: Path, split: str) -> list[SimpleNamespace]:
        found = known(directory, split)
        for piece, nats in zip(found, ([1.0, 2.0, 6.0], [0.0]), strict=False):
            piece.nats = nats
        return found
    extract(tmp_path, SimpleNamespace(pieces=pieces))
    assert read_json(tmp_path / "test/ceiling.json") == {"nll": 9 / 4, "nll_changes": 8 / 2}


def test_test_pieces_change_nothing_that_training_reads(tmp_path: Path) -> None:
    extract(tmp_path / "1", corpus())
    extract(tmp_path / "2", corpus(test=[[[30], [90]]]))
    for path in (tmp_path / "1/fit").iterdir():
        assert sha256(path) == sha256(tmp_path / "2/fit" / path.name)
    assert not list((tmp_path / "1/fit").glob("test*"))


def test_padding_is_silence_after_the_end(tmp_path: Path) -> None:
    write_rolls(tmp_path, "train", [roll_of([[60], [61]]), roll_of([[70], [71], [72]])])
    batch = Rolls(tmp_path, "train").padded(np.array([1, 0]))
    assert [pitches_of(roll) for roll in batch] == [[[70], [71], [72]], [[60], [61], []]]


def test_damaged_rolls_are_refused(tmp_path: Path) -> None:
    write_rolls(tmp_path, "train", [roll_of([[60], [61]])])
    write_array(tmp_path / "train.offsets.npy", np.array([0, 3]))
    with pytest.raises(UserError, match="offsets do not fit together"):
        Rolls(tmp_path, "train")


def test_pieces_are_transposed_anew_and_never_off_the_keyboard(tmp_path: Path) -> None:
    rolls = [roll_of([[21, 60], [22]]), roll_of([[107], []]), roll_of([[], []]),
             roll_of([[60, 64], [62]])]
    write_rolls(tmp_path, "train", rolls)
    source = Pieces(tmp_path, "train", 2, 3, seed=1)
    assert [str(source.plan(4))] == [str(Pieces(tmp_path, "train", 2, 3, seed=1).plan(4))]
    seen: dict[int, set[int]] = {item: set() for item in range(4)}
    for epoch in range(60):
        for description in source.plan(epoch):
            batch = source.load(description)
            for item, semitones, roll in zip(*description, batch["rolls"], strict=True):
                expected = [[pitch + semitones for pitch in step]
                            for step in pitches_of(rolls[item])]
                assert pitches_of(roll.numpy()) == expected
                seen[int(item)].add(int(semitones))
    assert seen == {0: {0, 1, 2, 3}, 1: {-3, -2, -1, 0, 1}, 2: {0}, 3: {-3, -2, -1, 0, 1, 2, 3}}


def test_every_piece_is_in_an_epoch_once(extracted: Path) -> None:
    plan = Pieces(extracted / "fit", "train", 16, 0, seed=2).plan(3)
    assert sorted(item for items, _ in plan for item in items) == list(range(40))
    assert [len(items) for items, _ in plan].count(16) == 2
