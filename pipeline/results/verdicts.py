"""Verdicts: what a claim's measured effect says about it, and why, in one place.

All claims of a suite are tested together, so p values are adjusted by Holm's method: of suites in
which no two sides differ, about one in twenty decides something. Outside that family stand claims
that cannot be tested: those with fewer than five clusters of test items, and those that name a
network which was trained once. A verdict follows from what is stored of a claim, so whoever reads
claims.json can derive it again.
"""

from collections.abc import Mapping
from typing import Literal

from pipeline.results.boards import Claim, Measured
from pipeline.results.leaderboard import metrics_of
from pipeline.results.markdown import decimal, probability
from pipeline.scoring.clusters import FEWEST_CLUSTERS
from pipeline.scoring.effects import SIGNIFICANT, holm
from pipeline.suite.schema import ClaimSettings, Suite

Verdict = Literal["holds", "undecided", "refuted", "one training"]


def conclude(suite: Suite, measured: Mapping[str, Measured]) -> list[Claim]:
    """The claims that were measured, by id, with their verdicts, in the suite's order."""
    stated = [claim for claim in suite.claims if claim.id in measured]
    tested = {claim.id: p for claim in stated
              if (p := _tested(measured[claim.id])) is not None}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    return [_concluded(suite, claim, measured[claim.id], adjusted.get(claim.id), len(adjusted))
            for claim in stated]


def verdict(effect: float, p: float | None, p_adjusted: float | None) -> Verdict:
    """What an effect (positive as claimed) says; without `p_adjusted` the claim was not tested."""
    if p_adjusted is None:
        return "undecided" if p is None else "one training"
    if p_adjusted >= SIGNIFICANT:
        return "undecided"
    return "holds" if effect > 0 else "refuted"


def _tested(measured: Measured) -> float | None:
    """The p value with which a claim takes part in Holm's family; None where it does not."""
    return None if measured["seeds"] == 1 else measured["p"]


def _concluded(suite: Suite, claim: ClaimSettings, measured: Measured, p_adjusted: float | None,
               family: int) -> Claim:
    found = verdict(measured["effect"], measured["p"], p_adjusted)
    contrast = claim.contrast
    return {
        "id": claim.id, "track": claim.track, "text": claim.text, "source": claim.source,
        "lecture": claim.lecture, "stated": claim.stated, "better": claim.better,
        "worse": measured["worse"], "metric": claim.metric,
        "contrast": {"better": contrast.better, "worse": contrast.worse} if contrast else None,
        "values": measured["values"], "effect": measured["effect"], "low": measured["low"],
        "high": measured["high"], "p": measured["p"], "p_adjusted": p_adjusted,
        "seeds": measured["seeds"], "clusters": measured["clusters"], "wins": measured["wins"],
        "detectable": measured["detectable"], "verdict": found,
        "reason": _reason(suite, claim, measured, found, family)}


def _reason(suite: Suite, claim: ClaimSettings, measured: Measured, found: Verdict,
            family: int) -> str:
    if found == "one training":
        return ("A network that it names was trained from one seed only, and how far others would "
                "move it is not known.")
    if measured["clusters"] < FEWEST_CLUSTERS:
        return (f"Only {measured['clusters']} independent groups of test items are about it; with "
                f"fewer than {FEWEST_CLUSTERS} no error can be estimated.")
    if measured["p"] is None:
        return (f"Too many resamples of the test items have no {claim.metric}, so no error can be "
                "estimated.")
    if found == "holds":
        return _why_it_holds(claim, measured["worse"])
    if found == "refuted":
        return ("It is the other way round, by more than seeds and test items explain"
                + (f": `{measured['worse']}` is better." if claim.contrast is None else "."))
    return _why_undecided(suite, claim, measured, family)


def _why_it_holds(claim: ClaimSettings, worse: str) -> str:
    if len(claim.worse) == 1:
        return "Seeds and test items do not explain such a difference."
    return (f"Of the {len(claim.worse)} rows that it has to beat, `{worse}` is beaten with the "
            "least certainty, and seeds and test items do not explain that difference either.")


def _why_undecided(suite: Suite, claim: ClaimSettings, measured: Measured, family: int) -> str:
    if measured["effect"] == 0 and measured["detectable"] is None:
        return "Both sides have the same score, whichever items are drawn."
    p, size = measured["p"], measured["detectable"]
    if p is not None and p < SIGNIFICANT:
        text = f"Alone that would count ({probability(p)}); among {family} claims it does not."
    else:
        text = "Seeds and test items alone can make such a difference."
    if size is None:
        return text
    decimals = metrics_of(suite, claim.track)[claim.metric].decimals
    return f"{text} One of {decimal(size, decimals)} would have been found in four of five cases."
