"""JSON of another shape than its reader's is named with the key, and never converted."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.scoring.records import Cost, Result
from pipeline.storage.files import read_json, write_json
from pipeline.storage.shapes import read_shaped
from tests.damage import changed_values

RESULT = {"version": "v", "track": "t", "task": "k", "system": "s", "corpus": "c", "parameters": 3,
          "ceiling": {"wer": 0.5}, "settings_tried": 1, "variants": {"": {
              "metrics": {"wer": {"value": 1, "low": 0.5, "high": 2.0}}, "n_items": 4,
              "clusters": 4, "signature": {}}}}


def test_what_fits_comes_back_as_it_stands(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {**RESULT, "further": [1]})
    assert read_shaped(tmp_path / "a.json", Result) == {**RESULT, "further": [1]}


@pytest.mark.parametrize("content, place", [
    ([], ": input should be a valid dict"), (None, ": input should be a valid dict"),
    ({}, ", track: field required"), ({**RESULT, "parameters": "3"}, ", parameters: input should"),
    ({**RESULT, "parameters": True}, ", parameters: input should be a valid integer"),
    ({**RESULT, "variants": {"": {**RESULT["variants"][""], "n_items": 1.5}}},
     ", variants..n_items: input should be a valid integer")])
def test_the_place_of_another_shape_is_named(tmp_path: Path, content: Any, place: str) -> None:
    write_json(tmp_path / "a.json", content)
    with pytest.raises(UserError, match=f"a.json{place}.*; train again"):
        read_shaped(tmp_path / "a.json", Result, "train again")


def test_every_changed_value_is_of_the_shape_or_refused(tmp_path: Path) -> None:
    """Whatever is not refused has the kinds of value that are counted on."""
    refused = 0
    for change in changed_values(RESULT):
        (tmp_path / "a.json").write_text(json.dumps(change(RESULT)))
        try:
            found = read_shaped(tmp_path / "a.json", Result)
        except UserError:
            refused += 1
            continue
        assert isinstance(found["parameters"], int) and isinstance(found["track"], str)
        for answers in found["variants"].values():
            for score in answers["metrics"].values():
                assert isinstance(score["value"], int | float)
                assert all(bound is None or isinstance(bound, int | float)
                           for bound in (score["low"], score["high"]))
    assert refused > 100


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 10_000, "NaN", '{"seconds": Infinity}',
                                  '{"a": -Infinity}', "", "{", '{"a": 1}}', "'a'", "\x00"])
def test_what_is_no_json_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text("\n" + text)
    for read in (read_json, lambda path: read_shaped(path, Cost)):
        with pytest.raises(UserError, match=r"a.json, line \d+: not valid JSON"):
            read(tmp_path / "a.json")
