"""Validation of params.yaml: every problem at once, each with its path and a remedy."""

import copy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import load_yaml, modify_yaml
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.suite.checks import doubts, load_valid, problems_of
from pipeline.suite.messages import ConfigError
from pipeline.suite.schema import Suite, read_yaml

SUITES = ["params.yaml", "real/params.yaml", "large/params.yaml"]


@pytest.fixture(scope="module")
def embedded(root: Path) -> dict[str, Any]:
    return read_yaml(root / "params.yaml")


@pytest.fixture
def raw(embedded: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(embedded)


@pytest.mark.parametrize("suite", SUITES)
def test_shipped_suites_are_valid(root: Path, suite: str) -> None:
    assert load_valid(root / suite).systems


@pytest.mark.parametrize("suite", SUITES)
def test_shipped_suites_survive_a_rewriting_by_dvc(root: Path, tmp_path: Path, suite: str) -> None:
    """`dvc exp run -S` writes params.yaml again, without the quotes of the original."""
    copied = tmp_path / "params.yaml"
    shutil.copy(root / suite, copied)
    with modify_yaml(copied) as values:
        values["seed"] = 7
    assert load_yaml(copied) == {**load_yaml(root / suite), "seed": 7}


def test_unknown_key_is_reported_with_the_nearest_name(raw: dict[str, Any]) -> None:
    raw["systems"]["lm-lstm"]["hiden"] = raw["systems"]["lm-lstm"].pop("hidden")
    problems = problems_of(raw)
    assert "systems.lm-lstm.hiden: unknown key; did you mean 'hidden'?" in problems
    assert "systems.lm-lstm.hidden: this key is missing" in problems


def test_all_problems_are_reported_at_once(raw: dict[str, Any]) -> None:
    raw["systems"]["lm-lstm"]["hidden"] = "64"
    raw["systems"]["lm-lstm"]["training"]["epochs"] = 0
    raw["systems"]["lm-kneser-ney"]["track"] = "lm-wrod"
    raw["tracks"]["asr"]["metric"] = "wre"
    raw["corpora"]["speech"]["module"] = "librispech"
    raw["claims"][0]["better"] = "nobody"
    problems = "\n".join(problems_of(raw))
    assert "systems.lm-lstm.hidden: Input should be a valid integer, got '64'" in problems
    assert "systems.lm-lstm.training.epochs" in problems
    assert "systems.lm-kneser-ney.track: no track 'lm-wrod'; did you mean 'lm-word'?" in problems
    assert "tracks.asr.metric: no metric 'wre'; did you mean 'wer'?" in problems
    assert "corpora.speech.module: no corpus module 'librispech'; did you mean" in problems
    assert ".better: no row 'nobody'" in problems


def test_a_contrast_names_rows_and_one_difference(raw: dict[str, Any]) -> None:
    claim = raw["claims"][0]
    claim["contrast"] = {"better": "nobody", "worse": "nothing"}
    claim["worse"] = [*claim["worse"], "translation-lstm-dot:greedy"]
    problems = "\n".join(problems_of(raw))
    assert f"claims.0 ({claim['id']}).contrast.better: no row 'nobody'" in problems
    assert f"claims.0 ({claim['id']}).contrast.worse: no row 'nothing'" in problems
    assert "so it has one row here, not 2" in problems
    claim["worse"] = claim["worse"][:1]
    claim["contrast"] = {"better": claim["better"], "worse": claim["worse"][0]}
    assert [p for p in problems_of(raw) if "this is the claim's own difference" in p]
    claim["contrast"]["worse"] = "translation-lstm-dot:greedy"
    assert problems_of(raw) == []


def test_a_claim_compares_different_rows(raw: dict[str, Any]) -> None:
    claim = raw["claims"][0]
    better, (worse, *_) = claim["better"], claim["worse"]
    other = "translation-lstm-dot:greedy"
    for wrong, told in (
            ({"worse": [worse, better]}, f"worse: {better!r} is the better row too"),
            ({"worse": [worse, worse]}, "worse: a row stands there twice"),
            ({"contrast": {"better": other, "worse": other}}, f"both of its rows are {other!r}"),
            ({"contrast": {"better": worse, "worse": better}}, "own difference, reversed")):
        raw["claims"][0] = claim | {"worse": [worse]} | wrong
        [problem] = problems_of(raw)
        assert told in problem


def test_no_claim_rests_on_an_ensemble(raw: dict[str, Any]) -> None:
    """Members that one training averages are no seeds: nothing is known of how they vary."""
    averaged = {key for key, entry in raw["systems"].items() if entry.get("members", 1) > 1}
    named = {row.partition(":")[0] for claim in raw["claims"]
             for row in [claim["better"], *claim["worse"], *claim.get("contrast", {}).values()]}
    assert averaged and not averaged & named


def test_an_entry_has_no_second_owner_of_a_task_or_a_reader(raw: dict[str, Any]) -> None:
    raw["systems"]["lm-lstm"]["task"] = "language_model"
    assert any("systems.lm-lstm.task: unknown key" in problem for problem in problems_of(raw))
    del raw["systems"]["lm-lstm"]["task"]
    raw["tracks"]["asr"]["reader"] = "librispeech"
    assert any("tracks.asr.reader: unknown key" in problem for problem in problems_of(raw))


def test_a_reader_that_does_not_give_what_a_task_reads_is_told_before_a_run(
        raw: dict[str, Any]) -> None:
    """Each task of the suite on a corpus of every other kind: no track may pass by luck."""
    tracks = {entry["task"]: key for key, entry in raw["tracks"].items()}
    raw["tracks"]["forecast-yearly"]["features"]["frequency"] = "Fortnightly"
    assert any("tracks.forecast-yearly.features: frequency: no frequency 'Fortnightly'" in problem
               for problem in problems_of(raw))
    raw["tracks"][tracks["music"]]["corpus"] = "speech"
    raw["tracks"][tracks["tagging"]]["corpus"] = "m4"
    raw["tracks"]["lm-char"]["corpus"] = "reviews"
    problems = "\n".join(problems_of(raw))
    for task, name, corpus in (("music", "pieces", "librispeech"), ("tagging", "tagged", "m4")):
        assert (f"tracks.{tracks[task]}.features: this task reads {name!r}, which corpus module "
                f"{corpus!r} does not give") in problems
    assert "tracks.lm-char.features: this task reads 'lines'" in problems


def test_missing_model_names_the_nearest(raw: dict[str, Any]) -> None:
    raw["systems"]["lm-lstm"]["model"] = "recurent"
    assert ("systems.lm-lstm.model: no model 'recurent'; did you mean 'recurrent'?"
            in problems_of(raw))


def test_unsafe_name_is_refused(raw: dict[str, Any]) -> None:
    raw["systems"]["x; rm -rf y"] = raw["systems"].pop("lm-lstm")
    assert any(p.startswith("systems.x; rm -rf y: a name is") for p in problems_of(raw))


def test_floor_must_name_a_row(raw: dict[str, Any]) -> None:
    raw["tracks"]["lm-word"]["floor"]["rows"] = ["lm-lsm"]
    assert ("tracks.lm-word.floor.rows: no row 'lm-lsm'; did you mean 'lm-lstm'?"
            in problems_of(raw))


def test_config_error_lists_the_file_and_each_problem(tmp_path: Path,
                                                      raw: dict[str, Any]) -> None:
    raw["seed"] = -1
    raw["threads"] = 0
    path = tmp_path / "params.yaml"
    with path.open("w") as file:
        YAML(typ="safe").dump(raw, file)
    with pytest.raises(ConfigError) as caught:
        load_valid(path)
    assert str(path) in str(caught.value)
    assert {p.split(":")[0] for p in caught.value.problems} == {"seed", "threads"}


def test_broken_yaml_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("seed: 1\ncorpora: [unclosed\n")
    with pytest.raises(UserError, match=r"(?s)params\.yaml is not valid YAML.*line 3"):
        load_valid(path)


def test_invalid_suite_ends_with_exit_code_2_and_writes_nothing(tmp_path: Path, root: Path,
                                                                raw: dict[str, Any]) -> None:
    raw["sead"] = raw.pop("seed")
    path = tmp_path / "params.yaml"
    with path.open("w") as file:
        YAML(typ="safe").dump(raw, file)
    before = sorted(tmp_path.rglob("*"))
    found = subprocess.run([sys.executable, "-m", "pipeline", "repro", "--suite", str(path)],
                           cwd=root, capture_output=True, text=True)
    assert found.returncode == 2
    assert "sead: unknown key; did you mean 'seed'?" in found.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_misspelt_own_row_among_published_ones_is_doubted(raw: dict[str, Any]) -> None:
    figure = {"value": 50.0, "source": "a paper"}
    raw["tracks"]["lm-word"]["published"] = {"lm-lstn": figure, "lm-lstm": figure, "RNNLM": figure}
    [doubt] = doubts(Suite.model_validate(raw))
    assert doubt.startswith("tracks.lm-word.published.lm-lstn: no row has this name")
    assert doubt.endswith("did you mean 'lm-lstm'?")
