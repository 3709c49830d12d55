"""Studies over a setting: each value is trained as a stage would, kept once, and drawn as it is."""

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.commands.study import study_setting, with_value
from pipeline.errors import UserError
from pipeline.provenance.inputs import write_inputs
from pipeline.results.studies import differences, read_study
from pipeline.running.extraction import extract_features
from pipeline.running.fetching import fetch_corpus
from pipeline.running.fitting import train_system
from pipeline.storage.files import read_json
from pipeline.suite.schema import load, read_yaml
from tests.commands.small_network import KEY, TRACK, small_project

HIDDEN = "hidden=8,4"


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A project with one small network, studied with two numbers of hidden units."""
    folder = small_project(tmp_path_factory.mktemp("study") / "project", root, hidden=8)
    suite = load(folder / "params.yaml")
    write_inputs(suite)
    fetch_corpus(suite.places, "sums")
    extract_features(suite.places, TRACK)
    lines = list(study_setting(folder / "params.yaml", KEY, HIDDEN))
    assert [line.partition("  ")[0] for line in lines[:2]] == ["hidden=8", "hidden=4"]
    assert lines[-1] == (f"kept: studies/{TRACK}/{KEY}.hidden.json, studies/{TRACK}/{KEY}.hidden."
                         "svg, studies/README.md")
    return folder


@pytest.fixture
def project(studied: Path, tmp_path: Path) -> Path:
    return shutil.copytree(studied, tmp_path / "project", symlinks=True)


def kept(folder: Path) -> Path:
    return load(folder / "params.yaml").places.study(TRACK, KEY, "hidden")


def test_the_value_of_params_yaml_gives_what_the_suites_own_training_gives(project: Path) -> None:
    suite = load(project / "params.yaml")
    system = train_system(suite.places, KEY, suite.places)
    curve = read_json(suite.places.curve(TRACK, KEY))
    study = read_study(kept(project))
    assert (study["stands"], study["measure"]) == (8, "validation loss")
    assert [point["value"] for point in study["points"]] == [4, 8]  # by size
    small, own = study["points"]
    assert own["scores"]["lowest loss"]["value"] == min(
        point["validation_loss"] for point in curve)
    assert own["parameters"] == system.parameters_count > small["parameters"]
    assert small["scores"] != own["scores"]


def test_nothing_is_kept_but_what_came_out_and_test_data_is_not_read(project: Path) -> None:
    assert {path.name for path in (project / "studies").rglob("*") if path.is_file()} == {
        f"{KEY}.hidden.json", f"{KEY}.hidden.svg", "README.md"}
    assert not list((project / "work" / "studies" / KEY).glob("*"))
    shutil.rmtree(project / "features" / TRACK / "test")
    lines = list(study_setting(project / "params.yaml", KEY, "hidden=6"))
    assert lines[0].startswith("hidden=6  lowest loss ")
    assert [point["value"] for point in read_study(kept(project))["points"]] == [4, 6, 8]
    assert not list(differences(project / "studies"))


def test_a_value_is_trained_once_until_something_else_changes(project: Path) -> None:
    path = kept(project)
    study = read_study(path)
    marked = path.read_text().replace(
        f'"value": {study["points"][0]["scores"]["lowest loss"]["value"]}', '"value": 123.5')
    path.write_text(marked)
    first, *_ = study_setting(project / "params.yaml", KEY, "hidden=4")
    assert first == "hidden=4  lowest loss 123.5"
    assert path.read_text() == marked
    raw = read_yaml(project / "params.yaml")
    raw["systems"][KEY]["hidden"] = 16  # the setting itself is no other version
    YAML().dump(raw, project / "params.yaml")
    assert next(study_setting(project / "params.yaml", KEY, "hidden=4")).endswith("123.5")
    raw["seed"] = 5
    YAML().dump(raw, project / "params.yaml")
    assert not next(study_setting(project / "params.yaml", KEY, "hidden=4")).endswith("123.5")
    again = read_study(path)
    assert again["version"] != study["version"] and again["stands"] == 16
    assert [point["value"] for point in again["points"]] == [4]


@pytest.mark.parametrize("system, values, message", [
    ("adition-gru", "hidden=4", "no system 'adition-gru'; did you mean 'addition-gru'"),
    (KEY, "hiden=4", "has no hiden: .*did you mean 'hidden'"),
    (KEY, "training.epoch=4", "has no training.epoch: .*did you mean 'epochs'"),
    (KEY, "hidden.epochs=4", "has no hidden.epochs"),
    (KEY, "hidden=4,-1", "hidden"),
    (KEY, "training.learning_rate=0.1,1e400", "value 2: inf; a number is finite"),
    (KEY, "hidden=4,4", "stands there twice"),
    (KEY, "hidden", "expected SETTING=A,B"),
    (KEY, "track=addition", "none that a training depends on")])
def test_what_cannot_be_studied_is_named_and_nothing_is_trained(
        studied: Path, system: str, values: str, message: str) -> None:
    before = kept(studied).read_bytes()
    with pytest.raises(UserError, match=message):
        list(study_setting(studied / "params.yaml", system, values))
    assert kept(studied).read_bytes() == before


def test_what_no_training_could_score_is_said_before_one(root: Path) -> None:
    with pytest.raises(UserError, match="lm-kneser-ney says nothing of validation data"):
        list(study_setting(root / "params.yaml", "lm-kneser-ney", "order=3,5"))


def test_a_value_changes_one_setting_of_one_system_alone(studied: Path) -> None:
    suite = load(studied / "params.yaml")
    other = with_value(suite, KEY, "training.epochs", 7)
    assert other.systems[KEY] == suite.systems[KEY] | {
        "training": suite.systems[KEY]["training"] | {"epochs": 7}}
    assert suite.systems[KEY]["training"]["epochs"] == 2
