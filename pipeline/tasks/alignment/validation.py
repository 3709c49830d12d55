"""Where an aligner that guessed puts the boundaries of validation utterances whose times are known.

A study over how it is trained compares these errors. Its divergence would not do: a network can
explain utterances well by alignments that are nobody's. Times are not seen in training and choose
no weights; what is told is of the epoch whose weights are kept, that of the lowest divergence.
"""

from pathlib import Path
from typing import Any

from pipeline.systems.base import System
from pipeline.tasks.alignment.systems.guessed import Guessed
from pipeline.tasks.contract import Validated

MEASURE = "boundaries of validation data off by more than 20 ms (%)"


def validated(system: System) -> Validated | None:
    """The share of boundaries; None of other systems, and where nobody knows the times."""
    if not isinstance(system, Guessed) or not system.rounds:
        return None
    kept = min(system.rounds, key=lambda one: one["divergence"])
    if kept["within_20"] is None:
        return None
    return Validated(MEASURE, {"constrained": {"value": 100 - kept["within_20"], "low": None,
                                               "high": None}}, {"epoch": kept["epoch"]})


def of_variant(system: System, data: Path, variant: Any, items: int | None) -> Validated | None:
    """None: searches of an aligner have no settings to compare."""
    return None
