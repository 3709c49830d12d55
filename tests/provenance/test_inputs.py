"""What stages watch: a changed file or setting reaches the stages that it concerns."""

import copy
import functools
import json
import operator
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.provenance.inputs import entry_points, stage_settings, write_inputs
from pipeline.suite.schema import Suite, load, read_yaml


@pytest.fixture
def code(tmp_path: Path, root: Path) -> Path:
    """A copy of the project's code and settings, to be changed."""
    for name in ("pipeline", "stages"):
        shutil.copytree(root / name, tmp_path / name,
                        ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "params.yaml", tmp_path / "params.yaml")
    return tmp_path


def reached_by_changing(code: Path, name: str) -> set[str]:
    """The stages whose code differs after a comment was added to a file."""
    suite = load(code / "params.yaml")
    write_inputs(suite, code, code / "before")
    with (code / name).open("a") as source:
        source.write("# changed\n")
    write_inputs(suite, code, code / "after")
    lists = [{path.relative_to(code / side).with_suffix("").as_posix(): path.read_bytes()
              for path in (code / side).rglob("*.json")} for side in ("before", "after")]
    assert lists[0].keys() == lists[1].keys()
    return {stage for stage, content in lists[0].items() if content != lists[1][stage]}


def reached_by_setting(root: Path, *place: str | int, to: object) -> set[str]:
    """The stages whose settings differ after a value of params.yaml; `place` is the way to it."""
    # By way of JSON the entries lose the objects that they share.
    content = json.loads(json.dumps(read_yaml(root / "params.yaml")))
    before = Suite.model_validate(copy.deepcopy(content))
    *way, last = place
    within = functools.reduce(operator.getitem, way, content)
    assert within[last] != to
    within[last] = to
    after = Suite.model_validate(content)
    return {f"{stage}/{key}" if key else stage for stage, keys in (
                ("download", before.corpora), ("features", before.tracks),
                ("train", before.systems), ("evaluate", before.systems),
                ("leaderboard", before.tracks), ("report", [""]))
            for key in keys
            if stage_settings(before, stage, key) != stage_settings(after, stage, key)}


def test_every_stage_has_a_list(code: Path) -> None:
    suite = load(code / "params.yaml")
    write_inputs(suite, code, code / "inputs")
    found = {path.relative_to(code / "inputs").with_suffix("").as_posix()
             for path in (code / "inputs").rglob("*.json")}
    assert found == {"report", *(f"{stage}/{key}" for stage, keys in (
        ("download", suite.corpora), ("features", suite.tracks), ("train", suite.systems),
        ("evaluate", suite.systems), ("leaderboard", suite.tracks)) for key in keys)}


def test_a_system_s_module_reaches_its_own_entries(code: Path) -> None:
    suite = load(code / "params.yaml")
    own = [key for key, entry in suite.systems.items() if entry["model"] == "kneser_ney"]
    module = f"pipeline/tasks/{suite.systems[own[0]]['task']}/kneser_ney.py"
    assert reached_by_changing(code, module) == {
        f"{stage}/{key}" for stage in ("train", "evaluate") for key in own}


def test_a_scorer_reaches_what_scores_and_trains_nothing(code: Path) -> None:
    suite = load(code / "params.yaml")
    tracks = [key for key, track in suite.tracks.items() if track.task == "asr"]
    systems = [key for track in tracks for key in suite.systems_of(track)]
    assert systems
    assert reached_by_changing(code, "pipeline/tasks/asr/scoring.py") == {
        "report", *(f"leaderboard/{key}" for key in tracks),
        *(f"evaluate/{key}" for key in systems)}


def test_a_corpus_reaches_its_download_and_the_features_that_read_it(code: Path) -> None:
    suite = load(code / "params.yaml")
    assert reached_by_changing(code, "pipeline/corpora/m4.py") == {
        *(f"download/{key}" for key, entry in suite.corpora.items() if entry["module"] == "m4"),
        *(f"features/{key}" for key, track in suite.tracks.items() if track.reader == "m4")}


def test_a_module_that_nobody_imports_reaches_nothing(code: Path) -> None:
    (code / "pipeline/nn/unused.py").touch()
    assert reached_by_changing(code, "pipeline/nn/unused.py") == set()


def test_a_system_s_setting_reaches_its_training_and_what_shows_it(root: Path) -> None:
    reached = reached_by_setting(root, "systems", "lm-lstm", "training", "epochs", to=99)
    assert reached == {"train/lm-lstm", "evaluate/lm-lstm", "leaderboard/lm-word", "report"}


def test_the_way_in_which_a_trained_system_answers_trains_nothing(root: Path) -> None:
    system = "translation-attention"
    reached = reached_by_setting(root, "systems", system, "variants", "beam", "beam", to=17)
    assert reached == {f"evaluate/{system}", "leaderboard/translation", "report"}


def test_a_corpus_s_setting_reaches_its_download(root: Path) -> None:
    key = load(root / "params.yaml").tracks["lm-word"].corpus
    assert reached_by_setting(root, "corpora", key, "twin", "seed", to=99) == {f"download/{key}"}


def test_a_track_s_features_and_metric_reach_what_reads_them(root: Path) -> None:
    systems = load(root / "params.yaml").systems_of("lm-word")
    scored = {f"evaluate/{key}" for key in systems}
    shown = {"leaderboard/lm-word", "report"}
    assert reached_by_setting(root, "tracks", "lm-word", "features", "min_count", to=99) == {
        "features/lm-word", *shown}
    assert reached_by_setting(root, "tracks", "lm-word", "metric", to="other") == scored | shown


def test_the_suite_s_own_settings_reach_what_uses_them(root: Path) -> None:
    suite = load(root / "params.yaml")
    trained, scored = ({f"{stage}/{key}" for key in suite.systems}
                       for stage in ("train", "evaluate"))
    shown = {"report", *(f"leaderboard/{key}" for key in suite.tracks)}
    assert reached_by_setting(root, "seed", to=99) == trained | scored | {"report"}
    assert reached_by_setting(root, "precision", to="auto") == trained
    assert reached_by_setting(root, "resamples", to=999) == scored | shown
    assert reached_by_setting(root, "claims", 0, "text", to="Other.") == {"report"}


@pytest.mark.parametrize("stage", ["download", "features", "train", "evaluate", "leaderboard"])
def test_whatever_a_stage_selects_and_loads_is_listed(root: Path, stage: str,
                                                      tmp_path: Path) -> None:
    """Independent reference: the modules that an interpreter has once all of them are imported."""
    suite = load(root / "params.yaml")
    write_inputs(suite, root, tmp_path)
    keys = {"download": suite.corpora, "features": suite.tracks, "train": suite.systems,
            "evaluate": suite.systems, "leaderboard": suite.tracks}[stage]
    key = list(keys)[-1]
    _, *modules = entry_points(suite, stage, key)
    script = ("import importlib, json, sys\n"
              "for name in sys.argv[1:]: importlib.import_module(name)\n"
              "print(json.dumps([m.__file__ for n, m in list(sys.modules.items())"
              " if n.split('.')[0] in ('pipeline', 'stages')]))")
    loaded = subprocess.run([sys.executable, "-c", script, f"stages.{stage}", *modules], cwd=root,
                            capture_output=True, text=True, check=True)
    listed = json.loads((tmp_path / stage / f"{key}.json").read_text())["code"]
    assert {Path(name).relative_to(root).as_posix() for name in json.loads(loaded.stdout)} <= set(
        listed)
