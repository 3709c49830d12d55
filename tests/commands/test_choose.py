"""Choosing a variant's settings and generating text, as a user calls them."""

import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.commands import choose, generate
from pipeline.errors import UserError
from pipeline.storage.files import read_json
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
    reader: penn_treebank
    metric: perplexity
    tolerance: 1.0
    features: {unit: word, min_count: 1}
systems:
  ngram: {track: lm, task: language_model, model: kneser_ney, order: 2}
  network:
    track: lm
    task: language_model
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
    training: {epochs: 1, optimizer: adam, learning_rate: 0.01, schedule: constant,
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
    suite = load(folder / "params.yaml")
    kind = system_class("language_model", "recurrent")
    system = kind(suite.system("network"), read_json(fit / "spec.json"))
    system.fit(fit, Run(seed=1, work=folder / "work"))
    system.save(folder / "models/network")
    return folder


@pytest.fixture
def suite(project: Path) -> Suite:
    return load(project / "params.yaml")


def run(module, project: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["command", str(project / "params.yaml"), *arguments])
    module.main()


def test_every_combination_is_scored_on_validation_data_and_the_best_named(
        project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    run(choose, project, monkeypatch, "network:cache", "weight=0.01,0.3", "flatness=0,1")
    *scored, best = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[1:] for line in scored] == [
        ["weight=0.01", "flatness=0"], ["weight=0.01", "flatness=1"],
        ["weight=0.3", "flatness=0"], ["weight=0.3", "flatness=1"]]
    losses = [float(line.split()[2]) for line in scored]
    assert len(set(losses)) == 4
    assert best.startswith(f"best of 4: {min(losses):.5f}")
    assert best.endswith(scored[int(np.argmin(losses))].partition("  ")[2])
    system = system_class("language_model", "recurrent").load(project / "models/network")
    variant = system.settings.variants["cache"].model_copy(update={"weight": 0.3, "flatness": 0})
    assert losses[2] == pytest.approx(system.validation_loss(project / "features/lm/fit", variant),
                                      abs=1e-5)


@pytest.mark.parametrize("row, values, message", [
    ("network:cash", [], "no row 'network:cash'; did you mean 'network:cache'"),
    ("network", [], "no row 'network'"),
    ("network:cache", ["weigth=0.1"], "weigth: unknown key; did you mean 'weight'"),
    ("network:cache", ["weight=2"], "weight.*less than 1"),
    ("network:cache", ["weight"], "expected NAME=A,B")])
def test_what_cannot_be_compared_is_named(suite: Suite, row: str, values: list[str],
                                          message: str) -> None:
    with pytest.raises(UserError, match=message):
        list(choose.combinations(suite, row, values))


def test_a_trained_network_writes_from_a_prompt(project: Path, monkeypatch: pytest.MonkeyPatch,
                                                capsys: pytest.CaptureFixture) -> None:
    printed = []
    for _ in range(2):
        run(generate, project, monkeypatch, "network", "--prompt", "the cat", "--count", "2",
            "--length", "7", "--temperature", "0.8", "--top-k", "3", "--seed", "5")
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert printed[0].startswith("the cat") and printed[0].count("the cat") >= 2
    with pytest.raises(UserError, match="ngram does not write text"):
        run(generate, project, monkeypatch, "ngram")
    with pytest.raises(UserError, match="word 'horse' is not in the vocabulary"):
        run(generate, project, monkeypatch, "network", "--prompt", "the horse")
