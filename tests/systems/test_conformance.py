"""What every system of params.yaml must do, found by walking the suite: nobody lists them here.

Each track's corpus is generated at its smallest, goes through the real features stage, and each
system is fitted on it for two short epochs with the shape that params.yaml gives it.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock

from pipeline.modules import corpus_module, task_module
from pipeline.storage import predictions
from pipeline.storage.files import read_json
from pipeline.suite.checks import load_valid
from pipeline.suite.schema import Suite, load
from pipeline.systems import training
from pipeline.systems.base import NeuralSystem, Run, System, system_class

ROOT = Path(__file__).resolve().parents[2]
SUITE: Suite = load(ROOT / "params.yaml")
NEURAL = [key for key, entry in SUITE.systems.items() if "training" in entry]
EPOCHS = 2
LEARNING_EPOCHS = 4  # the first few steps at the full rate may overshoot


@dataclass(frozen=True)
class Track:
    """A track's features from its smallest corpus."""

    fit: Path
    test: Path


@pytest.fixture(scope="session")
def small_tracks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Track]:
    """Features of every track of the embedded suite; test processes share one copy."""
    own = tmp_path_factory.getbasetemp()
    base = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "conformance"
    base.mkdir(exist_ok=True)
    suite = load_valid(ROOT / "params.yaml")
    with FileLock(base / "lock"):
        if not (base / "complete").exists():
            for key in suite.corpora:
                settings = suite.corpus(key).smallest()
                (base / "data" / key).mkdir(parents=True, exist_ok=True)
                corpus_module(settings.module).prepare(settings, base / "data" / key, None)
            for key, track in suite.tracks.items():
                folders = Track(base / key / "fit", base / key / "test")
                for folder in (folders.fit, folders.test):
                    folder.mkdir(parents=True, exist_ok=True)
                task_module(track.task, "features").extract(
                    suite.features(key).smallest(), base / "data" / track.corpus,
                    corpus_module(track.reader), folders.fit, folders.test)
            (base / "complete").touch()
    return {key: Track(base / key / "fit", base / key / "test") for key in suite.tracks}


def new_system(key: str, track: Track, epochs: int = EPOCHS, **changes: Any) -> System:
    settings = SUITE.system(key)
    if "training" in SUITE.systems[key]:
        changes["training"] = settings.training.model_copy(
            update={"epochs": epochs, "warmup_steps": 0})
    settings = settings.model_copy(update=changes)
    torch.manual_seed(1)
    return system_class(settings.task, settings.model)(settings, read_json(track.fit / "spec.json"))


def fitted(key: str, track: Track, work: Path) -> System:
    system = new_system(key, track)
    system.fit(track.fit, Run(seed=1, work=work))
    return system


def answers(system: System, track: Track) -> dict[str, list[dict]]:
    variants = system.settings.variants or {"": None}
    return {name: list(system.predict(track.test, variant)) for name, variant in variants.items()}


@pytest.mark.parametrize("key", list(SUITE.systems))
def test_saved_system_answers_every_item_as_before(small_tracks: dict[str, Track], key: str,
                                                   tmp_path: Path) -> None:
    track = small_tracks[SUITE.systems[key]["track"]]
    system = fitted(key, track, tmp_path / "work")
    system.save(tmp_path / "model")
    loaded = type(system).load(tmp_path / "model")
    before = answers(system, track)
    assert answers(loaded, track) == before
    task = SUITE.systems[key]["task"]
    scoring = task_module(task, "scoring")
    primary = scoring.METRICS[SUITE.tracks[SUITE.systems[key]["track"]].metric]
    for name, found in before.items():
        predictions.write(tmp_path / f"{name}.gz", found)
        statistics = scoring.score(predictions.read(tmp_path / f"{name}.gz"), track.test)
        assert len(statistics.ids) == len(found) > 0
        assert np.isfinite(statistics.score(primary))
    assert loaded.parameters_count == system.parameters_count


@pytest.mark.parametrize("key", NEURAL)
def test_every_parameter_learns(small_tracks: dict[str, Track], key: str) -> None:
    track = small_tracks[SUITE.systems[key]["track"]]
    system = new_system(key, track)
    assert isinstance(system, NeuralSystem)
    source = system.batches(track.fit, "train", 1)
    system.train().begin_epoch(training=True)
    for description in source.plan(0):
        total, terms = system.loss(source.load(description))
        (total / terms).backward()
    silent = [name for name, parameter in system.named_parameters()
              if parameter.numel() and (parameter.grad is None or not parameter.grad.any())]
    assert not silent


@pytest.mark.parametrize("key", NEURAL)
def test_training_lowers_the_loss(small_tracks: dict[str, Track], key: str,
                                  tmp_path: Path) -> None:
    track = small_tracks[SUITE.systems[key]["track"]]
    system = new_system(key, track, LEARNING_EPOCHS)
    curve = system.fit(track.fit, Run(seed=1, work=tmp_path))
    assert len(curve) == LEARNING_EPOCHS
    assert curve[-1]["loss"] < curve[0]["loss"]


class Interrupted(Exception):
    """Stands for a kill in the middle of an epoch."""


@pytest.mark.parametrize("key", NEURAL)
def test_interrupted_training_ends_with_the_same_weights(
        small_tracks: dict[str, Track], key: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SEGMENT_BATCHES", 1)
    track = small_tracks[SUITE.systems[key]["track"]]
    straight = fitted(key, track, tmp_path / "straight")
    system = new_system(key, track)
    original, seen = system.loss, []

    def loss(batch: dict) -> tuple[torch.Tensor, float]:
        if system.training:
            seen.append(1)
        if len(seen) == stop:
            raise Interrupted
        return original(batch)

    stop = max(2, len(system.batches(track.fit, "train", 1).plan(0)) // 2 + 1)
    system.loss = loss  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        system.fit(track.fit, Run(seed=1, work=tmp_path / "work"))
    resumed = fitted(key, track, tmp_path / "work")
    for name, tensor in straight.tensors().items():
        assert torch.equal(tensor, resumed.tensors()[name]), name


@pytest.mark.parametrize("key", NEURAL)
def test_padding_does_not_change_a_loss(small_tracks: dict[str, Track], key: str) -> None:
    """Items one at a time and items in batches have the same total loss.

    A system that cuts one text into streams has no padding, and says so by the name of its
    setting: `batch_streams`.
    """
    sizes = [name for name in type(SUITE.system(key)).model_fields if name.startswith("batch_")]
    assert sizes, "a neural system's batch size is a setting whose name begins with 'batch_'"
    if sizes == ["batch_streams"]:
        return
    track = small_tracks[SUITE.systems[key]["track"]]
    together, alone = (new_system(key, track, **changes) for changes in ({}, {sizes[0]: 1}))
    alone.load_state_dict(together.state_dict())
    totals = []
    for system in (together, alone):
        system.eval().begin_epoch(training=False)
        source = system.batches(track.fit, "valid", 1)
        with torch.no_grad():
            parts = [system.loss(source.load(description)) for description in source.plan(0)]
        totals.append((sum(float(total) for total, _ in parts), sum(t for _, t in parts)))
    assert totals[0][0] == pytest.approx(totals[1][0], rel=1e-4)
    assert totals[0][1] == totals[1][1]
