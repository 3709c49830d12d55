"""What a study says of recognisers is what was tried on validation utterances."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from statsmodels.stats.proportion import proportion_confint

from pipeline.hmm.phones import Monophones, Topology
from pipeline.systems.base import System
from pipeline.tasks.asr.shared.grids import Tried
from pipeline.tasks.asr.validation import interval, validated
from tests.tasks.asr.weighed import pair

TIED = Monophones.of(Topology.of(["AA", "N"], states=2, silence_states=1))


def system(tried: dict[str, list[Tried]]) -> Any:
    return cast(System, SimpleNamespace(vocabulary=SimpleNamespace(tried=tried),
                                        known=lambda: TIED, test_scores=lambda: None))


def test_scores_are_those_of_the_pair_that_was_chosen() -> None:
    found = validated(system({
        "bigram": [pair(1.0, 0.0, 9, 40), pair(2.0, 0.0, 3, 40), pair(4.0, 0.0, 5, 40)],
        "uniform": [pair(1.0, 0.0, 50, 40)]}))
    assert found is not None
    assert {name: score["value"] for name, score in found.scores.items()} == {
        "bigram": 7.5, "uniform": 125.0}
    assert found.counts == {"tied states": 5, "errors, bigram": 3, "errors, uniform": 50,
                            "words": 40}
    assert (found.scores["bigram"]["low"], found.scores["bigram"]["high"]) == interval(3, 40)


@pytest.mark.parametrize("errors, words", [(0, 534), (1, 534), (15, 534), (20, 20)])
def test_intervals_are_wilsons(errors: int, words: int) -> None:
    low, high = proportion_confint(errors, words, method="wilson")
    assert interval(errors, words) == pytest.approx((100 * low, 100 * high), abs=1e-4)
    assert interval(0, 0) == (0, 100)


def test_a_system_without_dictionary_or_without_words_has_its_loss_alone() -> None:
    assert validated(system({})) is None
    assert validated(cast(System, SimpleNamespace())) is None
