"""Of the points of a grid that one is taken which errs least and has room around it."""

import json

import pytest

from pipeline.tasks.asr.shared.grids import Tried, best_of
from tests.tasks.asr.weighed import pair, triple


def test_of_equally_good_pairs_that_nearest_the_middle_of_the_grid_is_taken() -> None:
    errors = {(1.0, -1.0): 5, (1.0, 0.0): 3, (1.0, 1.0): 3, (2.0, -1.0): 3, (2.0, 0.0): 4,
              (2.0, 1.0): 3, (4.0, -1.0): 3, (4.0, 0.0): 6, (4.0, 1.0): 9}
    pairs = [pair(language, word, count, 9) for (language, word), count in errors.items()]
    assert best_of(pairs) == pair(1.0, 0.0, 3, 9), "one step from the middle, and the first"
    assert best_of(pairs[4:]) == pair(2.0, 1.0, 3, 9)
    assert best_of([pair(4.0, 1.0, 2, 9), *pairs]) == pair(4.0, 1.0, 2, 9), "fewest errors"


def test_of_equally_good_triples_too() -> None:
    def grid(errors: dict[tuple[float, float, float], int]) -> list[Tried]:
        return [triple(language, word, mix, errors.get((language, word, mix), 5), 9)
                for mix in (0.0, 0.5, 1.0) for language in (1.0, 2.0, 4.0)
                for word in (-1.0, 0.0, 1.0)]

    assert best_of(grid({})) == triple(2.0, 0.0, 0.5, 5, 9)
    found = grid({(1.0, 0.0, 0.0): 3, (2.0, 0.0, 1.0): 3, (4.0, 1.0, 0.5): 3})
    assert best_of(found) == triple(2.0, 0.0, 1.0, 3, 9)
    assert best_of(grid({(1.0, -1.0, 0.0): 2, (2.0, 0.0, 0.5): 3}))["mix"] == 0.0


def test_the_middle_of_an_even_number_is_the_later_one_and_values_need_no_order() -> None:
    found = [Tried({"share": share}, 3, 9) for share in (0.9, 0.1, 0.5, 0.3)]
    assert best_of(found)["share"] == 0.5


def test_a_point_comes_back_from_json_and_the_counts_are_no_weights() -> None:
    one = triple(2.0, -1.0, 0.25, 3, 12)
    stored = json.loads(json.dumps(one.to_json(), sort_keys=True))
    assert stored == {"language": 2.0, "word": -1.0, "mix": 0.25, "errors": 3, "words": 12}
    assert Tried.from_json(stored) == one
    with pytest.raises(KeyError, match="errors"):
        Tried.from_json({"language": 2.0, "words": 12})


def test_a_rate_is_in_percent_of_the_words() -> None:
    assert (pair(1, 0, 3, 12).rate, pair(1, 0, 0, 0).rate) == (25.0, 0.0)
