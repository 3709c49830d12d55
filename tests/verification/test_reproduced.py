"""What is held of a single system against what has been reproduced."""

from pipeline.results.leaderboard import read_result
from pipeline.suite.schema import Suite
from pipeline.verification.comparison import Findings
from pipeline.verification.reproduced import compare_system


def test_of_a_stale_row_only_scores_are_held_against_what_code_of_now_makes(
        embedded: Suite) -> None:
    committed = read_result(embedded, "network")
    reproduced = {**committed, "parameters": committed["parameters"] + 1}
    for stale, same_answers, found in ((False, False, 1), (True, True, 1), (True, False, 0)):
        findings = Findings()
        compare_system(embedded, "network", committed, reproduced, same_answers, findings, stale)
        assert len(findings.differences) == found
        assert any("network.parameters" in text and "the row is stale" in text
                   for text in findings.unchecked) == (not found)
