"""Errors of rounds counted by hand."""

import numpy as np
import pytest

from pipeline.tasks.alignment.shared.rounds import Round


def test_boundaries_are_counted_without_the_beginning() -> None:
    found = Round(total=6.0, frames=4.0)
    # Errors of 0, 2, 3 and 9 frames; the times of the second utterance nobody knows.
    found.add([np.array([0, 5, 12, 20, 31]), np.array([0, 7])],
              [np.array([0, 5, 10, 23, 40]), None])
    json = found.told(0.01)
    assert json["divergence"] == 1.5 and json["within_20"] == 50.0
    # The middle lies where the bin of 2 frames ends.
    assert json["median_ms"] == pytest.approx(25.0)


def test_without_known_times_there_is_no_error() -> None:
    found = Round(total=1.0, frames=2.0)
    found.add([np.array([0, 5])], [None])
    assert found.told(0.01) == {"divergence": 0.5, "median_ms": None, "within_20": None}


def test_half_of_the_errors_of_none_are_below_a_quarter_frame() -> None:
    found = Round()
    found.add([np.array([0, 5, 9])], [np.array([0, 5, 9])])
    assert found.told(0.01)["median_ms"] == pytest.approx(2.5)


def test_a_checkpoint_keeps_a_round() -> None:
    found = Round(total=6.5, frames=4.0)
    found.add([np.array([0, 5, 400])], [np.array([0, 6, 9])])
    again = Round.from_row(found.to_row())
    assert again.told(0.01) == found.told(0.01)
    assert again.errors.tolist() == found.errors.tolist()
