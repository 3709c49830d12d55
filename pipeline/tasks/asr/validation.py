"""What a recogniser with a dictionary got wrong of the validation utterances, as training found it.

The weights of each language model were chosen on these utterances, so the errors are those of the
best pair of the grid: comparable between settings of one system, and no estimate of a test score.
Their intervals are Wilson's of a share, as if words were misheard independently of each other;
errors of a sentence come together, so the truth is wider (Wilson 1927, "Probable Inference, the Law
of Succession, and Statistical Inference").
"""

from pipeline.scoring.records import Score
from pipeline.systems.base import System
from pipeline.tasks.asr.shared.grids import best_of
from pipeline.tasks.asr.shared.state_pictures import KnowsStates
from pipeline.tasks.contract import Validated

MEASURE = "word error rate on validation data (%)"


def validated(system: System) -> Validated | None:
    """The word error rate with each language model; None of a system without a dictionary."""
    if not isinstance(system, KnowsStates) or not system.vocabulary.tried:
        return None
    scores: dict[str, Score] = {}
    counts = {"tied states": len(system.known().stay)}
    for name, pairs in system.vocabulary.tried.items():
        chosen = best_of(pairs)
        low, high = interval(chosen.errors, chosen.words)
        scores[name] = Score(value=chosen.rate, low=low, high=high)
        counts[f"errors, {name}"], counts["words"] = chosen.errors, chosen.words
    return Validated(MEASURE, scores, counts)


def interval(errors: int, words: int) -> tuple[float, float]:
    """Wilson's 95 % interval of an error rate, in percent; more errors than words count as all."""
    from scipy.stats import binomtest

    if words == 0:
        return 0.0, 100.0
    found = binomtest(min(errors, words), words).proportion_ci(method="wilson")
    return 100 * float(found.low), 100 * float(found.high)
