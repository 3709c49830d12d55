"""A suite's params.yaml as typed, validated objects.

params.yaml is the only list of corpora, tracks, systems and claims. It is checked as a whole
before anything runs: every problem is reported at once with its path, an unknown name with the
nearest known one, and nothing has a silent default. What an entry says to its own module is
checked by that module's `Settings` (see `pipeline.entries`), so this file stays as it is.

`Suite.system`, `Suite.features` and `Suite.corpus` import one entry's module alone;
`pipeline.suite.checks.load_valid` imports and checks all of them.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipeline.entries import CorpusSettings, Entry, FilePart, Line, Name, Precision, is_name
from pipeline.errors import UserError
from pipeline.modules import corpus_module, model_module, task_module
from pipeline.suite.messages import ConfigError, describe, nearest
from pipeline.suite.places import FOLDERS, PAGES, Places
from pipeline.suite.yaml_file import read_yaml


class Floor(Entry):
    """The score that a working implementation surely reaches."""

    value: float
    of_ceiling: bool = Field(description="value is a multiple of the track's ceiling")
    rows: list[Line] = Field(min_length=1, description="leaderboard rows that must reach it")
    fixed: Literal["before tuning", "after first results"] = "before tuning"


class Published(Entry):
    """A figure from the literature, for a row of ours or for a system that we do not run."""

    value: float
    source: Line


class TrackSettings(Entry):
    """An entry of `tracks`: a task on a corpus with one primary metric."""

    title: Line
    task: FilePart
    corpus: Name
    metric: FilePart
    precision: Precision | None = Field(
        None, description="what all its trainings compute with; left out: the suite's")
    floor: Floor | None = None
    published: dict[Line, Published] = {}
    features: dict[str, Any] = Field(description="checked by the task's features module")


class Contrast(Entry):
    """The two rows whose difference a claim's own difference is held against."""

    better: Line
    worse: Line


class ClaimSettings(Entry):
    """A sentence of a lecture that rows of a leaderboard confirm or refute.

    One row is better than each of some others; or, with a `contrast`, it is better than the one
    other by more than the contrast's better row is than its worse one.
    """

    id: Name
    track: Name
    text: Line
    source: Line
    lecture: Line = Field(description="the topic of the lecture, by which pages group claims")
    stated: Literal["before results", "after first results"] = "before results"
    better: Line
    worse: list[Line] = Field(min_length=1, description="each of these rows has to be beaten")
    contrast: Contrast | None = None
    metric: FilePart


class _Open(Entry):
    """What is known of an entry before its module has checked the rest."""

    model_config = ConfigDict(extra="allow")


class _Corpus(_Open):
    module: FilePart


class _System(_Open):
    track: Name
    model: FilePart
    settings_of: Name | None = None
    variants: dict[Name, dict[str, Any]] = {}


def _as(kind: type[_Open]) -> AfterValidator:
    """The entry as it stands, in its own order, once it has the form of `kind`."""
    def checked(entry: dict[str, Any]) -> dict[str, Any]:
        kind.model_validate(entry)
        return entry

    return AfterValidator(checked)


