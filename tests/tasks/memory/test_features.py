"""What the features stage writes, and that test sequences change nothing that training reads."""

from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.corpora.twins.lagged import LaggedItem, Layout
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.tasks.memory import features
from pipeline.tasks.memory.shared.batching import LaggedBatches
from pipeline.tasks.memory.shared.storage import Inputs

ROWS = {"train": [([1, 2, 3], "b"), ([4], "a"), ([5, 6], "b")], "valid": [([7], "a")],
        "test": [([8, 9], "b"), ([10], "a")]}


def corpus(**changes: list) -> SimpleNamespace:
    """A reader of sequences with one feature a step."""
    rows = {**ROWS, **changes}

    def lagged(directory: Path, split: str) -> list[LaggedItem]:
        return [LaggedItem(f"{split}-{number}", np.array(values, np.float32)[:, None], target,
                           len(values))
                for number, (values, target) in enumerate(rows[split], start=1)]

    return SimpleNamespace(lagged=lagged, layout=lambda directory: Layout("values", "marks"),
                           ceiling=lambda: {"accuracy": 100.0})


def extracted(folder: Path, reader: SimpleNamespace | None = None) -> Path:
    features.extract(features.Settings(), folder, reader or corpus(), folder / "fit",
                     folder / "test")
    return folder


def test_classes_are_ids_in_code_point_order(tmp_path: Path) -> None:
    extracted(tmp_path)
    assert read_json(tmp_path / "fit/spec.json") == {
        "features": 1, "classes": ["a", "b"],
        "layout": {"steps": "values", "marks": "marks", "alphabet": None, "ends": False}}
    assert np.load(tmp_path / "fit/train.targets.npy").tolist() == [1, 0, 1]
    assert np.load(tmp_path / "test/test.targets.npy").tolist() == [1, 0]
    assert read_json(tmp_path / "test/items.json") == [
        {"id": "test-1", "lag": 2, "target": "b"}, {"id": "test-2", "lag": 1, "target": "a"}]
    assert read_json(tmp_path / "test/ceiling.json") == {"accuracy": 100.0}


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    rows = {split: [(values, len(values) / 2) for values, _ in found]
            for split, found in ROWS.items()}
    extracted(tmp_path, corpus(**rows))
    assert read_json(tmp_path / "fit/spec.json")["classes"] is None
    assert np.load(tmp_path / "fit/train.targets.npy").tolist() == [1.5, 0.5, 1.0]
    assert read_json(tmp_path / "test/items.json")[1]["target"] == 0.5


def test_sequences_come_back_padded(tmp_path: Path) -> None:
    found = Inputs(extracted(tmp_path) / "fit", "train")
    assert len(found) == 3 and found.lengths.tolist() == [3, 1, 2]
    inputs, lengths = found.padded(np.array([2, 0]))
    assert inputs[..., 0].T.tolist() == [[5, 6, 0], [1, 2, 3]]
    assert lengths.tolist() == [2, 3]


def test_streams_and_offsets_that_do_not_fit_are_named(tmp_path: Path) -> None:
    extracted(tmp_path)
    np.save(tmp_path / "fit/train.offsets.npy", np.array([0, 3, 4]))
    with pytest.raises(UserError, match="train.inputs.npy and its offsets do not fit together"):
        Inputs(tmp_path / "fit", "train")


def test_test_sequences_change_nothing_that_training_reads(tmp_path: Path) -> None:
    extracted(tmp_path / "1")
    extracted(tmp_path / "2", corpus(test=[([1, 1, 1], "a")]))
    for path in (tmp_path / "1/fit").iterdir():
        assert sha256(path.read_bytes()).digest() == sha256(
            (tmp_path / "2/fit" / path.name).read_bytes()).digest()
    assert not list((tmp_path / "1/fit").glob("test*"))


def test_an_answer_that_training_does_not_have_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="sequence test-1 has the answer 'c', which no training"):
        extracted(tmp_path, corpus(test=[([1], "c")]))


def test_an_epoch_has_every_sequence_once_and_little_padding(tracks: dict[str, Path]) -> None:
    batches = LaggedBatches(tracks["recall"] / "fit", "train", batch=16, seed=4)
    plans = [batches.plan(epoch) for epoch in range(2)]
    for plan in plans:
        assert sorted(item for items in plan for item in items.tolist()) == list(range(400))
        assert all(np.ptp(batches.load(items)["lengths"].numpy()) <= 1 for items in plan)
    assert [items.tolist() for items in plans[0]] != [items.tolist() for items in plans[1]]
    again = LaggedBatches(tracks["recall"] / "fit", "train", batch=16, seed=4).plan(1)
    assert [items.tolist() for items in again] == [items.tolist() for items in plans[1]]
    other = LaggedBatches(tracks["recall"] / "fit", "train", batch=16, seed=5).plan(1)
    assert [items.tolist() for items in other] != [items.tolist() for items in plans[1]]
