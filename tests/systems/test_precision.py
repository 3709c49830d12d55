"""Precision is chosen once for all resumes, and only where it may be chosen."""

from pathlib import Path

import pytest

from pipeline.systems import precision
from pipeline.systems.base import Run
from pipeline.systems.precision import precision_of
from pipeline.systems.resume import FULL_PRECISION, chosen_precision, record_precision
from tests.systems.test_training import ToyBatches, ToySystem, settings


def chosen(run: Run, gpu: bool = False) -> str:
    return precision_of(ToySystem(settings(), {}), ToyBatches(1), run, gpu)


def test_fp32_is_fp32_everywhere_and_nothing_is_recorded(tmp_path: Path) -> None:
    assert chosen(Run(seed=1, work=tmp_path), gpu=True) == FULL_PRECISION
    assert chosen_precision(tmp_path) is None


def test_a_resumed_training_keeps_its_precision(tmp_path: Path) -> None:
    record_precision(tmp_path, "bf16-mixed")
    assert chosen(Run(seed=1, work=tmp_path, precision="auto")) == "bf16-mixed"


def test_a_gpu_takes_bf16_and_the_choice_is_recorded(tmp_path: Path) -> None:
    assert chosen(Run(seed=1, work=tmp_path, precision="auto"), gpu=True) == "bf16-mixed"
    assert chosen_precision(tmp_path) == "bf16-mixed"


def test_a_processor_without_bf16_never_takes_it(tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bf16_instructions", lambda: False)
    assert chosen(Run(seed=1, work=tmp_path, precision="auto")) == FULL_PRECISION


def test_measuring_leaves_no_gradient(tmp_path: Path) -> None:
    system = ToySystem(settings(), {})
    assert precision._seconds(system, ToyBatches(1), bf16=True) > 0
    assert all(parameter.grad is None for parameter in system.parameters())
