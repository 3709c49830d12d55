"""What counts as reproduced."""

import pytest

from pipeline.results.boards import Claim
from pipeline.results.verdicts import Verdict
from pipeline.verification.comparison import (
    Findings,
    bounds_of,
    claim_differences,
    json_differences,
    lacking_scores,
    moved_scores,
    unmeasured,
    unsettled,
)

LSTM = {"perplexity": 90.0, "loss": 4.5}
COMMITTED = {"lstm": LSTM, "ngram": {"perplexity": 141.2}}


def scores(**changes: float) -> dict[str, dict[str, float]]:
    return {"lstm": COMMITTED["lstm"] | changes, "ngram": COMMITTED["ngram"]}


def allowed(**tolerances: float) -> dict[str, dict[str, float]]:
    return {"lstm": tolerances}


def test_equal_scores_do_not_differ_whatever_the_tolerance() -> None:
    assert moved_scores(LSTM, LSTM, {"perplexity": 0.0, "loss": 0.0}) == {}


@pytest.mark.parametrize("value", [90.5, 89.5])
def test_a_score_may_move_within_its_tolerance_and_no_further(value: float) -> None:
    moved = LSTM | {"perplexity": value}
    assert moved_scores(LSTM, moved, {"perplexity": 0.5}) == {}
    assert moved_scores(LSTM, moved, {"perplexity": 0.4, "loss": 0.0}) == {
        "perplexity": f"perplexity is 90 as committed and {value:g} as reproduced; they are 0.5 "
                      "apart, tolerance 0.4"}


def test_a_score_that_is_no_number_has_moved() -> None:
    assert moved_scores(LSTM, LSTM | {"perplexity": float("nan")}, {"perplexity": 1e9})


def test_rows_and_scores_of_one_side_alone_are_differences() -> None:
    other = {"lstm": {"perplexity": 90.0, "wer": 1.0}, "gru": {"perplexity": 1.0}}
    assert lacking_scores(COMMITTED, other) == [
        "row 'ngram' is committed but was not reproduced",
        "row 'gru' was reproduced but is not committed",
        "row 'lstm': score 'loss' is committed but was not reproduced",
        "row 'lstm': score 'wer' was reproduced but is not committed"]


@pytest.mark.parametrize(("expected", "most"), [
    (0.0, 0), (0.01, 0), (0.1, 1), (2.0, 6)])
def test_as_many_scores_may_lie_outside_as_chance_puts_there(expected: float, most: int) -> None:
    """In 99 of 100 cases, by Poisson's table: of 2 expected, 6 or fewer in 99.5 %, 5 in 98.3 %."""
    for count in range(most + 3):
        findings = Findings(outside=[f"row {number}" for number in range(count)],
                            expected=expected)
        findings.settle()
        assert len(findings.differences) == (count + 1 if count > most else 0)
        assert len(findings.unchecked) == (0 if count > most else count)
        assert findings.outside == [] and findings.expected == 0.0


def test_a_row_without_tolerance_that_has_moved_is_named() -> None:
    moved = scores(loss=99.0)
    assert moved_scores(LSTM, moved["lstm"], {}) == {}
    assert unmeasured(COMMITTED, moved, {}) == ["lstm"]
    assert unmeasured(COMMITTED, moved, allowed(perplexity=1.0)) == ["lstm"]
    assert unmeasured(COMMITTED, COMMITTED, {}) == []
    assert unmeasured(COMMITTED, moved, allowed(perplexity=1.0, loss=1.0)) == []


def test_json_is_compared_to_nine_digits_with_the_place_named() -> None:
    committed = {"rows": [{"value": 1.0, "system": "a"}, {"value": 2.0, "system": "b"}]}
    assert list(json_differences(committed, {"rows": [
        {"value": 1.0 + 1e-10, "system": "a"}, {"value": 2.0, "system": "b"}]}, "x")) == []
    assert list(json_differences(committed, {"rows": [
        {"value": 1.0 + 1e-8, "system": "a"}, {"value": 2.0, "system": "c"}]}, "x")) == [
        "x.rows[0].value: 1.0 is committed, 1.00000001 found",
        "x.rows[1].system: 'b' is committed, 'c' found"]


