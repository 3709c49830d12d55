"""Hold what a verification reproduced of a track or a system against what is committed."""

from collections.abc import Mapping, Sequence

from pipeline.scoring.records import Result
from pipeline.scoring.scores import ItemStatistics
from pipeline.suite.schema import Suite
from pipeline.verification.comparison import (
    Findings,
    Scores,
    bounds_of,
    json_differences,
    lacking_scores,
    moved_scores,
    result_differences,
    unmeasured,
)
from pipeline.verification.tolerances import Tolerances, chance_outside, farthest


def compare_track(suite: Suite, track: str, allowed: Tolerances, committed: Scores,
                  reproduced: Scores, findings: Findings) -> None:
    """Hold the reproduced scores of a track's rows, and their bounds, against the committed ones.
    """
    moved = unmeasured(committed, reproduced, allowed)
    findings.note(f"{suite.name} scores and bounds",
                  [f"{suite.name}, {track}, {text}"
                   for text in lacking_scores(committed, reproduced)],
                  sum(len(scores) for row, scores in committed.items() if row not in moved))
    for row in filter(reproduced.__contains__, committed):
        compare_row(suite, track, row, allowed.get(row, {}), committed[row], reproduced[row],
                    findings)
    if moved:
        findings.unchecked.append(
            f"{suite.name}, {track}: {', '.join(moved)} came out otherwise than committed, and how "
            "far that may be was not measured ('unrolled spread' does); the floor alone was "
            "checked")


def compare_row(suite: Suite, track: str, row: str, allowed: Mapping[str, float],
                committed: Mapping[str, float], reproduced: Mapping[str, float],
                findings: Findings) -> None:
    """Hold what ranks a row against its tolerance, and all of it against what chance allows.

    Of the other scores those that moved further than their tolerance are named: they follow from
    the same answers, and among hundreds some always do.
    """
    place, metric = f"{suite.name}, {track}, row {row!r}", suite.track(track).metric
    chance = chance_outside(suite, track, row) if committed != reproduced else 0.0
    findings.expected += chance
    outside = moved_scores(committed, reproduced, allowed)
    for name in moved_scores(committed, reproduced, farthest(allowed)):
        findings.differences.append(f"{place}: {outside.pop(name)}, and chance does not go that "
                                    "far")
    if metric in outside:
        (findings.outside if chance else findings.differences).append(
            f"{place}: {outside.pop(metric)}")
    if outside:
        findings.unchecked.append(f"{place}: of its other scores and bounds {len(outside)} moved "
                                  f"further than its tolerance: {'; '.join(outside.values())}")


def compare_bytes(suite: Suite, key: str, named: str | None, same_answers: bool,
                  findings: Findings) -> None:
    """On the processor that a row names, its predictions are the same bytes.

    `named` is that processor where it is this one, None where it is another or not known.
    """
    if named is not None:
        findings.note("predictions on the processor that they name", [] if same_answers else [
            f"{suite.name}: the predictions of {key!r} came out as other bytes than committed, "
            f"although they were made on this processor ({named})"])


def compare_system(suite: Suite, key: str, committed: Result, reproduced: Result,
                   same_answers: bool, findings: Findings, stale: bool = False) -> None:
    """Hold a whole metrics file against the reproduced one.

    All of it is the same when the predictions are the same bytes, and what no machine computes
    otherwise is in any case, but for a `stale` row, which other code or settings have made.
    """
    differences = list(json_differences(committed, reproduced, key)) if same_answers \
        else result_differences(committed, reproduced)
    texts = [f"{suite.name}, {text}" for text in differences]
    if stale and not same_answers:
        findings.unchecked += [f"{text}; the row is stale, as its page says: other code or "
                               "settings have made it" for text in texts]
        texts = []
    findings.note("metrics files reproduced", texts)
    if not same_answers and committed.get("converged") != reproduced.get("converged"):
        findings.unchecked.append(
            f"{suite.name}: {key!r} had {_converged(committed)} as committed and "
            f"{_converged(reproduced)} as reproduced: its training went another way")
    details = any("details" in answers for answers in committed["variants"].values())
    if details and not same_answers:
        findings.unchecked.append(f"{suite.name}: the details behind the scores of {key!r}: its "
                                  "predictions came out otherwise, and its scores were compared")


def _converged(result: Result) -> str:
    return "converged" if result.get("converged") else "not converged"


def statistics_of(suite: Suite, keys: Sequence[str]) -> dict[str, ItemStatistics]:
    """The statistics of test items of systems' rows that lie there now, by row."""
    return {row: ItemStatistics.read(suite.places.items(suite.track_of(key), key, variant))
            for key in keys for variant, row in suite.rows_of(key).items()}


def scores_and_bounds(suite: Suite, key: str, result: Result) -> dict[str, dict[str, float]]:
    """Value and bounds of each metric of each row of a metrics file."""
    metrics = {row: result["variants"][variant]["metrics"]
               for variant, row in suite.rows_of(key).items()}
    return {row: {name: score["value"] for name, score in scores.items()} | bounds_of(scores)
            for row, scores in metrics.items()}
