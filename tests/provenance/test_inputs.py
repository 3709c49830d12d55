"""What stages watch: a changed file or setting reaches the stages that it concerns."""

import ast
import copy
import functools
import io
import json
import operator
import os
import shutil
import tokenize
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.provenance.code import Code, statements
from pipeline.provenance.inputs import (
    Version,
    entry_points,
    params_hash,
    stage_settings,
    trained_params,
    version_of,
    write_inputs,
)
from pipeline.suite.schema import Suite, load, read_yaml
from tests.provenance.loading import loaded_files
from tests.tracked_project import SUITE, make_project, save_suite


def copied(root: Path, folder: Path) -> Path:
    """A copy of the project's code and settings in `folder`."""
    for name in ("pipeline", "stages"):
        shutil.copytree(root / name, folder / name,
                        ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "params.yaml", folder / "params.yaml")
    return folder


@pytest.fixture
def code(tmp_path: Path, root: Path) -> Path:
    """A copy to be changed."""
    return copied(root, tmp_path)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory, root: Path) -> dict[str, bytes]:
    """What `validate` writes for each stage before anything is changed."""
    return written(copied(root, tmp_path_factory.mktemp("unchanged")))


def written(code: Path) -> dict[str, bytes]:
    """What `validate` writes for each stage."""
    suite = load(code / "params.yaml")
    write_inputs(suite)
    folder = suite.places.inputs
    return {path.relative_to(folder).with_suffix("").as_posix(): path.read_bytes()
            for path in folder.rglob("*.json")}


def reached_by_changing(code: Path, name: str, before: dict[str, bytes]) -> set[str]:
    """The stages whose code differs after a statement was added to a file."""
    with (code / name).open("a") as source:
        source.write("CHANGED = 1\n")
    after = written(code)
    assert before.keys() == after.keys()
    return {stage for stage, content in before.items() if content != after[stage]}


def reached_by_setting(root: Path, *place: str | int, to: object) -> set[str]:
    """The stages whose settings differ after a value of params.yaml; `place` is the way to it."""
    # By way of JSON the entries lose the objects that they share.
    content = json.loads(json.dumps(read_yaml(root / "params.yaml")))
    before = Suite.model_validate(copy.deepcopy(content))
    *way, last = place
    within = functools.reduce(operator.getitem, way, content)
    assert not isinstance(within, dict) or within.get(last) != to
    within[last] = to
    after = Suite.model_validate(content)
    return {f"{stage}/{key}" if key else stage for stage, keys in (
                ("download", before.corpora), ("features", before.tracks),
                ("train", before.systems), ("evaluate", before.systems),
                ("leaderboard", before.tracks), ("report", [""]))
            for key in keys
            if stage_settings(before, stage, key) != stage_settings(after, stage, key)}


def test_every_stage_has_its_file(root: Path, unchanged: dict[str, bytes]) -> None:
    suite = load(root / "params.yaml")
    assert set(unchanged) == {"report", "mirror", *(f"{stage}/{key}" for stage, keys in (
        ("download", suite.corpora), ("features", suite.tracks), ("train", suite.systems),
        ("evaluate", suite.systems), ("leaderboard", suite.tracks)) for key in keys)}


def test_a_system_s_module_reaches_its_own_entries(
        code: Path, unchanged: dict[str, bytes]) -> None:
    suite = load(code / "params.yaml")
    own = [key for key, entry in suite.systems.items() if entry["model"] == "kneser_ney"]
    module = f"pipeline/tasks/{suite.task_of(own[0])}/systems/kneser_ney.py"
    assert reached_by_changing(code, module, unchanged) == {
        f"{stage}/{key}" for stage in ("train", "evaluate") for key in own}


