"""What every system must do; `tests.systems.entrants` finds them in the suites.

Each embedded track's corpus is generated at its smallest, goes through the real features stage,
and each entrant is fitted on it for a few short epochs with the shape that its suite gives it
(`tests.systems.trained`).
"""

import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.modules import task_module
from pipeline.running.answering import Answering
from pipeline.scoring.item_clusters import check_clusters
from pipeline.storage import predictions
from pipeline.storage.files import json_text, read_json
from pipeline.suite.schema import load
from pipeline.systems import training
from pipeline.systems.base import NeuralSystem, Run, system_class
from pipeline.tasks.contract import OwnFile
from tests.elsewhere import elsewhere
from tests.systems.damaged import check_that_damage_is_found, check_that_odd_answers_are_refused
from tests.systems.entrants import Entrant
from tests.systems.facets import check_facets
from tests.systems.loaded import loaded
from tests.systems.trained import (
    ENTRANTS,
    EPOCHS,
    ROOT,
    Tracks,
    Trained,
    answers,
    new_system,
    raw,
    same_answers,
)
from tests.tasks.answers import without_ids

EMBEDDED = load(ROOT / "params.yaml")
FIRST_OF_TASK = {entrant.task: entrant for entrant in reversed(ENTRANTS)}
NEURAL = [entrant for entrant in ENTRANTS if entrant.neural]
SEGMENTS = 6  # of an interrupted epoch: checkpoints before, in and after its midst


@pytest.mark.parametrize("entrant", ENTRANTS, ids=str)
def test_saved_system_answers_every_item_as_before(
        small_tracks: Tracks, trained: Callable[[Entrant], Trained], entrant: Entrant,
        tmp_path: Path) -> None:
    track, saved = small_tracks[entrant.track], trained(entrant)
    loaded = system_class(entrant.task, entrant.settings.model).load(saved.model)
    check_that_damage_is_found(type(loaded), saved.model, tmp_path)
    before = read_json(saved.before)
    assert answers(loaded, track) == before["answers"]
    if isinstance(loaded, NeuralSystem):
        with elsewhere(loaded):
            again = answers(loaded, track)
        assert same_answers(again, before["answers"])
    scoring = task_module(entrant.task, "scoring")
    primary = scoring.METRICS[EMBEDDED.track(entrant.track).metric]
    for name, found in before["answers"].items():
        predictions.write(tmp_path / f"{name}.parquet", found)
        kept = predictions.read(tmp_path / f"{name}.parquet")
        assert json_text(kept) == json_text(found)
        statistics = scoring.score(kept, track.test)
        assert len(statistics.ids) == len(found) > 0
        check_clusters(statistics, track.test)
        check_facets(scoring, statistics)
        assert np.isfinite(statistics.score(primary))
    if entrant == FIRST_OF_TASK[entrant.task]:
        check_that_odd_answers_are_refused(scoring.score, found, track.test)
    assert loaded.parameters_count == before["parameters"]


def own_answers(answering: Answering, files: list[Path], folder: Path) -> list[dict]:
    """What a system predicts from raw files, its items' ids aside."""
    folder.mkdir()
    answering.own.prepare([OwnFile(str(file), file) for file in files], answering.trained, folder)
    return without_ids(answering.system.predict(folder, answering.variant))


@pytest.mark.parametrize("entrant", ENTRANTS, ids=str)
def test_copied_model_answers_raw_files_as_in_the_suite(
        small_tracks: Tracks, trained: Callable[[Entrant], Trained], entrant: Entrant,
        tmp_path: Path) -> None:
    """A copy of the model's folder, far from what it was made of, reads what a user holds."""
    track, saved = small_tracks[entrant.track], trained(entrant)
    alone = shutil.copytree(saved.model, tmp_path / "elsewhere")
    written = raw(entrant.task)
    (tmp_path / "raw").mkdir()
    files = written.write_raw(track.test, tmp_path / "raw", track.corpus)
    expected = getattr(written, "expected", list)
    for name, found in read_json(saved.before)["answers"].items():
        answering = loaded(alone, name)
        answered = own_answers(answering, files, tmp_path / f"inputs {name}")
        for given, wanted in zip(answered, without_ids(expected(found)), strict=True):
            assert wanted.items() <= given.items()
        rows = list(answering.predict([str(file) for file in files]))
        assert rows and all(json.loads(json.dumps(row, allow_nan=False)) == row for row in rows)
        assert {tuple(row) for row in rows} == {tuple(rows[0])}
        assert not answering.own.SHOWN or set(answering.own.SHOWN) & set(rows[0])


ANSWER = """
import json, sys
from pathlib import Path
from tests.systems.loaded import loaded
for row in loaded(Path(sys.argv[1])).predict(sys.argv[2:]):
    print(json.dumps(row))
"""


