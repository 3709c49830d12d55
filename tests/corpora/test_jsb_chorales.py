"""JSB Chorales: its published counts, the twin in the same format, every kind of damage."""

import json
from pathlib import Path

import pytest

from pipeline.corpora import jsb_chorales
from pipeline.errors import UserError

OPTIONS = {"seed": 3, "train": 4, "valid": 2, "test": 3, "phrases": 2, "chords": 4, "hold": 0.1,
           "passing": 0.5, "breath": 0.5}
SPLITS = ("train", "valid", "test")


def settings(**options: float) -> jsb_chorales.Settings:
    return jsb_chorales.Settings(module="jsb_chorales", twin=jsb_chorales.TwinSettings(
        **{**OPTIONS, **options}))


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("jsb")
    jsb_chorales.prepare(settings(), directory, None)
    return directory


def test_the_real_corpus_has_its_published_counts(mirror: Path, tmp_path: Path) -> None:
    jsb_chorales.prepare(jsb_chorales.Settings(module="jsb_chorales", twin=None), tmp_path, mirror)
    found = {split: jsb_chorales.pieces(tmp_path, split) for split in SPLITS}
    assert {split: len(pieces) for split, pieces in found.items()} == {
        "train": 229, "valid": 76, "test": 77}
    assert {split: sum(len(piece.steps) for piece in pieces)
            for split, pieces in found.items()} == {"train": 13_807, "valid": 4_602, "test": 4_725}
    first = found["train"][0]
    assert first.id == "train-0001" and first.nats is None
    assert first.steps[:2] == [[60, 72, 79, 88], [72, 79, 88]]
    assert [] in [step for piece in found["test"] for step in piece.steps]


def test_the_twin_has_the_same_format_and_notes_about_its_test_pieces(twin: Path) -> None:
    found = {split: jsb_chorales.pieces(twin, split) for split in SPLITS}
    assert {split: len(pieces) for split, pieces in found.items()} == {
        "train": 4, "valid": 2, "test": 3}
    assert json.loads((twin / jsb_chorales.NAME).read_text())["valid"] == [
        piece.steps for piece in found["valid"]]
    for piece in found["test"]:
        assert len(piece.nats) == len(piece.steps) - 1 and min(piece.nats) >= -1e-9
    assert found["train"][0].nats is None
    rolls = [str(piece.steps) for pieces in found.values() for piece in pieces]
    assert len(set(rolls)) == len(rolls)
    assert [] in [step for pieces in found.values() for piece in pieces for step in piece.steps]


def test_the_same_seed_writes_the_same_bytes(twin: Path, tmp_path: Path) -> None:
    jsb_chorales.prepare(settings(), tmp_path, None)
    for name in (jsb_chorales.NAME, jsb_chorales.NOTES):
        assert (tmp_path / name).read_bytes() == (twin / name).read_bytes()
    jsb_chorales.prepare(settings(seed=4), tmp_path, None)
    assert (tmp_path / jsb_chorales.NAME).read_bytes() != (twin / jsb_chorales.NAME).read_bytes()


def test_pitches_are_sorted_and_rests_stay(tmp_path: Path) -> None:
    (tmp_path / jsb_chorales.NAME).write_text(
        json.dumps({"test": [[[64, 60, 64], []], [[], [108, 21]]]}))
    assert [piece.steps for piece in jsb_chorales.pieces(tmp_path, "test")] == [
        [[60, 64], []], [[], [21, 108]]]


@pytest.mark.parametrize(("text", "message"), [
    ('{"test": [[[60], [62]]', "chorales-quarter.json, line 1: not valid JSON"),
    ("[]", "expected an object with a list of pieces 'test'"),
    ('{"train": [[[60], [62]]]}', "expected an object with a list of pieces 'test'"),
    ('{"test": []}', "expected an object with a list of pieces 'test'"),
    ('{"test": [[[60], [62]], [[60]]]}', "test, piece 2: expected a list of at least two steps"),
    ('{"test": [{"notes": 1}]}', "test, piece 1: expected a list of at least two steps"),
    ('{"test": [[[60], 62]]}', "test, piece 1, step 2: expected MIDI pitches .* got 62"),
    ('{"test": [[[60], [62, 109]]]}', r"step 2: expected MIDI pitches from 21 to 108, got \[62, 1"),
    ('{"test": [[[60], [20]]]}', "step 2: expected MIDI pitches"),
    ('{"test": [[["C"], [60]]]}', "step 1: expected MIDI pitches"),
    ('{"test": [[[60.5], [60]]]}', "step 1: expected MIDI pitches"),
    ('{"test": [[[true], [60]]]}', "step 1: expected MIDI pitches"),
])
def test_what_breaks_the_format_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / jsb_chorales.NAME).write_text(text)
    with pytest.raises(UserError, match=message):
        jsb_chorales.pieces(tmp_path, "test")


def test_notes_of_other_pieces_are_refused(tmp_path: Path) -> None:
    jsb_chorales.prepare(settings(), tmp_path, None)
    notes = json.loads((tmp_path / jsb_chorales.NOTES).read_text())
    notes["test"][1].pop()
    (tmp_path / jsb_chorales.NOTES).write_text(json.dumps(notes))
    with pytest.raises(UserError, match="notes.json does not fit the pieces of 'test'"):
        jsb_chorales.pieces(tmp_path, "test")
