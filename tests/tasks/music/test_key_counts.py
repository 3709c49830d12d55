"""The counting baselines by hand on two tiny rolls."""

import math
from pathlib import Path

import numpy as np
import pytest

from pipeline.storage.files import write_json
from pipeline.systems.base import Run
from pipeline.tasks.music.shared.items import Item, write_items
from pipeline.tasks.music.shared.rolls import KEYS, roll_of, write_rolls
from pipeline.tasks.music.systems.key_counts import KeyCounts, Settings

VARIANTS = {"frequency": {"given": "nothing", "prior": 0.5},
            "last-step": {"given": "last_step", "prior": 0.5}}


@pytest.fixture
def system(tmp_path: Path) -> KeyCounts:
    """Key 60 over the steps: on on off on, off on; key 62 sounds once, at a first step."""
    write_rolls(tmp_path, "train", [roll_of([[60, 62], [60], [], [60]]), roll_of([[], [60]])])
    write_rolls(tmp_path, "test", [roll_of([[60], [60], [62]])])
    write_items(tmp_path, [Item("t", 2, [1])])
    write_json(tmp_path / "spec.json", {})
    found = KeyCounts(Settings.model_validate(
        {"track": "t", "model": "key_counts", "variants": VARIANTS}), {})
    assert found.fit(tmp_path, Run(seed=1, work=tmp_path)) == []
    return found


def nll(system: KeyCounts, folder: Path, variant: str) -> list[float]:
    (found,) = system.predict(folder, system.settings.variants[variant])
    assert found["id"] == "t"
    return found["nll"]


def test_frequencies_by_hand(system: KeyCounts, tmp_path: Path) -> None:
    # Of four predicted steps key 60 sounds at three, the others at none.
    often, never = 3.5 / 5, 0.5 / 5
    silent = -(KEYS - 1) * math.log(1 - never)
    assert nll(system, tmp_path, "frequency") == pytest.approx([
        silent - math.log(often),
        silent + math.log(1 - never) - math.log(1 - often) - math.log(never)], abs=1e-6)


def test_last_steps_by_hand(system: KeyCounts, tmp_path: Path) -> None:
    # Key 60: on-on, on-off, off-on, off-on. Key 62: on-off and three times off-off. Others: off.
    stays = 1.5 / 3
    others = -(KEYS - 2) * math.log(4.5 / 5)
    assert nll(system, tmp_path, "last-step") == pytest.approx([
        others - math.log(stays) - math.log(3.5 / 4),
        others - math.log(1 - stays) - math.log(0.5 / 4)], abs=1e-6)


def test_it_survives_saving(system: KeyCounts, tmp_path: Path) -> None:
    system.save(tmp_path / "model")
    again = KeyCounts.load(tmp_path / "model")
    for variant in VARIANTS:
        assert nll(again, tmp_path, variant) == nll(system, tmp_path, variant)
    assert np.array_equal(again.counts, system.counts) and again.parameters_count == 2 * KEYS
