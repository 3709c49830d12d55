"""Precision is chosen once for all resumes, and only where it may be chosen."""

import contextlib
from pathlib import Path

import pytest

from pipeline.systems import precision
from pipeline.systems.base import Run
from pipeline.systems.precision import precision_of
from pipeline.systems.resume import FULL_PRECISION, chosen_precision
from tests.systems.test_training import Interrupted, ToyBatches, ToySystem, settings


def chosen(wanted: str, gpu: bool = False) -> str:
    return precision_of(ToySystem(settings(), {}), ToyBatches(1), wanted, gpu)


def test_fp32_is_fp32_everywhere() -> None:
    assert chosen("fp32", gpu=True) == FULL_PRECISION


def test_a_resumed_training_keeps_its_precision(tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the measurement would now come out otherwise."""
    assert chosen_precision(tmp_path) is None
    for faster, system in ((True, ToySystem(settings(), {}, stop_at=30)),
                           (False, ToySystem(settings(), {}))):
        monkeypatch.setattr(precision, "has_bf16_instructions", lambda: True)
        monkeypatch.setattr(precision, "_bf16_is_faster", lambda *_, faster=faster: faster)
        with pytest.raises(Interrupted) if faster else contextlib.nullcontext():
            system.fit(Path("."), Run(seed=1, work=tmp_path, precision="auto"))
        assert chosen_precision(tmp_path) == "bf16-mixed"


def test_a_gpu_takes_bf16() -> None:
    assert chosen("auto", gpu=True) == "bf16-mixed"


def test_a_processor_without_bf16_never_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bf16_instructions", lambda: False)
    assert chosen("auto") == FULL_PRECISION


def test_measuring_leaves_no_gradient(tmp_path: Path) -> None:
    system = ToySystem(settings(), {})
    assert precision._seconds(system, ToyBatches(1), bf16=True) > 0
    assert all(parameter.grad is None for parameter in system.parameters())
