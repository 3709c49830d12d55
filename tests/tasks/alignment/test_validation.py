"""What a study of guesses compares: boundaries of the epoch whose weights are kept."""

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.tasks.alignment.systems.given import Given
from pipeline.tasks.alignment.systems.guessed import Guessed
from pipeline.tasks.alignment.validation import validated


def guessed(*rounds: tuple[float, float | None]) -> Guessed:
    """A system whose epochs had these divergences and shares within 20 ms."""
    system = Guessed.__new__(Guessed)
    object.__setattr__(system, "rounds", [
        {"epoch": number, "round": 0, "divergence": divergence, "median_ms": None,
         "within_20": share} for number, (divergence, share) in enumerate(rounds, start=1)])
    return system


def test_the_epoch_of_the_lowest_divergence_counts_and_not_the_best_one() -> None:
    found = validated(guessed((2.0, 10.0), (0.5, 60.0), (0.7, 90.0)))
    assert found is not None
    assert found.scores["constrained"]["value"] == pytest.approx(40.0)
    assert found.counts == {"epoch": 2}


@pytest.mark.parametrize("system", [guessed(), guessed((1.0, None)), Given.__new__(Given),
                                    SimpleNamespace(rounds=[{"divergence": 1.0}])])
def test_without_known_times_there_is_nothing_to_compare(system: Any) -> None:
    assert validated(system) is None
