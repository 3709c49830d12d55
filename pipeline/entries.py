"""What a module brings to params.yaml: base classes of the settings that it reads from there.

A corpus, a task's features and a system hold the class of their own settings, so a new one brings
its own checks. The classes of the whole file stand in `pipeline.suite.schema`: a system is trained
by code that knows nothing of tracks, floors and claims.
"""

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field


class Entry(BaseModel):
    """Base of everything read from params.yaml: no unknown keys, no coercion, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Twin(Entry):
    """How a corpus module generates its embedded twin; the module extends it with sizes."""

    def smallest(self) -> Self:
        """The same twin with as little as tests can use."""
        return self


class CorpusSettings(Entry):
    """An entry of `corpora`; a corpus module extends it as `Settings` with options of its own."""

    module: str

    def smallest(self) -> Self:
        """The same corpus, whose twin, if it has one, is as small as it can be."""
        twin: Twin | None = getattr(self, "twin", None)
        return self if twin is None else self.model_copy(update={"twin": twin.smallest()})


class FeatureSettings(Entry):
    """The `features` of a track; a task's features module extends it as `Settings`.

    `READS` names what the task calls of the corpus's module, its reader.
    """

    READS: ClassVar[tuple[str, ...]] = ()

    def reads(self) -> tuple[str, ...]:
        """What a track with these settings calls of its reader."""
        return self.READS

    def reader_problems(self, reader: ModuleType) -> Iterator[str]:
        """What these settings ask for and the reader does not give, known before anything runs.

        A task whose settings name values that its reader must know extends this.
        """
        for name in self.reads():
            if not hasattr(reader, name):
                yield (f"this task reads {name!r}, which corpus module "
                       f"{reader.__name__.rpartition('.')[2]!r} does not give")

    def smallest(self) -> Self:
        """Features for the smallest corpus, whose vocabulary may be smaller too."""
        return self


class VariantSettings(Entry):
    """How a trained system answers (a decoder, an estimator): one leaderboard row each."""


class TrainingSettings(Entry):
    """Settings of `pipeline.systems.training`, the one trainer."""

    epochs: int = Field(ge=1)
    optimizer: Literal["adam", "adamw"]
    learning_rate: float = Field(gt=0)
    schedule: Literal["cosine"]
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    gradient_clip: float = Field(ge=0, description="largest norm of the gradient; 0: not clipped")
    patience: int = Field(ge=0, description="epochs without progress before the end; 0: never")


class SystemSettings(Entry):
    """An entry of `systems`; a system's module extends it as `Settings`."""

    track: str
    model: str
    settings_tried: int = Field(
        1, ge=1, description="how many settings were compared on validation data")
    variants: Mapping[str, VariantSettings] = {}
