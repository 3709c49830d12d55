"""What a module brings to params.yaml: base classes of the settings that it reads from there.

What an entry may be called is said here once, too. A name becomes a file, a folder, an address of
DVC's, a cell of a table and a word on a command line, on every system that a suite is copied to; so
it has only what all of these take.

A corpus, a task's features and a system hold the class of their own settings, so a new one brings
its own checks. The classes of the whole file stand in `pipeline.suite.schema`: a system is trained
by code that knows nothing of tracks, floors and claims.
"""

import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

LONGEST_NAME = 60
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FILE_PART = re.compile(r"[A-Za-z0-9]+([-_][A-Za-z0-9]+)*")
_RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")


def is_name(text: str) -> bool:
    """Whether an entry or a variant may be called so."""
    return bool(_NAME.fullmatch(text)) and _is_free(text)


def _is_free(text: str) -> bool:
    """Whether a file may have the name everywhere: not too long, and no device of Windows'."""
    return len(text) <= LONGEST_NAME and not _RESERVED.fullmatch(text.lower())


def _checked_name(text: str) -> str:
    if not is_name(text):
        raise PydanticCustomError("name", (
            "a name is lower-case letters, digits and single hyphens, since it becomes a file "
            f"name, {LONGEST_NAME} characters at most, and none that Windows keeps for devices"))
    return text


def _checked_file_part(text: str) -> str:
    if not (_FILE_PART.fullmatch(text) and _is_free(text)):
        raise PydanticCustomError("name", (
            "this becomes part of a file name: letters, digits, and single hyphens or underscores "
            f"between them, {LONGEST_NAME} characters at most"))
    return text


def _checked_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise PydanticCustomError("line", "this is shown on one line: it has a letter at least, "
                                          "no line break and nothing that is not printed")
    return text


# What an entry or a variant is called.
Name = Annotated[str, AfterValidator(_checked_name)]
# A publisher's name of a part of a corpus, which has a file or a folder called so.
FilePart = Annotated[str, AfterValidator(_checked_file_part)]
# The numbers that a training computes with (`pipeline.systems.precision`).
Precision = Literal["fp32", "bf16"]
# Text for people, a cell of a table.
Line = Annotated[str, AfterValidator(_checked_line)]


class Entry(BaseModel):
    """Base of everything read from params.yaml: no unknown keys, no coercion, immutable.

    Every number is finite: infinity passes `gt=0` and trains for ever.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Twin(Entry):
    """How a corpus module generates its embedded twin; the module extends it with sizes."""

    def smallest(self) -> Self:
        """The same twin with as little as tests can use."""
        return self


class CorpusSettings(Entry):
    """An entry of `corpora`; a corpus module extends it as `Settings` with options of its own."""

    module: FilePart

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

    track: Name
    model: FilePart
    settings_tried: int = Field(
        1, ge=1, description="how many settings were compared on validation data")
    settings_of: Name | None = Field(
        None, description="the system whose settings these are, found in as many tries")
    variants: Mapping[str, VariantSettings] = {}
