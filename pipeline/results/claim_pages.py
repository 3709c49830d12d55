"""Claims for people: each told once, under the lecture that it is from, and how to read them."""

from collections.abc import Sequence

from pipeline.results.boards import Claim
from pipeline.results.leaderboard import metrics_of
from pipeline.results.markdown import decimal, probability, table
from pipeline.scoring.clusters import FEWEST_CLUSTERS
from pipeline.scoring.effects import SIGNIFICANT
from pipeline.suite.schema import ClaimSettings, Suite

_HEADER = ["claim", "verdict", "held against each other", "effect", "95 % interval", "p after Holm",
           "seeds", "groups of items", "seed pairs won", "why"]
_NUMBERS = ["effect", "95 % interval", "p after Holm", "seeds", "groups of items", "seed pairs won"]
# Of one claim and of several, in the order in which they are told.
VERDICTS = {"holds": ("holds", "hold"), "refuted": ("is refuted", "are refuted"),
         "undecided": ("is undecided", "are undecided"),
         "one training": ("rests on one training", "rest on one training")}


def claim_sections(suite: Suite, claims: Sequence[Claim]) -> list[str]:
    """A table for each lecture, and the claims that could not be judged."""
    if not suite.claims:
        return ["This suite states no claims."]
    judged = {claim["id"] for claim in claims}
    waiting = [claim for claim in suite.claims if claim.id not in judged]
    lectures = dict.fromkeys(claim["lecture"] for claim in claims)
    return [
        *([f"Sentences of the lectures, held against these leaderboards. Of {len(claims)}: "
           f"{verdicts_in_words([claim['verdict'] for claim in claims])}."] if claims else []),
        *(section for lecture in sorted(lectures, key=str.lower) for section in (
            f"### {lecture[:1].upper()}{lecture[1:]}",
            table(_HEADER, [_cells(suite, claim) for claim in claims
                            if claim["lecture"] == lecture], numbers=_NUMBERS))),
        *_not_judged(waiting)]


def verdicts_in_words(verdicts: Sequence[str]) -> str:
    """'49 hold, 1 is refuted, 62 are undecided'."""
    return ", ".join(f"{count} {words[count > 1]}" for name, words in VERDICTS.items()
                     if (count := verdicts.count(name)))


def _not_judged(waiting: Sequence[ClaimSettings]) -> list[str]:
    if not waiting:
        return []
    return ["Not judged, because a system that the claim names has not been run:",
            "\n".join(f"- {claim.text} (`{claim.track}`)" for claim in waiting)]


def _cells(suite: Suite, claim: Claim) -> list[str]:
    metric = metrics_of(suite, claim["track"])[claim["metric"]]
    p = claim["p_adjusted"]
    late = "; *stated after first results*" if claim["stated"] == "after first results" else ""
    return [
        f"{claim['text']} ({claim['source']}{late})", f"**{claim['verdict']}**",
        f"{_sides(claim, metric.decimals)}, {claim['metric']} of [{claim['track']}]"
        f"({claim['track']}.md), {metric.preference}",
        *effect_in_words(claim, metric.decimals), "–" if p is None else probability(p),
        "none needed" if claim["seeds"] is None else str(claim["seeds"]), f"{claim['clusters']:,}",
        f"{100 * claim['wins']:.0f} %", claim["reason"]]


def effect_in_words(claim: Claim, decimals: int) -> tuple[str, str]:
    """The effect and its interval, in the metric's decimals: near zero it has no digits to keep."""
    interval = ("–" if claim["low"] is None else
                f"{claim['low']:,.{decimals}f} to {claim['high']:,.{decimals}f}")
    return f"{claim['effect']:+,.{decimals}f}", interval


def _sides(claim: Claim, decimals: int) -> str:
    def pair(better: str, worse: str) -> str:
        return " and ".join(f"`{row}` {decimal(claim['values'][row], decimals)}"
                            for row in (better, worse))

    own, contrast = pair(claim["better"], claim["worse"]), claim["contrast"]
    return own if contrast is None else \
        f"{own}; against {pair(contrast['better'], contrast['worse'])}"


def how_to_read_claims(claims: Sequence[Claim]) -> list[str]:
    """What stands in the tables of claims, and what their verdicts mean."""
    if not claims:
        return []
    tested = sum(claim["p_adjusted"] is not None for claim in claims)
    return [
        "- A claim is about systems, not about one training of each: compared are the means over "
        "all trainings, which differ in nothing but their seed. The effect is how much better the "
        "first row is than the second, in the metric's unit; below zero it is worse. Where two "
        "rows stand *against* two others, it is how much more the first row gains over the second "
        "than the third over the fourth. Of a claim that names several rows, the one that decides "
        "is shown.",
        "- The interval of an effect (95 %) and its p value, two-sided, count two kinds of luck: "
        "that of the seeds, from the scores' variance over trainings, and that of the test items, "
        "from resamples of groups of items that were produced together. Both estimates may be off "
        "where seeds or groups are few, so Student's t with their degrees of freedom stands for "
        "each. A system that comes out the same from every seed needs none. Where a training "
        "either fails or succeeds, a few seeds that agree can still mislead. Where neither seeds "
        "nor resamples move an effect, its interval has no width and p is a sign test's: the "
        "chance that so many groups would all fall on one side.",
        f"- {tested} claims are tested together and their p values adjusted by Holm's method: if "
        "no two sides differed in truth, there would be about one chance in twenty, or less, that "
        "any claim is decided.",
        f"- **holds**: better than each named row, adjusted p < {SIGNIFICANT} for the row with the "
        f"largest p. **refuted**: a named row is better, p < {SIGNIFICANT} after its p is "
        "multiplied by their number and adjusted. **undecided**: neither; the smallest effect that "
        "would have been found in four of five cases is named, at the level that Holm's method "
        "asks of the claim with the smallest p.",
        "- **one training**: a network that the claim names was trained from one seed only. The "
        "effect is shown, and its interval counts test items alone where one of its two rows is "
        "that network; nothing is known of its luck, so such claims decide nothing and are not "
        "among those tested together.",
        f"- With fewer than {FEWEST_CLUSTERS} groups of test items no interval is given and "
        "nothing is decided: three speakers tell too little of other speakers.",
        *(["- *Stated after first results*: the claim was worded, or worded anew, when scores of "
           "its rows had been seen, which may have suggested it."]
          if any(claim["stated"] == "after first results" for claim in claims) else []),
        "- Seed pairs won: of all pairs of one training of each side, the share in which the first "
        "row is better; two answers of one network are compared within each training.",
    ]
