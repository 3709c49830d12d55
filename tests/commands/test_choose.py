"""Choosing a variant's settings and generating text, as a user calls them."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.commands import choose
from pipeline.commands.creating import create_lines
from pipeline.errors import UserError
from pipeline.results.studies import differences, read_study
from pipeline.storage.files import read_json
from pipeline.storage.seal import seal
from pipeline.suite.schema import Suite, load
from pipeline.systems.base import Run, system_class
from pipeline.tasks.language_model.shared.stream import Stream

PARAMS = """\
root: .
suite: ''
evidence: ci
seed: 1
threads: 1
device: cpu
precision: fp32
resamples: 100
mirror: null
corpora:
  text: {module: penn_treebank, twin: {seed: 1, train: 60, valid: 20, test: 20}}
tracks:
  lm:
    title: Words
    task: language_model
    corpus: text
    metric: perplexity
    features: {unit: word, min_count: 1}
systems:
  ngram: {track: lm, model: kneser_ney, order: 2}
  network:
    track: lm
    model: recurrent
    cell: elman
    embedding: 8
    hidden: 8
    layers: 1
    tied: true
    dropout_words: 0.0
    dropout_input: 0.0
    dropout_hidden: 0.0
    dropout_output: 0.0
    dropout_weights: 0.0
    window: 10
    batch_streams: 4
    training: {epochs: 1, optimizer: adam, learning_rate: 0.01, schedule: cosine,
               warmup_steps: 0, weight_decay: 0.0, gradient_clip: 1.0, patience: 0}
    variants:
      plain: {reading: plain}
      cache: {reading: cache, size: 50, flatness: 0.5, weight: 0.1}
claims: []
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a suite, training data and a trained network."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").write_text(PARAMS)
    fit = folder / "features/lm/fit"
    fit.mkdir(parents=True)
    words = ["<unk>", "<eos>", "the", "cat", "dog", "sees"]
    (fit / "spec.json").write_text(f'{{"unit": "word", "vocabulary": {words}}}'.replace("'", '"'))
    sentence = [2, 3, 5, 2, 4, 1]
    for split, count in (("train", 40), ("valid", 8)):
        Stream(np.array(sentence * count, np.int32), np.full(count, 6, np.int32)).write(fit, split)
    seal(fit)
    suite = load(folder / "params.yaml")
    kind = system_class("language_model", "recurrent")
    system = kind(suite.system("network"), read_json(fit / "spec.json"))
    system.fit(fit, Run(seed=1, work=folder / "work"))
    system.save(folder / "models/network")
    return folder


@pytest.fixture
def suite(project: Path) -> Suite:
    return load(project / "params.yaml")


def test_every_combination_is_scored_on_validation_data_and_the_best_named(
        project: Path) -> None:
    *scored, best = choose.choose_settings(project / "params.yaml", "network:cache",
                                           ["weight=0.1,0.3", "flatness=0,1"])
    assert [line.split("  ")[1:-1] for line in scored] == [
        ["weight=0.1", "flatness=0"], ["weight=0.1", "flatness=1"],
        ["weight=0.3", "flatness=0"], ["weight=0.3", "flatness=1"]]
    losses = [float(line.split()[2]) for line in scored]
    assert len(set(losses)) == 4
    assert best.startswith(f"best of 4: {min(losses):.5f}")
    assert best.endswith("  ".join(scored[int(np.argmin(losses))].split("  ")[1:-1]))
    assert all(line.endswith(" s") for line in scored)
    assert not (project / "studies").exists(), "two settings are no curve"
    system = system_class("language_model", "recurrent").load(project / "models/network")
    variant = system.settings.variants["cache"].model_copy(update={"weight": 0.3, "flatness": 0})
    assert losses[2] == pytest.approx(system.validation_loss(project / "features/lm/fit", variant),
                                      abs=1e-5)


