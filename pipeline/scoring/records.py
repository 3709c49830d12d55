"""The JSON that evaluating a system leaves, as those who read it back know it.

A metrics file is a `Result`, a file of costs a `Cost`; a wrong key or shape is a type error.
"""

from typing import Annotated, Any, NotRequired

# On Python 3.11 pydantic reads these alone.
from pydantic import Field
from typing_extensions import TypedDict

# JSON knows numbers of any size; these are such that arithmetic and pages can do with them.
Number = Annotated[float, Field(ge=-1e150, le=1e150, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=10**18)]


class Score(TypedDict):
    """A metric's value and its 95 % interval."""

    value: Number
    low: Number
    high: Number


class Answers(TypedDict):
    """What the answers of one variant score; see `pipeline.running.evaluation.Scorer.row`."""

    metrics: dict[str, Score]
    n_items: Count
    signature: dict[str, str]
    details: NotRequired[dict[str, Any]]


class Result(TypedDict):
    """A system's metrics file; `ceiling` is by metric, `variants` by name ("" where none has one).
    """

    track: str
    task: str
    system: str
    corpus: str
    parameters: Count
    ceiling: dict[str, Number]
    settings_tried: Count
    variants: dict[str, Answers]


class Measures(TypedDict):
    """What a stage has taken."""

    seconds: Number
    peak_memory_bytes: Count


class Cost(Measures):
    """A stage's cost and where it arose; a training's says also what was trained."""

    threads: Count
    processor: str
    precision: NotRequired[str | None]
    version: NotRequired[dict[str, str]]
    commit: NotRequired[str | None]
    uncommitted_changes: NotRequired[bool]
