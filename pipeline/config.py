"""A suite's params.yaml as typed, validated objects.

params.yaml is the only list of corpora, tracks, systems and claims. It is checked as a whole
before anything runs: every problem is reported at once with its path, an unknown name with the
nearest known one, and nothing has a silent default. A system's module holds the class of its own
hyper-parameters (`Settings`), so a new system brings its own checks and this file stays as it is.

Stages read their own entry with `Suite.system`, `Suite.track` and `Suite.corpus`, which import
that entry's module alone; `pipeline.config_checks.load_valid` imports and checks all of them.
"""

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.config_errors import ConfigError, describe, nearest
from pipeline.errors import UserError

PACKAGE = Path(__file__).parent
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


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
    """The `features` of a track; a task's features module extends it as `Settings`."""

    def smallest(self) -> Self:
        """Features for the smallest corpus, whose vocabulary may be smaller too."""
        return self


class Floor(Entry):
    """The score that a working implementation surely reaches."""

    value: float
    of_ceiling: bool = Field(description="value is a multiple of the track's ceiling")
    rows: list[str] = Field(min_length=1, description="leaderboard rows that must reach it")
    fixed: Literal["before tuning", "after first results"] = "before tuning"


class Published(Entry):
    """A figure from the literature, for a row of ours or for a system that we do not run."""

    value: float
    source: str


class TrackSettings(Entry):
    """An entry of `tracks`: a task on a corpus with one primary metric."""

    title: str
    task: str
    corpus: str
    reader: str = Field(description="the corpus's module, repeated because DVC cannot look it up")
    metric: str
    tolerance: float = Field(ge=0, description="three standard deviations over seeds, as measured")
    floor: Floor | None = None
    published: dict[str, Published] = {}
    features: dict[str, Any] = Field(description="checked by the task's features module")


class VariantSettings(Entry):
    """How a trained system answers (a decoder, an estimator): one leaderboard row each."""


class TrainingSettings(Entry):
    """Settings of `pipeline.training`, the one trainer."""

    epochs: int = Field(ge=1)
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: float = Field(gt=0)
    schedule: Literal["constant", "cosine", "plateau"]
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    gradient_clip: float = Field(ge=0, description="largest norm of the gradient; 0: not clipped")
    patience: int = Field(ge=0, description="epochs without progress before the end; 0: never")
    weight_average: float = Field(
        0.0, ge=0, lt=1, description="decay of an exponential average of the weights; 0: none")


class SystemSettings(Entry):
    """An entry of `systems`; a system's module extends it as `Settings`."""

    track: str
    task: str
    model: str
    settings_tried: int = Field(
        1, ge=1, description="how many settings were compared on validation data")
    variants: dict[str, VariantSettings] = {}


class ClaimSettings(Entry):
    """A sentence of a lecture that two rows of a leaderboard confirm or refute."""

    id: str
    track: str
    text: str
    source: str
    better: str
    worse: list[str] = Field(min_length=1, description="the best of these rows is compared")
    metric: str


class Suite(Entry):
    """A whole params.yaml; systems, tracks and corpora keep what their modules will check."""

    root: str
    suite: str
    evidence: Literal["ci", "run"]
    seed: int = Field(ge=0)
    threads: int = Field(ge=1)
    device: Literal["cpu", "auto"]
    precision: Literal["fp32", "auto"]
    resamples: int = Field(ge=100)
    mirror: str | None = Field(description="folder tried before any address; UNROLLED_MIRROR "
                                           "in the environment goes before it")
    corpora: dict[str, dict[str, Any]]
    tracks: dict[str, TrackSettings]
    systems: dict[str, dict[str, Any]]
    claims: list[ClaimSettings]

    def corpus(self, key: str) -> CorpusSettings:
        entry = _lookup(self.corpora, key, "corpora")
        return corpus_module(entry["module"]).Settings.model_validate(entry)

    def track(self, key: str) -> TrackSettings:
        return _lookup(self.tracks, key, "tracks")

    def features(self, key: str) -> Entry:
        track = self.track(key)
        return task_module(track.task, "features").Settings.model_validate(track.features)

    def system(self, key: str) -> Any:
        entry = _lookup(self.systems, key, "systems")
        return task_module(entry["task"], entry["model"]).Settings.model_validate(entry)

    def systems_of(self, track: str) -> list[str]:
        return [key for key, entry in self.systems.items() if entry["track"] == track]

    def rows_of(self, key: str) -> dict[str, str]:
        """Names of a system's leaderboard rows, by variant ('' for a system without variants)."""
        variants = self.systems[key].get("variants") or {"": {}}
        return {variant: row_name(key, variant) for variant in variants}

    def address(self, stage: str, key: str = "") -> str:
        """What `dvc repro`, called in the project's root, calls a stage of this suite."""
        name = f"{stage}@{key}" if key else stage
        return f"{self.suite}dvc.yaml:{name}" if self.suite else name

    @property
    def name(self) -> str:
        """'embedded' for the top level, otherwise the name of the suite's folder."""
        return self.suite.rstrip("/") or "embedded"

    @property
    def directory(self) -> Path:
        """The suite's folder, relative to the project's root ('' for the embedded suite)."""
        return Path(self.suite)

    @model_validator(mode="after")
    def _suite_has_its_root(self) -> Self:
        if (self.suite == "") != (self.root == "."):
            raise ValueError("the top-level suite has root '.' and suite ''; another suite has "
                             "root '..' and its folder with a slash, for example 'real/'")
        return self


def row_name(system: str, variant: str) -> str:
    """Leaderboard name of a system's variant: `system`, or `system:variant`."""
    return f"{system}:{variant}" if variant else system


def corpus_module(name: str) -> ModuleType:
    return importlib.import_module(f"pipeline.corpora.{name}")


def task_module(task: str, name: str) -> ModuleType:
    return importlib.import_module(f"pipeline.tasks.{task}.{name}")


def load(path: Path) -> Suite:
    """Read params.yaml and check what does not need any corpus's, task's or system's module."""
    try:
        return Suite.model_validate(read_yaml(path))
    except ValidationError as error:
        raise ConfigError(path, describe(error, Suite, "")) from None


def _lookup(entries: dict[str, Any], key: str, kind: str) -> Any:
    if key not in entries:
        raise UserError(f"params.yaml has no {kind}.{key}{nearest(key, list(entries))}")
    return entries[key]


def read_yaml(path: Path) -> Any:
    """Parse YAML. Raises UserError naming the file and the place that is not YAML."""
    from ruamel.yaml import YAML, YAMLError

    try:
        return YAML(typ="safe").load(path)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; run from the project's root") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid YAML: {error}") from None