def test_a_scorer_reaches_what_scores_and_trains_nothing(
        code: Path, unchanged: dict[str, bytes]) -> None:
    suite = load(code / "params.yaml")
    tracks = [key for key, track in suite.tracks.items() if track.task == "asr"]
    systems = [key for track in tracks for key in suite.systems_of(track)]
    assert systems
    assert reached_by_changing(code, "pipeline/tasks/asr/scoring.py", unchanged) == {
        "report", *(f"leaderboard/{key}" for key in tracks),
        *(f"evaluate/{key}" for key in systems)}


def test_a_corpus_reaches_its_download_the_features_that_read_it_and_their_rows_version(
        code: Path, unchanged: dict[str, bytes]) -> None:
    suite = load(code / "params.yaml")
    assert reached_by_changing(code, "pipeline/corpora/m4.py", unchanged) == {
        *(f"download/{key}" for key, entry in suite.corpora.items() if entry["module"] == "m4"),
        *(f"features/{key}" for key in suite.tracks if suite.reader_of(key) == "m4"),
        *(f"evaluate/{key}" for key in suite.systems
          if suite.reader_of(suite.track_of(key)) == "m4")}


def test_a_module_that_nobody_imports_reaches_nothing(
        code: Path, unchanged: dict[str, bytes]) -> None:
    assert reached_by_changing(code, "pipeline/nn/unused.py", unchanged) == set()


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
    assert reached_by_setting(root, "seed", to=99) == trained | scored | shown
    assert reached_by_setting(root, "precision", to="bf16") == trained
    track = {f"train/{key}" for key in suite.systems_of("lm-word")}
    assert reached_by_setting(root, "tracks", "lm-word", "precision", to="bf16") == {
        *track, "leaderboard/lm-word", "report"}
    assert reached_by_setting(root, "resamples", to=999) == scored | shown
    assert reached_by_setting(root, "claims", 0, "text", to="Other.") == {"report"}


@pytest.mark.parametrize("stage", ["download", "features", "train", "evaluate", "leaderboard"])
def test_whatever_a_stage_selects_and_loads_is_listed(root: Path, stage: str) -> None:
    """Independent reference: the modules that an interpreter has once all of them are imported."""
    suite = load(root / "params.yaml")
    keys = {"download": suite.corpora, "features": suite.tracks, "train": suite.systems,
            "evaluate": suite.systems, "leaderboard": suite.tracks}[stage]
    modules = entry_points(suite, stage, list(keys)[-1])
    assert loaded_files(root, modules) <= Code(root).used(modules)


def with_other_prose(source: str) -> str:
    """The same code with a word more in each docstring and each comment in another place."""
    lines = io.StringIO(source).readlines()
    comments = [found for found in tokenize.generate_tokens(io.StringIO(source).readline)
                if found.type == tokenize.COMMENT]
    for comment in comments:
        line, column = comment.start
        lines[line - 1] = lines[line - 1][:column].rstrip() + "\n"
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            place = node.body[0].value
            line = lines[place.lineno - 1]
            assert line[place.col_offset :].startswith('"""'), line
            begin = place.col_offset + len('"""')
            lines[place.lineno - 1] = f"{line[:begin]}Lately {line[begin:]}"
    return "".join([*lines, *(f"{comment.string}\n" for comment in comments)])


def test_prose_in_any_module_reaches_nothing(code: Path, unchanged: dict[str, bytes]) -> None:
    files = [path for path in (code / "pipeline").rglob("*.py") if path.read_text("utf-8")]
    assert len(files) > 100
    for path in files:
        source = path.read_text("utf-8")
        edited = with_other_prose(source)
        assert edited != source and statements(edited) == statements(source), path
        path.write_text(edited, "utf-8")
    assert written(code) == unchanged


@pytest.mark.parametrize("suite", ["params.yaml", "real/params.yaml", "large/params.yaml"])
def test_training_uses_nothing_that_scores_shows_or_keeps_account(root: Path, suite: str) -> None:
    found, code = load(root / suite), Code(root)
    apart = {"results", "scoring", "commands", "tracking", "provenance", "running", "suite"}
    used = {path for key in found.systems for path in code.used(entry_points(found, "train", key))}
    assert Path("pipeline/systems/training.py") in used
    assert not [path.as_posix() for path in used if path.parts[1] in apart]


