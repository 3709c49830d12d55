"""The JSON that evaluating a system leaves, as those who read it back know it.

A metrics file is a `Result`, a file of costs a `Cost`; a wrong key or shape is a type error.
"""

from typing import Any, NotRequired

# On Python 3.11 pydantic reads these alone.
from typing_extensions import TypedDict


class Score(TypedDict):
    """A metric's value and its 95 % interval."""

    value: float
    low: float
    high: float


class Answers(TypedDict):
    """What the answers of one variant score; see `pipeline.running.evaluation.Scorer.row`."""

    metrics: dict[str, Score]
    n_items: int
    signature: dict[str, str]
    details: NotRequired[dict[str, Any]]


class Result(TypedDict):
    """A system's metrics file; `ceiling` is by metric, `variants` by name ("" where none has one).
    """

    track: str
    task: str
    system: str
    corpus: str
    parameters: int
    ceiling: dict[str, float]
    settings_tried: int
    variants: dict[str, Answers]


class Measures(TypedDict):
    """What a stage has taken."""

    seconds: float
    peak_memory_bytes: int


class Cost(Measures):
    """A stage's cost and where it arose; a training's says also what was trained."""

    threads: int
    processor: str
    precision: NotRequired[str]
    version: NotRequired[dict[str, Any]]
    commit: NotRequired[str | None]
    uncommitted_changes: NotRequired[bool]
