"""Schedules of teacher forcing against values worked by hand, and what is no probability."""

import math

import pytest
from pydantic import ValidationError

from pipeline.tasks.translation.shared.schedule import ALWAYS, TruthSchedule


def schedule(kind: str, start: float, slope: float = 0.0, least: float = 0.0) -> TruthSchedule:
    return TruthSchedule.model_validate(
        {"kind": kind, "start": start, "slope": slope, "least": least})


def test_probabilities_by_hand():
    linear = schedule("linear", 0.9, slope=0.2, least=0.25)
    assert [linear.probability(i) for i in (0, 1, 2.5, 4)] == pytest.approx([0.9, 0.7, 0.4, 0.25])
    exponential = schedule("exponential", 0.5, least=0.1)
    assert [exponential.probability(i) for i in (0, 1, 3, 9)] == pytest.approx([1, 0.5, 0.125, 0.1])
    sigmoid = schedule("inverse-sigmoid", 2.0)
    assert sigmoid.probability(0) == pytest.approx(2 / 3)
    assert sigmoid.probability(2 * math.log(2)) == pytest.approx(0.5)
    assert sigmoid.probability(1e6) == pytest.approx(0)


def test_the_default_is_teacher_forcing():
    assert {ALWAYS.probability(epochs) for epochs in (0, 0.5, 1000)} == {1.0}


@pytest.mark.parametrize(("options", "message"), [
    (("linear", 1.5), "at most 1"), (("exponential", 1.2), "at most 1"),
    (("inverse-sigmoid", 0.5), "at least 1"), (("exponential", 0.5, 0.1), "slope belongs"),
    (("linear", 1.0, 0.1, 1.1), "least"), (("linear", 0.0), "start"), (("cosine", 1.0), "kind")])
def test_what_is_no_schedule_is_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        schedule(*options)