@pytest.mark.parametrize("entrant", FIRST_OF_TASK.values(), ids=str)
def test_copied_model_answers_in_a_process_of_its_own(
        small_tracks: Tracks, trained: Callable[[Entrant], Trained], entrant: Entrant,
        tmp_path: Path) -> None:
    """One system a task, from a folder where nothing else is."""
    track = small_tracks[entrant.track]
    shutil.copytree(trained(entrant).model, tmp_path / "model")
    files = raw(entrant.task).write_raw(track.test, tmp_path, track.corpus)[:1]
    names = [file.name for file in files]
    found = subprocess.run([sys.executable, "-c", ANSWER, "model", *names], cwd=tmp_path,
                           env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True,
                           capture_output=True, text=True).stdout
    with contextlib.chdir(tmp_path):
        assert [json.loads(line) for line in found.splitlines()] == list(
            loaded(Path("model")).predict(names))


@pytest.mark.parametrize("entrant", NEURAL, ids=str)
def test_every_parameter_learns(small_tracks: Tracks, entrant: Entrant) -> None:
    track = small_tracks[entrant.track]
    system = new_system(entrant, track)
    assert isinstance(system, NeuralSystem)
    source = system.batches(track.fit, "train", 1)
    system.train().begin_epoch(training=True)
    for description in source.plan(0):
        total, terms = system.loss(source.load(description))
        (total / terms).backward()
    silent = [name for name, parameter in system.named_parameters()
              if parameter.numel() and (parameter.grad is None or not parameter.grad.any())]
    assert not silent


@pytest.mark.parametrize("entrant", NEURAL, ids=str)
def test_a_loss_is_computed_where_the_weights_are(
        small_tracks: Tracks, entrant: Entrant) -> None:
    track = small_tracks[entrant.track]
    system = new_system(entrant, track)
    assert isinstance(system, NeuralSystem)
    source = system.batches(track.fit, "train", 1)
    batch = source.load(source.plan(0)[0])
    for learning in (True, False):
        system.train(learning).begin_epoch(training=learning)
        torch.manual_seed(1)
        expected, terms = system.loss(batch)
        system.begin_epoch(training=learning)
        torch.manual_seed(1)
        with elsewhere(system):
            found, count = system.loss(system.here(batch))
            assert (float(found), count) == (float(expected), terms)


@pytest.mark.parametrize("entrant", NEURAL, ids=str)
def test_training_lowers_the_loss(
        trained: Callable[[Entrant], Trained], entrant: Entrant) -> None:
    curve = read_json(trained(entrant).before)["curve"]
    assert len(curve) == EPOCHS
    assert curve[-1]["loss"] < curve[0]["loss"]


class Interrupted(Exception):
    """Stands for a kill in the middle of an epoch."""


@pytest.mark.parametrize("entrant", NEURAL, ids=str)
def test_interrupted_training_ends_with_the_same_weights(
        small_tracks: Tracks, trained: Callable[[Entrant], Trained], entrant: Entrant,
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the training that nobody interrupted, which left no checkpoint within an epoch."""
    straight = trained(entrant).model
    track = small_tracks[entrant.track]
    system = new_system(entrant, track)
    steps = len(system.batches(track.fit, "train", 1).plan(0))
    monkeypatch.setattr(training, "SEGMENT_BATCHES", math.ceil(steps / SEGMENTS))
    original, seen = system.loss, []

    def loss(batch: dict) -> tuple[torch.Tensor, float]:
        if system.training:
            seen.append(1)
        if len(seen) == stop:
            raise Interrupted
        return original(batch)

    stop = max(2, steps // 2 + 1)
    system.loss = loss  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        system.fit(track.fit, Run(seed=1, work=tmp_path / "work"))
    resumed = new_system(entrant, track)
    resumed.fit(track.fit, Run(seed=1, work=tmp_path / "work"))
    for name, tensor in type(resumed).load(straight).tensors().items():
        assert torch.equal(tensor, resumed.tensors()[name]), name


@pytest.mark.parametrize("entrant", NEURAL, ids=str)
def test_padding_does_not_change_a_loss(small_tracks: Tracks, entrant: Entrant) -> None:
    """Items one at a time and items in batches have the same total loss.

    A system that cuts one text into streams has no padding, and says so by the name of its
    setting: `batch_streams`.
    """
    sizes = [name for name in type(entrant.settings).model_fields if name.startswith("batch_")]
    assert sizes, "a neural system's batch size is a setting whose name begins with 'batch_'"
    if sizes == ["batch_streams"]:
        return
    track = small_tracks[entrant.track]
    together, alone = (new_system(entrant, track, **changes) for changes in ({}, {sizes[0]: 1}))
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
