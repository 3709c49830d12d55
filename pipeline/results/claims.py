"""Claims: sentences of lectures, and what the leaderboards say about them.

A claim says that one row beats each of some others, so it is held against the best of these. The
test is a paired bootstrap over the same items: the claim holds at p < 0.05 in its own direction, is
refuted at p < 0.05 in the other, and is undecided otherwise. Items are one source of chance and
training seeds another, which the bootstrap cannot see: an effect smaller than its own spread over
seeds is undecided whatever p says. Refuted is a finding, not an error.
"""

from collections.abc import Sequence
from typing import Literal

from pipeline.errors import UserError
from pipeline.results.boards import Claim
from pipeline.results.leaderboard import metrics_of, read_result, systems_run
from pipeline.results.trainings import place_of, records_of, trainings_of
from pipeline.scoring.scores import Metric
from pipeline.scoring.significance import paired_p_values
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import ClaimSettings, Suite

Verdict = Literal["holds", "undecided", "refuted"]
SIGNIFICANT = 0.05


def judge_all(suite: Suite) -> list[Claim]:
    """Every claim with its verdict, as leaderboards/claims.json lists them.

    One that names a system which has not been run is left out; see `leaderboard.systems_run`.
    """
    return [judge(suite, claim) for claim in suite.claims
            if not _rows_not_run(suite, claim.track).intersection(
                [claim.better, *claim.worse])]


def _rows_not_run(suite: Suite, track: str) -> set[str]:
    run = systems_run(suite, track)
    return {row for key in suite.systems_of(track) if key not in run
            for row in suite.rows_of(key).values()}


def judge(suite: Suite, claim: ClaimSettings) -> Claim:
    """One claim with its verdict.

    `values` has the metric of every row that the claim names and `worse` the best of the rows that
    it is held against; `p` is one-sided, of the direction that the values show.
    """
    values, worse, effect = _standing(suite, claim)
    items, others = (trainings_of(suite, claim.track, row).statistics[0]
                     for row in (claim.better, worse))
    if items.ids != others.ids:
        raise UserError(f"claim {claim.id!r}: rows {claim.better!r} and {worse!r} have statistics "
                        "of other items; run 'dvc repro', which evaluates the older one again")
    claimed, opposite = paired_p_values(
        items, others, metrics_of(suite, claim.track)[claim.metric], suite.resamples, suite.seed)
    return restated(suite, claim, claimed if effect > 0 else opposite)


def restated(suite: Suite, claim: ClaimSettings, p: float) -> Claim:
    """The claim with its verdict, as it follows from scores, seeds and a p value that is known."""
    values, worse, effect = _standing(suite, claim)
    seed_spread = spread_of_effect(suite, claim, worse,
                                   metrics_of(suite, claim.track)[claim.metric])
    return {
        "id": claim.id, "track": claim.track, "text": claim.text, "source": claim.source,
        "better": claim.better, "worse": worse, "metric": claim.metric, "values": values,
        "p": p, "seed_spread": seed_spread, "verdict": verdict(effect, p, seed_spread),
    }


def restated_all(suite: Suite, judged: Sequence[Claim]) -> list[Claim]:
    """The claims that are judged, made anew but for their p values, in the suite's order.

    What nobody has judged is left out, and so is a claim that the suite does not state.
    """
    p = {claim["id"]: claim["p"] for claim in judged}
    return [restated(suite, claim, p[claim.id]) for claim in suite.claims if claim.id in p]


def read_claims(suite: Suite) -> list[Claim]:
    """The claims as they were judged. Raises UserError for a file of another shape."""
    return read_shaped(suite.places.claims, list[Claim])


def _standing(suite: Suite, claim: ClaimSettings) -> tuple[dict[str, float], str, float]:
    """The rows' values, the best of those compared with, and the effect as the claim has it."""
    metric = metrics_of(suite, claim.track)[claim.metric]
    values = {row: _value(suite, claim, row) for row in [claim.better, *claim.worse]}
    worse = max(claim.worse, key=lambda row: metric.gain(values[row], 0.0))
    return values, worse, metric.gain(values[claim.better], values[worse])


def verdict(effect: float, p: float, seed_spread: float | None) -> Verdict:
    """What an effect (positive as claimed) with its one-sided p value says about the claim."""
    if p >= SIGNIFICANT or effect == 0:
        return "undecided"
    if seed_spread is not None and abs(effect) < seed_spread:
        return "undecided"
    return "holds" if effect > 0 else "refuted"


def spread_of_effect(suite: Suite, claim: ClaimSettings, worse: str,
                     metric: Metric) -> float | None:
    """Largest minus smallest effect over the training seeds; None where it was not measured.

    Effects are taken seed by seed, so two answers of one trained system (greedy and beam search)
    are compared within each training, as the claim compares them.
    """
    ours, theirs = (records_of(suite, claim.track, row) for row in (claim.better, worse))
    effects = [metric.gain(ours[seed]["scores"][claim.metric], theirs[seed]["scores"][claim.metric])
               for seed in ours if seed in theirs]
    return max(effects) - min(effects) if len(effects) > 1 else None


def _value(suite: Suite, claim: ClaimSettings, row: str) -> float:
    key, variant = place_of(suite, claim.track, row)
    metrics = read_result(suite, key)["variants"][variant]["metrics"]
    if claim.metric not in metrics:
        raise UserError(f"claim {claim.id!r}: row {row!r} has no {claim.metric}, because its test "
                        "set has no items for it; name another metric in params.yaml")
    return metrics[claim.metric]["value"]
