"""How often the decoder reads the correct word in training: teacher forcing, or less and less.

See `pipeline.nn.scheduled_sampling`. Progress is counted in epochs, so that one schedule serves
corpora of any size, and comes with the batch: a resumed training stands where it stood.
"""

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.entries import Entry

ScheduleKind = Literal["linear", "exponential", "inverse-sigmoid"]


class TruthSchedule(Entry):
    """Probability of the correct word after i epochs (i counts parts of an epoch too).

    The three schedules of Bengio et al. 2015, section 2.4: linear, start - slope i; exponential,
    start^i; inverse sigmoid, start / (start + exp(i / start)). Never less than `least`.
    """

    kind: ScheduleKind
    start: float = Field(gt=0, description="k of the paper: at most 1 but for inverse-sigmoid, "
                                           "where it is at least 1")
    slope: float = Field(ge=0, description="fall an epoch of the linear schedule, else 0")
    least: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _is_a_probability(self) -> Self:
        if (self.start >= 1) if self.kind == "inverse-sigmoid" else (self.start <= 1):
            if self.kind == "linear" or self.slope == 0:
                return self
            raise ValueError(f"slope belongs to the linear schedule; for {self.kind} it is 0")
        raise ValueError("start is at least 1 for inverse-sigmoid and at most 1 for the others, "
                         f"got {self.start} for {self.kind}")

    def probability(self, epochs: float) -> float:
        """Of the correct word, after `epochs` of training."""
        if self.kind == "linear":
            value = self.start - self.slope * epochs
        elif self.kind == "exponential":
            value = self.start**epochs
        else:
            value = self.start / (self.start + math.exp(min(epochs / self.start, 700.0)))
        return max(self.least, value)


ALWAYS = TruthSchedule(kind="linear", start=1.0, slope=0.0, least=0.0)