class Suite(Entry):
    """A whole params.yaml; systems, tracks and corpora keep what their modules will check."""

    root: Literal[".", ".."]
    suite: str
    evidence: Literal["ci", "run"]
    seed: int = Field(ge=0)
    threads: int = Field(ge=1)
    device: Literal["cpu", "auto"]
    precision: Precision = Field(description="of every track that says nothing else")
    resamples: int = Field(ge=100)
    mirror: Line | None = Field(description="folder tried before any address; UNROLLED_MIRROR "
                                           "in the environment goes before it")
    corpora: dict[Name, Annotated[dict[str, Any], _as(_Corpus)]]
    tracks: dict[Name, TrackSettings]
    systems: dict[Name, Annotated[dict[str, Any], _as(_System)]]
    claims: list[ClaimSettings]

    _places: Places | None = PrivateAttr(None)

    @property
    def places(self) -> Places:
        """Where everything lies that the suite names. Raises ValueError for a suite of nowhere."""
        if self._places is None:
            raise ValueError("this suite was not read from a project; see Suite.placed")
        return self._places

    def placed(self, root: Path) -> Self:
        """The same suite in the project whose folder is `root`."""
        suite = self.model_copy()
        suite._places = Places(root, self.suite)
        return suite

    def corpus(self, key: str) -> CorpusSettings:
        entry = _lookup(self.corpora, key, "corpora")
        return _settings(corpus_module(entry["module"]), entry, f"corpora.{key}")

    def track(self, key: str) -> TrackSettings:
        return _lookup(self.tracks, key, "tracks")

    def features(self, key: str) -> Entry:
        track = self.track(key)
        return _settings(task_module(track.task, "features"), track.features,
                         f"tracks.{key}.features")

    def system(self, key: str) -> Any:
        entry = _lookup(self.systems, key, "systems")
        return _settings(model_module(self.task_of(key), entry["model"]), entry, f"systems.{key}")

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

    def track_of(self, key: str) -> str:
        """The track that a system competes in."""
        return _lookup(self.systems, key, "systems")["track"]

    def precision_of(self, track: str) -> Precision:
        """What all trainings of a track compute with, since its rows are compared."""
        return self.track(track).precision or self.precision

    def settings_tried(self, key: str) -> int:
        """How many settings were compared for a system, or for that whose settings it uses.

        Settings that were found for one row are no luckier finds in another, so they bring their
        count with them. Raises UserError for settings of each other, which are nobody's.
        """
        passed = [key]
        while other := _lookup(self.systems, passed[-1], "systems").get("settings_of"):
            if other in passed:
                raise UserError(f"systems.{key}.settings_of: {' and '.join(passed)} use the "
                                "settings of each other; let one of them say settings_tried")
            passed.append(other)
        tried: int = self.systems[passed[-1]].get("settings_tried", 1)
        return tried

    def reader_of(self, track: str) -> str:
        """The module of a track's corpus, which reads it."""
        return _lookup(self.corpora, self.track(track).corpus, "corpora")["module"]

    def task_of(self, key: str) -> str:
        """The task of a system's track."""
        return self.track(self.track_of(key)).task

    @field_validator("suite")
    @classmethod
    def _suite_is_a_folder(cls, suite: str) -> str:
        name = suite.removesuffix("/")
        if suite and (not suite.endswith("/") or not is_name(name) or name in FOLDERS):
            raise PydanticCustomError("suite", (
                "a suite is '' or the name of its folder with a slash, for example 'real/': a name "
                "of lower-case letters, digits and single hyphens that the project does not use"))
        return suite

    @field_validator("tracks")
    @classmethod
    def _pages_are_told_apart(cls, tracks: dict[str, Any]) -> dict[str, Any]:
        for key in tracks:
            if key in PAGES:
                raise PydanticCustomError("track", "a track cannot be called {key}: its page would "
                                                   "take another one's place", {"key": key})
        return tracks

    @model_validator(mode="after")
    def _suite_has_its_root(self) -> Self:
        if (self.suite == "") != (self.root == "."):
            raise ValueError("the top-level suite has root '.' and suite ''; another suite has "
                             "root '..' and its folder with a slash, for example 'real/'")
        return self


def row_name(system: str, variant: str) -> str:
    """Leaderboard name of a system's variant: `system`, or `system:variant`."""
    return f"{system}:{variant}" if variant else system


def load(path: Path) -> Suite:
    """Read params.yaml and check what does not need any corpus's, task's or system's module."""
    return suite_of(read_yaml(path), path)


def suite_of(raw: Any, path: Path) -> Suite:
    """The suite that a params.yaml describes, in the project that the file lies in."""
    try:
        suite = Suite.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(path, describe(error, Suite, "")) from None
    folder = path.resolve().parent
    placed = suite.placed((folder / suite.root).resolve())
    if placed.places.base != folder:
        raise ConfigError(path, [f"suite: {suite.suite!r} is not the folder that this file lies in,"
                                 f" which would be {folder.name + '/'!r}"])
    return placed


def _lookup(entries: dict[str, Any], key: str, kind: str) -> Any:
    if key not in entries:
        raise UserError(f"params.yaml has no {kind}.{key}{nearest(key, list(entries))}")
    return entries[key]


def _settings(module: Any, entry: dict[str, Any], path: str) -> Any:
    try:
        return module.Settings.model_validate(entry)
    except ValidationError as error:
        raise ConfigError(Path("params.yaml"), describe(error, module.Settings, path)) from None
