"""The picture of mixes shows what was tried, and which was chosen."""

from pipeline.tasks.asr.shared.rescoring_pictures import Mixes, mixes
from tests.tasks.asr.weighed import triple

# Two weights by three mixes, of 20 words.
TRIALS = [triple(language, 0.0, mix, errors, 20) for mix, row in
          ((0.5, (3, 1)), (0.0, (6, 4)), (1.0, (2, 5)))
          for language, errors in zip((1.0, 2.0), row, strict=True)]


def test_rates_are_of_the_chosen_weights_and_of_all() -> None:
    found = Mixes.of(TRIALS)
    assert found.best == triple(2.0, 0.0, 0.5, 1, 20)
    assert found.mixes == [0.0, 0.5, 1.0]
    assert found.chosen == [20, 5, 25]
    assert (found.least, found.most) == ([20, 5, 10], [30, 15, 25])


def test_each_language_model_has_its_curve_and_the_chosen_mix_a_ring() -> None:
    one, other = mixes({"bigram and recurrent": TRIALS, "uniform and recurrent": TRIALS[:2]},
                       "row").axes
    curve, ring = one.lines
    assert curve.get_xydata().tolist() == [[0, 20], [0.5, 5], [1, 25]]  # type: ignore[union-attr]
    assert ring.get_xydata().tolist() == [[0.5, 5]]  # type: ignore[union-attr]
    assert [one.get_title(), other.get_title()] == ["bigram and recurrent",
                                                    "uniform and recurrent"]
    assert other.get_xlim()[0] <= 0.5 <= other.get_xlim()[1]


def test_a_set_without_words_has_no_errors_in_percent() -> None:
    assert Mixes.of([triple(1.0, 0.0, 0.5, 0, 0)]).chosen == [0]
