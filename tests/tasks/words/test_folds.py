"""Folds by hand: who learns from whom, and who answers whom."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.tasks.words.shared.folds import ALL, answering, folds_of, names


def written(fit: Path, folds: list[str], train: list[str], valid: list[str]) -> Path:
    write_json(fit / "spec.json", {"folds": folds})
    for split, speakers in (("train", train), ("valid", valid)):
        write_json(fit / f"{split}.items.json", [
            {"id": str(number), "speaker": speaker, "label": "x"}
            for number, speaker in enumerate(speakers)])
    return fit


def test_a_fold_has_no_row_of_its_speaker(tmp_path: Path) -> None:
    fit = written(tmp_path, ["ada", "bob"], ["ada", "bob", "cyd", "ada"], ["bob", "cyd"])
    assert [(fold.name, fold.train.tolist(), fold.valid.tolist()) for fold in folds_of(fit)] == [
        ("ada", [1, 2], [0, 1]), ("bob", [0, 2, 3], [1])]


def test_without_held_out_speakers_one_fold_has_everything(tmp_path: Path) -> None:
    (fold,) = folds_of(written(tmp_path, [], ["ada", "all"], ["bob", "all", "ada"]))
    assert (fold.name, fold.train.tolist(), fold.valid.tolist()) == (ALL, [0, 1], [0, 1, 2])


def test_a_fold_of_nobody_is_named(tmp_path: Path) -> None:
    fit = written(tmp_path, ["ada", "bob"], ["ada", "bob"], ["bob", "bob"])
    with pytest.raises(UserError, match="without 'bob' nobody is left"):
        folds_of(fit)


def test_who_answers() -> None:
    folds = names({"folds": ["ada", "bob"]})
    assert answering(folds, "bob") == ["bob"]
    assert answering(folds, "somebody") == ["ada", "bob"]
    assert answering(names({"folds": []}), "bob") == [ALL]