@pytest.mark.parametrize(("committed", "found", "text"), [
    ({"a": 1}, {}, "x: key 'a' is committed but was not reproduced"),
    ([1, 2], [1], "x: 2 entries are committed, 1 found"),
    ([], None, "x: [] is committed, None found"),
    (None, 0.0, "x: None is committed, 0.0 found"),
    ("1", 1, "x: '1' is committed, 1 found"),
])
def test_json_of_another_shape(committed: object, found: object, text: str) -> None:
    assert list(json_differences(committed, found, "x")) == [text]


def claims(**verdicts: Verdict) -> list[Claim]:
    return [{
        "id": name, "track": "t", "text": "", "source": "", "lecture": "",
        "stated": "before results", "better": "net", "worse": "count", "metric": "wer",
        "contrast": None, "values": {"net": 1.0, "count": 2.0}, "effect": 1.0, "low": 0.5,
        "high": 1.5, "p": 0.01, "p_adjusted": 0.02, "seeds": 5, "clusters": 40, "wins": 1.0,
        "detectable": 2.0, "verdict": verdict, "reason": ""}
        for name, verdict in verdicts.items()]


def test_a_verdict_turned_into_its_opposite_is_a_difference_and_the_edge_is_named() -> None:
    committed = claims(a="holds", b="holds", c="refuted", d="holds", f="one training",
                       g="undecided")
    again = claims(a="refuted", b="undecided", c="refuted", e="holds", f="undecided", g="refuted")
    assert claim_differences(committed, again) == [
        "claim 'd' is committed but was not reproduced",
        "claim 'e' was reproduced but is not committed",
        "claim 'a' holds as committed and refuted as reproduced",
        "claim 'f' one training as committed and undecided as reproduced"]
    assert unsettled(committed, again) == [
        "claim 'b' is at the edge: holds as committed, undecided as reproduced",
        "claim 'g' is at the edge: undecided as committed, refuted as reproduced"]


def test_of_rows_that_answered_the_same_a_claim_is_the_same() -> None:
    committed, again = claims(a="holds"), claims(a="holds")
    again[0]["effect"], again[0]["p_adjusted"] = 1.1, 0.03
    assert claim_differences(committed, again, ["net"]) == []
    assert claim_differences(committed, again, ["net", "count"]) == [
        "claim 'a'.effect: 1.0 is committed, 1.1 found"]


def test_what_could_be_detected_is_compared_where_as_many_claims_were_tested() -> None:
    committed, again = claims(a="holds", b="holds"), claims(a="holds", b="holds")
    again[0]["detectable"] = 1.5
    assert claim_differences(committed, again, ["net", "count"]) == [
        "claim 'a'.detectable: 2.0 is committed, 1.5 found"]
    again[1]["p_adjusted"] = None
    assert claim_differences(committed, again, ["net", "count"]) == []


def test_an_interval_that_one_side_lacks_is_a_difference() -> None:
    few = bounds_of({"wer": {"value": 9.0, "low": None, "high": None}})
    many = bounds_of({"wer": {"value": 9.0, "low": 8.0, "high": 10.0}})
    assert (few, many) == ({}, {"wer, low bound": 8.0, "wer, high bound": 10.0})
    assert lacking_scores({"a": many}, {"a": few}) == [
        "row 'a': score 'wer, high bound' is committed but was not reproduced",
        "row 'a': score 'wer, low bound' is committed but was not reproduced"]


def test_findings_end_with_one_line_of_counts() -> None:
    findings = Findings()
    findings.note("scores", [], 12)
    findings.note("floors", [], 2)
    assert findings.text() == ("VERIFIED: compared 12 scores, 2 floors; 0 differences, 0 things "
                               "not checked")
    findings.note("scores", ["a differs"], 1)
    findings.unchecked.append("large")
    assert findings.text().splitlines() == [
        "NOT CHECKED (1):", "  - large", "", "DIFFERENT (1):", "  - a differs", "",
        "FAILED: compared 13 scores, 2 floors; 1 differences, 1 things not checked"]
    assert Findings().text().startswith("VERIFIED: compared nothing")