def test_values_of_one_setting_are_kept_as_a_study(project: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(project, tmp_path / "project")
    params = copy / "params.yaml"
    *scored, best, where = choose.choose_settings(params, "network:cache", ["weight=0.3,0.1"])
    assert where == ("kept: studies/lm/network.variants.cache.weight.json, studies/lm/network."
                     "variants.cache.weight.svg, studies/README.md")
    path = copy / "studies/lm/network.variants.cache.weight.json"
    study = read_study(path)
    assert (study["measure"], study["stands"]) == ("validation loss", 0.1)
    assert [point["value"] for point in study["points"]] == [0.1, 0.3]
    losses = {point["value"]: point["scores"]["loss"]["value"] for point in study["points"]}
    assert scored[0].startswith(f"validation loss {losses[0.3]:.5f}  weight=0.3  ")
    assert all(point["seconds"] > 0 for point in study["points"])
    assert not list(differences(copy / "studies"))
    # Another value joins them, what was answered before is not answered again, and part of the
    # data is no study.
    list(choose.choose_settings(params, "network:cache", ["weight=0.5,0.1"]))
    list(choose.choose_settings(params, "network:cache", ["weight=0.6"], items=20))
    again = read_study(path)
    assert [point["value"] for point in again["points"]] == [0.1, 0.3, 0.5]
    assert again["points"][:2] == study["points"], "with the seconds that it took then"
    # Another setting of the variant makes it another study.
    params.write_text(params.read_text().replace("flatness: 0.5", "flatness: 0.7"))
    list(choose.choose_settings(params, "network:cache", ["weight=0.2"]))
    other = read_study(path)
    assert [point["value"] for point in other["points"]] == [0.2]
    assert other["version"] != again["version"] == study["version"]


def test_what_a_stopped_call_has_answered_is_kept(project: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(project, tmp_path / "project")
    path = copy / "studies/lm/network.variants.cache.weight.json"
    answers = choose.choose_settings(copy / "params.yaml", "network:cache", ["weight=0.3,0.1,0.2"])
    first = next(answers)
    [kept] = read_study(path)["points"]
    assert kept["value"] == 0.3 and first.split()[2] == f"{kept['scores']['loss']['value']:.5f}"
    assert not list(differences(copy / "studies"))
    answers.close()
    again, *_ = choose.choose_settings(copy / "params.yaml", "network:cache", ["weight=0.3,0.1"])
    assert again == first
    assert read_study(path)["points"][1] == kept


@pytest.mark.parametrize("row, values, message", [
    ("network:cash", [], "no row 'network:cash'; did you mean 'network:cache'"),
    ("network", [], "no row 'network'"),
    ("network:cache", ["weigth=0.1"], "weigth: unknown key; did you mean 'weight'"),
    ("network:cache", ["weight=2"], "weight.*less than 1"),
    ("network:cache", ["weight"], "expected SETTING=A,B")])
def test_what_cannot_be_compared_is_named(suite: Suite, row: str, values: list[str],
                                          message: str) -> None:
    with pytest.raises(UserError, match=message):
        list(choose.combinations(suite, row, values))


def test_a_system_that_is_not_trained_is_named_with_the_command_that_trains_it(
        project: Path, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text((project / "params.yaml").read_text())
    with pytest.raises(UserError, match="network is not trained here: 'unrolled repro --track lm'"):
        list(choose.choose_settings(tmp_path / "params.yaml", "network:cache", []))


def test_a_trained_network_writes_from_a_prompt(project: Path, tmp_path: Path) -> None:
    wishes = {"count": 2, "length": 7, "temperature": 0.8, "top_k": 3, "seed": 5,
              "prompt": "the cat"}

    def create(row: str, out: Path | None = None) -> list[str]:
        return list(create_lines(row, wishes, out, lambda: project / "params.yaml"))

    [written] = create("network")
    assert create("network") == create(str(project / "models/network")) == [written]
    assert written.startswith("the cat") and written.count("the cat") >= 2
    out = tmp_path / "text.txt"
    assert create("network", out) == [str(out)]
    assert out.read_text("utf-8") == f"{written}\n"


@pytest.mark.parametrize("row, wishes, message", [
    ("ngram", {}, "ngram is not trained here"),
    ("netwrok", {}, "no row 'netwrok'; did you mean 'network'"),
    ("network", {"prompt": "the horse"}, "word 'horse' is not in the vocabulary"),
    ("network", {"opening": [60]}, "--opening means nothing to network; it takes "
                                   "--prompt, --count, --length, --temperature, --top-k, --seed$"),
    ("network", {"temperature": -1.0}, "temperature is 0 or more")])
def test_what_cannot_be_written_is_named(project: Path, row: str, wishes: dict[str, Any],
                                         message: str) -> None:
    with pytest.raises(UserError, match=message):
        list(create_lines(row, wishes, None, lambda: project / "params.yaml"))
