"""What a training computes with is what params.yaml says of its track, on every machine."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.entries import SystemSettings
from pipeline.modules import model_module, models, tasks
from pipeline.provenance.inputs import trained_params
from pipeline.suite.checks import problems_of
from pipeline.suite.schema import Suite
from pipeline.suite.yaml_file import read_yaml
from pipeline.systems import precision
from pipeline.systems.base import Run
from pipeline.systems.network import Batch
from tests.conftest import ROOT
from tests.systems.test_training import ToySystem, settings

SUITES = ["params.yaml", "real/params.yaml", "large/params.yaml"]


class Watched(ToySystem):
    """Notes the type of a product of matrices in each of its losses."""

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        matrix = torch.ones(2, 2)
        self.seen.add((matrix @ matrix).dtype)
        return super().loss(batch)


@pytest.mark.parametrize("has_instructions", [True, False])
@pytest.mark.parametrize(("wanted", "expected"), [
    ("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_training_computes_with_what_it_is_told(
        wanted: Any, expected: torch.dtype, has_instructions: bool, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the processor is; one that will take long is said."""
    monkeypatch.setattr(precision, "has_bf16_instructions", lambda: has_instructions)
    system = Watched(settings(), {})
    system.seen = set()
    system.fit(Path("."), Run(seed=1, work=tmp_path, precision=wanted))
    assert system.seen == {expected}
    slow = "this processor has no instructions for bf16" in capsys.readouterr().out
    assert slow == (wanted == "bf16" and not has_instructions)


def test_a_gpu_has_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bf16_instructions", lambda: False)
    assert precision.doubt("bf16", gpu=True) is None
    assert precision.doubt("bf16", gpu=False) is not None


@pytest.mark.parametrize("path", SUITES)
def test_all_rows_of_a_track_are_computed_alike(path: str) -> None:
    """In every suite, and where a track departs from its suite: no other track does with it."""
    raw = read_yaml(ROOT / path)
    for departing in raw["tracks"]:
        tracks = {key: {**track, "precision": "bf16" if key == departing else "fp32"}
                  for key, track in raw["tracks"].items()}
        suite = Suite.model_validate({**raw, "tracks": tracks})
        for key in suite.systems:
            expected = "bf16" if suite.track_of(key) == departing else "fp32"
            assert trained_params(suite, key)["run"]["precision"] == expected


def test_no_system_can_depart_from_its_track() -> None:
    """No system's settings have a precision, so an entry that states one is refused."""
    for task in tasks():
        for model in models(task):
            found: type[SystemSettings] = model_module(task, model).Settings
            assert "precision" not in found.model_fields, (task, model)
    raw = read_yaml(ROOT / "real/params.yaml")
    raw["systems"]["jsb-lstm"]["precision"] = "bf16"
    assert any("systems.jsb-lstm.precision" in problem for problem in problems_of(raw))


@pytest.mark.parametrize("value", ["auto", "fp16", None])
def test_no_suite_leaves_the_choice_to_a_machine(value: Any) -> None:
    raw = read_yaml(ROOT / "real/params.yaml")
    raw["precision"] = value
    assert any(problem.startswith("precision") for problem in problems_of(raw))
