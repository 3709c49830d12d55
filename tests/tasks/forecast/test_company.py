"""An answer depends on the past that is asked for, and not on the series that stand beside it.

Every model of the embedded suite, with every variant, is asked for series that it was fitted on and
for others, in subsets, in other orders, under other names, and with more series beside them.
"""

from pathlib import Path

import numpy as np
import pytest

from pipeline.storage.predictions import Prediction
from pipeline.systems.base import System
from pipeline.tasks.forecast.shared.storage import load_pasts, save_pasts
from tests.tasks.forecast.small_corpus import twin
from tests.tasks.forecast.test_robustness import YEARLY, fitted
from tests.trials import trials

KEYS = [*YEARLY.values(), "monthly-esrnn"]


def ask(system: System, variant: object, names: list[str], pasts: list[np.ndarray],
        folder: Path) -> list[Prediction]:
    folder.mkdir()
    save_pasts(folder, names, pasts)
    found = list(system.predict(folder, variant))
    assert [one.pop("id") for one in found] == names
    return found


def alike(one: Prediction, other: Prediction) -> None:
    assert one.keys() == other.keys() and one.get("method") == other.get("method")
    for name in one.keys() - {"method"}:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-9)


@pytest.mark.fuzz
@pytest.mark.parametrize("key", KEYS)
def test_no_answer_depends_on_its_company(key: str, tmp_path: Path) -> None:
    frequency = "Monthly" if key.startswith("monthly") else "Yearly"
    features = twin(tmp_path, frequency, series=10)
    system = fitted("params.yaml", key, features, tmp_path / "work")
    own = [np.array(past) for past in load_pasts(features.test)][:3]
    others = [1e3 * own[0], own[1][:9] ** 2, 1e-6 * own[2][-20:]]
    pasts = [*own, *others]
    generator = np.random.default_rng(1)
    for number, variant in enumerate((system.settings.variants or {"": None}).values()):
        alone = [ask(system, variant, ["x"], [past], tmp_path / f"{number}-{place}")[0]
                 for place, past in enumerate(pasts)]
        whole = list(system.predict(features.test, variant))
        for one, all_together in zip(alone[: len(own)], whole, strict=False):
            alike(one, {name: values for name, values in all_together.items() if name != "id"})
        for trial in range(trials(1, 20)):
            chosen = generator.permutation([*range(len(pasts))] * 2)[: generator.integers(4, 8)]
            beside = [generator.uniform(1, 9, generator.integers(5, 90)) for _ in range(2)]
            found = ask(system, variant, [f"s{place}" for place in range(len(chosen) + 2)],
                        [*(pasts[place] for place in chosen), *beside],
                        tmp_path / f"{number}-{trial}-all")
            for place, one in zip(chosen, found, strict=False):
                alike(one, alone[place])
