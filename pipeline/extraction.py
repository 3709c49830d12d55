"""The features stage: a corpus becomes what training reads and what evaluation reads.

The two folders are separate outputs, so training cannot see test data and does not depend on it.
"""

from pathlib import Path

from pipeline.config import Suite, corpus_module, task_module


def extract_features(suite: Suite, root: Path, track: str) -> None:
    """Write features/<track>/fit and features/<track>/test below the suite's folder."""
    entry = suite.track(track)
    base = root / suite.directory
    fit, test = (base / "features" / track / part for part in ("fit", "test"))
    fit.mkdir(parents=True, exist_ok=True)
    test.mkdir(parents=True, exist_ok=True)
    task_module(entry.task, "features").extract(
        suite.features(track), base / "data" / entry.corpus, corpus_module(entry.reader), fit, test)