@pytest.fixture
def project(tmp_path: Path) -> Suite:
    """A small project of stand-ins."""
    return make_project(tmp_path)


def version(suite: Suite, seed: int | None = None) -> Version:
    return version_of(suite.places, "recurrent", seed)


def changed(before: Version, after: Version) -> set[str]:
    return {name for name, value in asdict(before).items() if asdict(after)[name] != value}


def edited(suite: Suite, **entry: object) -> Suite:
    recurrent = {**SUITE["systems"]["recurrent"], **entry}
    return save_suite(suite.places.root, {"root": ".", "suite": "", **SUITE, "systems": {
        **SUITE["systems"], "recurrent": recurrent}})


def test_settings_of_the_system_and_of_the_suite_change_the_params(project: Suite) -> None:
    before = version(project)
    assert version(project, seed=1) == before
    assert changed(before, version(project, seed=2)) == {"params", "hash"}
    for name, value in (("seed", 2), ("threads", 2), ("device", "auto"), ("precision", "bf16")):
        after = save_suite(project.places.root, {"root": ".", "suite": "", **SUITE, name: value})
        assert changed(before, version(after)) == {"params", "hash"}, name
    after = edited(project, training={"epochs": 5, "learning_rate": 0.2})
    assert changed(before, version(after)) == {"params", "hash"}


def test_what_training_does_not_read_changes_no_version(project: Suite) -> None:
    before, root = version(project), project.places.root
    (root / "pipeline/tasks/reading/systems/counting.py").write_text("changed = 1")
    (root / "pipeline/tasks/reading/scoring.py").write_text("changed = 1")
    project.places.test("reading").mkdir()
    (project.places.test("reading") / "items.json").write_text("[]")
    assert version(edited(project, settings_tried=9, variants={"beam": {"width": 16}})) == before


def test_features_change_the_data_hash_by_content_and_by_name(project: Suite) -> None:
    fit = project.places.fit("reading")
    before = version(project)
    (fit / "train.npy").write_bytes(b"123")
    added = version(project)
    (fit / "train.npy").write_bytes(b"124")
    altered = version(project)
    (fit / "train.npy").rename(fit / "valid.npy")
    renamed = version(project)
    for one, other in ((before, added), (added, altered), (altered, renamed)):
        assert changed(one, other) == {"data", "hash"}


@pytest.mark.parametrize("file", ["pipeline/systems/fitting.py", "pipeline/common.py",
                                  "pipeline/tasks/reading/systems/recurrent.py"])
def test_code_that_training_uses_changes_the_code_hash(project: Suite, file: str) -> None:
    before = version(project)
    with (project.places.root / file).open("a") as code:
        code.write("MORE = 2\n")
    assert version(project) == before, "a version is that of what validate has written"
    write_inputs(project)
    assert changed(before, version(project)) == {"code", "hash"}


def test_neither_folder_nor_dates_matter(project: Suite) -> None:
    before, root = version(project), project.places.root
    for path in root.rglob("*"):
        os.utime(path, (0, 0))
    moved = root.parent / f"{root.name}-moved"
    shutil.copytree(root, moved)
    write_inputs(project.placed(moved))
    assert version(project.placed(moved)) == before
    assert all(len(part) == 16 for part in (before.params, before.code, before.hash))


def test_a_record_is_compared_with_params_yaml_alone(project: Suite) -> None:
    assert params_hash(trained_params(project, "recurrent")) == version(project).params


def test_missing_features_are_named(project: Suite) -> None:
    shutil.rmtree(project.places.features("reading"))
    with pytest.raises(UserError, match="features/reading/fit does not exist; run"):
        version(project)
