"""The adding problem and triggered recall: what lines say, what readers refuse."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.corpora import adding, triggered_recall
from pipeline.errors import UserError

SIZES = {"seed": 3, "train": 700, "valid": 31, "test": 40, "lags": [1, 5, 20], "lead": 4}
OWN: dict[ModuleType, dict[str, Any]] = {adding: {}, triggered_recall: {"symbols": 3}}


def settings(module: ModuleType, **changes: Any) -> Any:
    return module.Settings(module=module.__name__.rpartition(".")[2],
                           **{**SIZES, **OWN[module], **changes})


@pytest.fixture(scope="module", params=[adding, triggered_recall],
                ids=["adding", "triggered_recall"])
def corpus(request: pytest.FixtureRequest,
           tmp_path_factory: pytest.TempPathFactory) -> tuple[ModuleType, Path]:
    directory = tmp_path_factory.mktemp("lagged")
    request.param.prepare(settings(request.param), directory, None)
    return request.param, directory


def lines(directory: Path, split: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / f"{split}.jsonl").read_text().splitlines()]


def test_splits_have_their_sizes_and_of_each_lag_as_many(corpus: tuple[ModuleType, Path]) -> None:
    module, directory = corpus
    for split in ("train", "valid", "test"):
        items = module.lagged(directory, split)
        assert len(items) == SIZES[split]
        counts = np.unique([item.lag for item in items], return_counts=True)
        assert counts[0].tolist() == SIZES["lags"]
        assert np.ptp(counts[1]) <= 1
    assert {len(item.inputs) - item.lag - 1 for item in items} == {0, 1, 2, 3, 4}


def test_adding_is_adding_over_the_lag(tmp_path: Path) -> None:
    adding.prepare(settings(adding), tmp_path, None)
    found = adding.lagged(tmp_path, "train")
    for item, line in zip(found, lines(tmp_path, "train"), strict=True):
        first, second = line["marks"]
        assert item.inputs[:, 0].tolist() == pytest.approx(line["values"])
        assert np.flatnonzero(item.inputs[:, 1]).tolist() == [first, second]
        assert item.target == pytest.approx(line["values"][first] + line["values"][second])
        assert item.lag == len(line["values"]) - 1 - first
    targets = np.array([item.target for item in found])
    # Two independent uniform numbers: mean 1, variance 2/12.
    assert targets.mean() == pytest.approx(1, abs=0.05)
    assert targets.var() == pytest.approx(1 / 6, abs=0.03)
    places = {(line["marks"][1] - line["marks"][0]) for line in lines(tmp_path, "train")
              if line["marks"][0] == len(line["values"]) - 6}
    assert places == {1, 2, 3, 4, 5}


def test_recall_asks_for_the_first_trigger_and_nothing_else_tells(tmp_path: Path) -> None:
    triggered_recall.prepare(settings(triggered_recall), tmp_path, None)
    found = triggered_recall.lagged(tmp_path, "train")
    noise = []
    for item, line in zip(found, lines(tmp_path, "train"), strict=True):
        first, second = line["triggers"]
        symbols = line["symbols"]
        assert second == len(symbols) - 1 and item.lag == second - first
        assert item.target == symbols[first]
        assert np.flatnonzero(item.inputs[:, 3]).tolist() == [first, second]
        assert item.inputs[:, :3].sum(axis=1).tolist() == [1] * len(symbols)
        assert item.inputs[:, :3].argmax(axis=1).tolist() == ["abc".index(s) for s in symbols]
        noise.append(symbols[-1] == item.target)
    assert np.mean(noise) == pytest.approx(1 / 3, abs=0.06)
    shares = np.unique([item.target for item in found], return_counts=True)[1] / len(found)
    assert shares == pytest.approx([1 / 3] * 3, abs=0.06)


def test_the_same_seed_writes_the_same_bytes_and_splits_differ(corpus: tuple[ModuleType, Path],
                                                               tmp_path: Path) -> None:
    module, directory = corpus
    module.prepare(settings(module), tmp_path / "same", None)
    module.prepare(settings(module, seed=4), tmp_path / "other", None)
    for path in directory.glob("*.jsonl"):
        assert (tmp_path / "same" / path.name).read_bytes() == path.read_bytes()
        assert (tmp_path / "other" / path.name).read_bytes() != path.read_bytes()
    assert lines(directory, "valid")[:3] != lines(directory, "test")[:3]


ADDING = {"values": [0.1, 0.2, 0.3], "marks": [0, 2], "sum": 0.4}
RECALL = {"symbols": "abca", "triggers": [1, 3]}


@pytest.mark.parametrize(("module", "line", "message"), [
    (adding, {**ADDING, "sum": 0.5}, "the marked numbers add up to 0.4, not to 0.5"),
    (adding, {**ADDING, "marks": [2, 0]}, "expected two rising positions below 3, got"),
    (adding, {**ADDING, "marks": [0, 3]}, "expected two rising positions below 3, got"),
    (adding, {**ADDING, "marks": [0]}, "expected two rising positions"),
    (adding, {**ADDING, "marks": ["0", "1"]}, "expected two rising positions"),
    (adding, {**ADDING, "values": ["x", 0, 1]}, "'values' is no list of finite numbers"),
    (adding, {"values": [0.1, 0.2], "sum": 0.3}, "'marks' is missing"),
    (adding, [1, 2], "expected an object with 'values' and 'marks'"),
    (triggered_recall, {**RECALL, "triggers": [0, 2]},
     "the second of 'triggers' is at 2, not at the last"),
    (triggered_recall, {**RECALL, "symbols": "abza"}, "'z' is none of the symbols 'abc'"),
    (triggered_recall, {"symbols": "abca"}, "'triggers' is missing"),
    (triggered_recall, {**RECALL, "symbols": 7}, "'symbols' is no text"),
])
def test_a_line_that_breaks_the_format_is_named(tmp_path: Path, module: ModuleType, line: Any,
                                                message: str) -> None:
    good = ADDING if module is adding else RECALL
    (tmp_path / "alphabet.txt").write_text("abc\n")
    (tmp_path / "test.jsonl").write_text(json.dumps(good) + "\n" + json.dumps(line) + "\n")
    with pytest.raises(UserError, match=f"test.jsonl, line 2: .*{message}"):
        module.lagged(tmp_path, "test")


def test_files_that_are_damaged_empty_or_missing_are_named(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text('{"values": [')
    with pytest.raises(UserError, match="test.jsonl, line 1"):
        adding.lagged(tmp_path, "test")
    (tmp_path / "test.jsonl").write_text("")
    with pytest.raises(UserError, match="test.jsonl is empty"):
        adding.lagged(tmp_path, "test")
    with pytest.raises(UserError, match="valid.jsonl does not exist"):
        adding.lagged(tmp_path, "valid")
    with pytest.raises(UserError, match="alphabet.txt does not exist"):
        triggered_recall.lagged(tmp_path, "valid")


@pytest.mark.parametrize("changes", [{"lags": []}, {"lags": [0]}, {"symbols": 1},
                                     {"symbols": 27}])
def test_settings_without_sense_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(triggered_recall, **changes)
