"""Claims: what trainings say about each, and which row decides."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.results.boards import Claim, Measured
from pipeline.results.claims import deciding, judge_all, measure, read_claims, restated_all
from pipeline.results.trainings import Trainings
from pipeline.results.verdicts import conclude
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.files import write_json
from pipeline.suite.schema import Suite
from tests.toy_suite import toy_suite, write_results

SERIES = 24
GENERATOR = np.random.default_rng(7)
HARD = GENERATOR.normal(10, 3, SERIES)
OWN = GENERATOR.normal(0, 0.2, (3, 5, SERIES))
SEEDS = np.array([-0.3, 0.1, 0.2, -0.1, 0.1])
Row = tuple[str, Sequence[ItemStatistics], bool]


def errors(values: np.ndarray, clusters: int = SERIES) -> ItemStatistics:
    count = len(values)
    return ItemStatistics([f"Y{i}" for i in range(count)], {
        "smape": values, "mase": np.ones(count), "naive2_smape": np.full(count, 10.0),
        "naive2_mase": np.ones(count), "series": np.ones(count)},
        [f"c{i % clusters}" for i in range(count)])


def net(number: int, worse: float, seeds: int = 5, clusters: int = SERIES) -> Row:
    """A network that is `worse` by so much sMAPE, with luck of seeds and of items."""
    return f"net{number}", [errors(HARD + worse + SEEDS[seed] + OWN[number, seed], clusters)
                            for seed in range(seeds)], False


def counts(worse: float, clusters: int = SERIES) -> Row:
    return "counts", [errors(HARD + worse, clusters)], True


def reader(rows: Mapping[str, Row]) -> Callable[[Suite, str, str], Trainings]:
    def read(suite: Suite, track: str, row: str) -> Trainings:
        system, statistics, deterministic = rows[row]
        return Trainings(row, system, range(len(statistics)), statistics, deterministic)

    return read


def judged(rows: Mapping[str, Row], tmp_path: Path, claims: Sequence[dict[str, Any]] = (),
           **claim: Any) -> list[Claim]:
    """Claims about rows of the toy suite (network, smooth:ses, smooth:holt) as these came out."""
    first = toy_suite().model_dump()["claims"][0] | claim
    suite = toy_suite(tmp_path, claims=[first, *(first | {"id": f"more-{number}"} | more
                                                 for number, more in enumerate(claims))])
    found = conclude(suite, measure(suite, reader(rows)))
    assert found == restated_all(suite, found)
    return found


def test_a_claim_that_beats_each_row_holds_by_the_one_beaten_with_least_certainty(
        tmp_path: Path) -> None:
    rows = {"network": net(0, 0.0), "smooth:ses": net(1, 9.0), "smooth:holt": net(2, 6.0)}
    [claim] = judged(rows, tmp_path)
    assert (claim["verdict"], claim["worse"]) == ("holds", "smooth:holt")
    values = claim["values"]
    assert set(values) == set(rows)
    assert values["network"] == pytest.approx(HARD.mean() + OWN[0].mean())
    assert claim["effect"] == pytest.approx(values["smooth:holt"] - values["network"])
    assert claim["low"] is not None and claim["high"] is not None
    assert 0 < claim["low"] < claim["effect"] < claim["high"]
    assert claim["p"] == claim["p_adjusted"] and claim["p"] is not None and claim["p"] < 1e-3
    assert (claim["seeds"], claim["clusters"], claim["wins"]) == (5, SERIES, 1.0)
    assert "`smooth:holt` is beaten with the least certainty" in claim["reason"]


def test_a_claim_that_fails_against_one_row_does_not_hold(tmp_path: Path) -> None:
    [claim] = judged({"network": net(0, 0.0), "smooth:ses": net(1, 9.0),
                      "smooth:holt": net(2, 0.05)}, tmp_path)
    assert (claim["verdict"], claim["worse"]) == ("undecided", "smooth:holt")
    assert claim["reason"].startswith("Seeds and test items alone can make such a difference. One ")
    assert claim["detectable"] is not None and claim["detectable"] > abs(claim["effect"])


def test_one_row_that_is_better_refutes_whatever_the_others_do(tmp_path: Path) -> None:
    [claim] = judged({"network": net(0, 0.0), "smooth:ses": net(1, 9.0),
                      "smooth:holt": counts(-6.0)}, tmp_path)
    assert (claim["verdict"], claim["worse"], claim["seeds"]) == ("refuted", "smooth:holt", 5)
    assert claim["effect"] < 0 and claim["wins"] == 0.0
    assert "`smooth:holt` is better" in claim["reason"]


@pytest.mark.parametrize(("effects", "expected"), [
    ({"a": (1.0, 0.01), "b": (2.0, 0.04)}, ("b", 0.04)),
    ({"a": (1.0, 0.01), "b": (0.0, 1.0)}, ("b", 1.0)),
    ({"a": (1.0, 0.001), "b": (-1.0, 0.3), "c": (-1.0, 0.2)}, ("c", pytest.approx(0.6))),
    ({"a": (-1.0, 0.6), "b": (1.0, 0.01)}, ("a", 1.0)),
    ({"a": (5.0, 1.0), "b": (4.0, 1.0)}, ("b", 1.0)),
    ({"a": (-4.0, 1.0), "b": (-5.0, 1.0)}, ("b", 1.0))])
def test_which_row_decides(effects: dict[str, tuple[float, float]],
                           expected: tuple[str, float]) -> None:
    assert deciding(effects) == expected


def test_one_seed_that_fails_does_not_refute_a_claim(tmp_path: Path) -> None:
    """81, 98.3 and 100 right against thrice 100: the luck of one seed, 19 points by that seed."""
    wrong = [19.0, 1.7, 0.0]
    failed = ("lstm", [errors(HARD + share) for share in wrong], False)
    others = ("elman", [errors(HARD) for _ in wrong], False)
    [claim] = judged({"network": failed, "smooth:ses": others}, tmp_path, worse=["smooth:ses"])
    assert claim["effect"] == pytest.approx(-6.9)
    assert (claim["verdict"], claim["seeds"]) == ("undecided", 3)


def test_one_training_decides_nothing_but_is_shown(tmp_path: Path) -> None:
    rows = {"network": net(0, 0.0, seeds=1), "smooth:ses": net(1, 9.0), "smooth:holt": counts(9.0)}
    alone, tested = judged(rows, tmp_path, [{"better": "smooth:ses", "worse": ["smooth:holt"]}])
    assert (alone["verdict"], alone["seeds"], alone["p_adjusted"]) == ("one training", 1, None)
    assert alone["detectable"] is None and alone["low"] is not None and alone["low"] > 0
    assert alone["p"] is not None and alone["p"] < 1e-6
    assert "trained from one seed only" in alone["reason"]
    # It has no part in Holm's family, so the other claim is tested as if it stood alone.
    assert tested["p_adjusted"] == tested["p"] is not None


def test_one_training_of_any_named_row_is_enough_to_decide_nothing(tmp_path: Path) -> None:
    """The row that decides was trained five times; the other one could as well have been lucky."""
    [claim] = judged({"network": net(0, 0.0), "smooth:ses": net(1, 9.0, seeds=1),
                      "smooth:holt": net(2, 6.0)}, tmp_path)
    assert (claim["worse"], claim["seeds"]) == ("smooth:holt", 1)
    assert (claim["verdict"], claim["p_adjusted"]) == ("one training", None)


def test_fewer_than_five_clusters_decide_nothing(tmp_path: Path) -> None:
    [claim] = judged({"network": net(0, 0.0, clusters=4), "smooth:ses": counts(9.0, 4),
                      "smooth:holt": net(1, 9.0, clusters=4)}, tmp_path)
    assert (claim["verdict"], claim["clusters"]) == ("undecided", 4)
    assert [claim[key] for key in ("low", "high", "p", "p_adjusted", "detectable")] == [None] * 5
    assert claim["reason"].startswith("Only 4 independent groups of test items")


def test_claims_are_tested_together(tmp_path: Path) -> None:
    """p values of 1 %, 2 % and 90 % become 3 %, 4 % and 90 % (Holm, by hand)."""
    suite = toy_suite(tmp_path, claims=[toy_suite().model_dump()["claims"][0] | {
        "id": name, "worse": ["smooth:ses"]} for name in ("a", "b", "c")])
    measured: dict[str, Measured] = {name: {
        "worse": "smooth:ses", "values": {}, "effect": effect, "low": 0.0, "high": 2.0, "p": p,
        "seeds": 5, "clusters": 9, "wins": 1.0, "detectable": 3.0}
        for name, effect, p in (("a", 1.0, 0.02), ("b", -1.0, 0.01), ("c", 1.0, 0.9))}
    found = conclude(suite, measured)
    assert [claim["p_adjusted"] for claim in found] == pytest.approx([0.04, 0.03, 0.9])
    assert [claim["verdict"] for claim in found] == ["holds", "refuted", "undecided"]
    measured["c"]["p"] = 0.03
    measured["a"]["p"] = 0.04
    found = conclude(suite, measured)
    assert [claim["verdict"] for claim in found] == ["undecided", "refuted", "undecided"]
    assert found[0]["reason"].startswith("Alone that would count (p = 0.040); among 3 claims it "
                                         "does not.")


def test_a_contrast_compares_differences(tmp_path: Path) -> None:
    """The network beats one row by 9, and is beaten by 3 in the contrast: 12 in all."""
    rows = {"network": net(0, 0.0), "smooth:ses": net(1, 9.0), "smooth:holt": counts(3.0)}
    [claim] = judged(rows, tmp_path, worse=["smooth:ses"],
                     contrast={"better": "smooth:holt", "worse": "network"})
    assert claim["contrast"] == {"better": "smooth:holt", "worse": "network"}
    values = claim["values"]
    assert claim["effect"] == pytest.approx(
        (values["smooth:ses"] - values["network"]) - (values["network"] - values["smooth:holt"]))
    assert claim["verdict"] == "holds"


def test_answers_of_the_same_networks_are_compared_within_each_training(tmp_path: Path) -> None:
    """Seeds move both by far more than they differ."""
    luck = 30 * SEEDS
    beam, greedy = ([errors(HARD + luck[seed] + worse + OWN[0, seed] / 10) for seed in range(5)]
                    for worse in (0.0, 0.5))
    for names, expected in ((("net", "net"), "holds"), (("net", "other"), "undecided")):
        rows = {"network": (names[0], beam, False), "smooth:ses": (names[1], greedy, False)}
        [claim] = judged(rows, tmp_path, worse=["smooth:ses"])
        assert claim["verdict"] == expected


def test_the_same_answers_are_said_to_be_the_same(tmp_path: Path) -> None:
    [claim] = judged({"network": counts(0.0)}, tmp_path, worse=["network"])
    assert (claim["p"], claim["verdict"], claim["wins"]) == (1.0, "undecided", 0.5)
    assert claim["reason"].startswith("Both sides have the same score")


def test_what_is_no_measurement_is_made_anew(tmp_path: Path) -> None:
    rows = {"network": net(0, 0.0), "smooth:ses": counts(9.0), "smooth:holt": counts(9.0)}
    [claim] = judged(rows, tmp_path)
    forged: Claim = {**claim, "verdict": "refuted", "reason": "no", "text": "no", "p_adjusted": 1.0,
                     "lecture": "no"}
    assert restated_all(toy_suite(tmp_path), [forged]) == [claim]


def test_rows_are_read_from_the_suites_files(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    [claim] = judge_all(suite)
    assert claim["values"] == {"network": 5.0, "smooth:ses": 10.0, "smooth:holt": 9.0}
    assert (claim["effect"], claim["seeds"], claim["clusters"]) == (4.0, 1, 4)
    assert claim["verdict"] == "undecided"  # four series are too few


def test_a_claim_about_a_metric_that_a_row_lacks_is_an_error(tmp_path: Path) -> None:
    rows = {"network": net(0, 0.0), "smooth:ses": counts(np.nan), "smooth:holt": counts(9.0)}
    with pytest.raises(UserError, match="claim 'network-wins': row 'smooth:ses' has no smape"):
        judged(rows, tmp_path)


def test_statistics_of_other_items_are_an_error(tmp_path: Path) -> None:
    other = ("counts", [errors(HARD[:-1])], True)
    rows = {"network": net(0, 0.0), "smooth:ses": counts(9.0), "smooth:holt": other}
    with pytest.raises(UserError, match="'network' and 'smooth:holt' have statistics of other it"):
        judged(rows, tmp_path)


def test_answers_of_the_same_networks_have_the_same_seeds(tmp_path: Path) -> None:
    rows = {"network": net(0, 0.0), "smooth:ses": net(0, 1.0, seeds=3)}
    with pytest.raises(UserError, match="'network' and 'smooth:ses' are answers of the same netw"):
        judged(rows, tmp_path, worse=["smooth:ses"])


def test_missing_item_statistics_name_the_command_that_makes_them(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    suite.places.items("yearly", "network", "").unlink()
    with pytest.raises(UserError, match="dvc repro evaluate@network"):
        judge_all(suite)


def test_a_claims_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    write_json(suite.places.claims, [{**judge_all(suite)[0], "verdict": "perhaps"}])
    with pytest.raises(UserError, match="verdict"):
        read_claims(suite)
