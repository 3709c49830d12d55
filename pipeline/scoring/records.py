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
    """A metric's value and its 95 % interval, which few clusters of test items do not allow."""

    value: Number
    low: Number | None
    high: Number | None


class Answers(TypedDict):
    """What the answers of one variant score; see `pipeline.running.evaluation.Scorer.row`."""

    metrics: dict[str, Score]
    n_items: Count
    clusters: Count
    signature: dict[str, str]
    details: NotRequired[dict[str, Any]]


class Result(TypedDict):
    """A system's metrics file; `ceiling` is by metric, `variants` by name ("" where none has one).

    `version` names settings and code that the scores come from (`pipeline.provenance.rows`), and is
    "" for a row that was run before it was recorded.
    Whether the training had `converged` and with what `precision` it computed is said of what is
    trained by gradient descent; a row that was run before this was recorded says neither.
    """

    track: str
    task: str
    system: str
    corpus: str
    parameters: Count
    ceiling: dict[str, Number]
    settings_tried: Count
    converged: NotRequired[bool]
    precision: NotRequired[str]
    variants: dict[str, Answers]
    version: str


class Measures(TypedDict):
    """What a stage has taken."""

    seconds: Number
    peak_memory_bytes: Count


class Cost(Measures):
    """A stage's cost and where it arose; a training's says also what was trained."""

    threads: Count
    processor: str
    precision: NotRequired[str | None]
    torch: NotRequired[str]
    version: NotRequired[dict[str, str]]
    commit: NotRequired[str | None]
    uncommitted_changes: NotRequired[bool]


class SeedRecord(TypedDict):
    """One training of a row: what it scored, and by what one can tell whether it is another.

    `answers` and `weights` are the SHA-256 of the two files, `statistics` is that of the test
    items' statistics, whatever file holds them. What is not known is null.
    """

    scores: dict[str, Number]
    processor: str | None
    precision: str | None
    torch: str | None
    converged: bool | None
    answers: str
    weights: str
    statistics: str
