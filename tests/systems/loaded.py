"""Trained systems as `unrolled predict` reads them, told the texts beside files."""

from pathlib import Path

from pipeline.commands.predicting import answering_of
from pipeline.running.answering import Answering


def loaded(model: Path, variant: str = "") -> Answering:
    """The system in the folder `model`, which must be one, and how it answers as `variant`."""
    def no_suite() -> Path:
        raise AssertionError(f"{model} is no folder of a trained system")

    return answering_of(f"{model}:{variant}" if variant else str(model), no_suite)
