"""A suite's params.yaml as typed, validated objects.

params.yaml is the only list of corpora, tracks, systems and claims. It is checked as a whole
before anything runs: every problem is reported at once with its path, an unknown name with the
nearest known one, and nothing has a silent default. What an entry says to its own module is
checked by that module's `Settings` (see `pipeline.entries`), so this file stays as it is.

`Suite.system`, `Suite.features` and `Suite.corpus` import one entry's module alone;
`pipeline.suite.checks.load_valid` imports and checks all of them.
"""

import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from pipeline.entries import CorpusSettings, Entry
from pipeline.errors import UserError
from pipeline.modules import corpus_module, model_module, task_module
from pipeline.suite.messages import ConfigError, describe, nearest
from pipeline.suite.places import Places

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


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
    metric: str
    tolerance: float | None = Field(
        None, ge=0, description="three standard deviations over seeds; left out until measured")
    floor: Floor | None = None
    published: dict[str, Published] = {}
    features: dict[str, Any] = Field(description="checked by the task's features module")


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
        return corpus_module(entry["module"]).Settings.model_validate(entry)

    def track(self, key: str) -> TrackSettings:
        return _lookup(self.tracks, key, "tracks")

    def features(self, key: str) -> Entry:
        track = self.track(key)
        return task_module(track.task, "features").Settings.model_validate(track.features)

    def system(self, key: str) -> Any:
        entry = _lookup(self.systems, key, "systems")
        return model_module(self.task_of(key), entry["model"]).Settings.model_validate(entry)

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

    def reader_of(self, track: str) -> str:
        """The module of a track's corpus, which reads it."""
        return _lookup(self.corpora, self.track(track).corpus, "corpora")["module"]

    def task_of(self, key: str) -> str:
        """The task of a system's track."""
        return self.track(self.track_of(key)).task

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
    return suite.placed((path.resolve().parent / suite.root).resolve())


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
