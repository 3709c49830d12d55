"""What recognisers answer together, by lists worked out by hand."""

import math

import pytest

from pipeline.tasks.asr.shared.combination import Scored
from pipeline.tasks.asr.shared.votes import Voting, chosen, sure_words, together, try_all

GRID = Voting(hypotheses=10, scales=[1.0, 2.0, 50.0], frequencies=[0.0, 0.5, 1.0],
              nothings=[0.0, 0.5, 1.0])


def listed(*likely: tuple[str, float]) -> list[Scored]:
    """Hypotheses whose scores are logarithms of their probabilities."""
    return [Scored(tuple(text.split()), math.log(probability)) for text, probability in likely]


def test_a_word_is_as_sure_as_those_that_say_it_there() -> None:
    found = sure_words(listed(("A B C", 0.5), ("A X C", 0.3), ("A C", 0.2)), scale=1.0)
    assert [word.word for word in found] == ["A", "B", "C"]
    assert [word.confidence for word in found] == pytest.approx([1.0, 0.5, 1.0])


def test_a_large_scale_trusts_the_first_hypothesis() -> None:
    heard = listed(("A B", 0.6), ("A X", 0.4))
    # 0.6 ** 2 / (0.6 ** 2 + 0.4 ** 2)
    assert sure_words(heard, scale=2.0)[1].confidence == pytest.approx(0.36 / 0.52)


LISTS = [listed(("NO GO", 0.9), ("GO", 0.1)), listed(("GO", 0.6), ("NO GO", 0.4)),
         listed(("GO", 0.6), ("NO GO", 0.4))]


def test_votes_count_how_many_or_how_surely() -> None:
    counted = {"scale": 1.0, "frequency": 1.0, "nothing": 0.0}
    assert together("rover", LISTS, counted) == ("GO",)
    assert together("rover", LISTS, counted | {"frequency": 0.0}) == ("NO", "GO")


def test_lists_that_are_added_up_weigh_all_hypotheses() -> None:
    # NO GO: (0.9 + 0.4 + 0.4) / 3 = 0.57
    assert together("summed", LISTS, {"scale": 1.0}) == ("NO", "GO")
    # 0.9 ** 50 is all of its list, 0.6 ** 50 nearly all of the two others
    assert together("summed", LISTS, {"scale": 50.0}) == ("GO",)


@pytest.mark.parametrize(("way", "points"), [("rover", 27), ("summed", 3)])
def test_every_point_of_a_grid_is_tried(way: str, points: int) -> None:
    found = try_all(way, GRID, [LISTS, LISTS], ["NO GO", "NO GO"])  # type: ignore[arg-type]
    assert len(found) == points
    assert {one.words for one in found} == {4}
    wrong = {tuple(one.weights.values()) for one in found if one.errors == 2}
    assert wrong and all(one.errors in (0, 2) for one in found)
    if way == "summed":
        assert wrong == {(50.0,)}


def test_fewest_errors_decide_and_without_them_the_middle() -> None:
    tried = try_all("summed", GRID, [LISTS], ["GO"])
    assert chosen("summed", GRID, tried) == {"scale": 50.0}
    assert chosen("rover", GRID, []) == {"scale": 2.0, "frequency": 0.5, "nothing": 0.5}
