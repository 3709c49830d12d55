"""What a task's folder holds, as types: features, scoring, figures and own.

A task is a folder with one module for each of these protocols and a folder `systems/` with a module
for each system. The pipeline finds them by their names (`pipeline.modules`) and needs nothing else,
so a new task is one folder that keeps this contract. A further module, `validation`, is for tasks
whose systems say more of validation data than a loss.

`own` is how a trained system answers files that no corpus holds. It does no work of its own: what
the features stage makes of test items is made of a user's files, by the same functions, and the
system predicts from it as it always does. So an answer outside the suite is the answer inside it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from pipeline.entries import FeatureSettings
from pipeline.scoring.records import Score
from pipeline.scoring.scores import ItemStatistics, Metric
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import System

Record = dict[str, Any]


@dataclass(frozen=True)
class OwnFile:
    """A file that a user wants answered; `name` is how the user calls it ('-' was standard input).

    `text` is what the user says about it, where the task asks for that (`Own.NEEDS_TEXT`).
    """

    name: str
    path: Path
    text: str | None = None


@dataclass(frozen=True)
class Trained:
    """What a trained system knows of its features: `spec`, and the folder `artefacts`.

    `spec` is the content of `spec.json` and `artefacts` a copy of the folder of that name, both as
    the features stage wrote them into `fit/`.
    """

    spec: dict[str, Any]
    artefacts: Path


@dataclass(frozen=True)
class FileFormat:
    """A format of other programs, in which the answer to one file is written.

    `text` makes of the rows of that answer lines that each end in a newline; a name that it needs
    for the file is the file's, without folder and suffix. It raises UserError naming the file and
    the remedy where the system's answers lack what the format has to hold. A written file ends in
    `suffix` ('.srt'). Where texts of several files are `joined`, they are one file of this format.
    """

    suffix: str
    text: Callable[[Sequence[Record]], str]
    joined: bool = False


class Features(Protocol):
    """`features.py`: from a corpus to what systems read.

    `Settings.READS` names what it calls of a corpus's module; validation checks it before a run.
    """

    Settings: type[FeatureSettings]

    def extract(self, settings: Any, corpus: Path, reader: ModuleType, fit: Path,
                test: Path) -> None:
        """Write `fit`, with `spec.json`, and `test`, with `ceiling.json` and `clusters.json`.

        The clusters say which test items were produced together (`pipeline.scoring.item_clusters`).
        Those of a reader are taken as they are; items that stand by themselves are written so.

        What a trained system needs to read raw input goes into `spec.json` or, what is no JSON,
        into `fit/artefacts/`.
        """


class Scoring(Protocol):
    """`scoring.py`: from answers to additive statistics of test items.

    `FACETS`, which a task may leave out, are numbers of the items by which pictures show a metric
    (`pipeline.scoring.facets`), by name. A function `details` adds to a row what is not ranked.

    `DIVISION`, which a task may leave out, names the setting of its systems' variants, or of its
    systems, that says what help a row had: rows that differ in it share no ranks
    (`pipeline.results.divisions`). Such a setting is a word, "none" for no help, without a default:
    every system of the task states it, or each of its variants.
    """

    METRICS: Mapping[str, Metric]

    def score(self, predictions: list[Prediction], test: Path) -> ItemStatistics:
        """Statistics of every test item, whose groups are those that `clusters_of(test)` gives.

        Raises UserError when answers and items do not fit.
        """


class Figures(Protocol):
    """`figures.py`: pictures of one system's answers."""

    def draw(self, system: System, predictions: dict[str, list[Prediction]], test: Path,
             directory: Path) -> None:
        """Write pictures and samples of the answers, which are given by variant.

        Pages show a picture of a single test item beside what was answered there, if it is said
        which item that is (`pipeline.drawing.items`).
        """


class Own(Protocol):
    """`own.py`: files of one's own in, answers out.

    `TAKES` says in a few words what a file holds, `SUFFIXES` which files of a folder are meant
    ('.txt'), `SHOWN` which columns of an answer are printed as plain text (none: all of them).
    `FORMATS`, which a task may leave out, is a mapping from the names of further formats in which
    answers can be written (beside text, CSV and JSON) to what they are (`FileFormat`).

    `NEEDS_TEXT`, which a task may leave out, says in a few words which text a file cannot be
    answered without ('the words that are said in it'). Commands then ask the user for it.
    """

    TAKES: str
    SUFFIXES: tuple[str, ...]
    SHOWN: tuple[str, ...]

    def prepare(self, files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
        """Write into `folder` what systems of the task predict from; return what each item is.

        Items come in the order of the files and of what stands in them. A record has `file`, where
        a file has several items its place in it (`line`, say), and what the user gave. Raises
        UserError naming file, place and remedy.
        """

    def present(self, item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
        """Rows of the answer to one item: its record with the answer's columns added."""


@dataclass(frozen=True)
class Validated:
    """What a trained system makes of validation data: lower scores are better.

    `measure` says what the `scores` are, of which there is one for each way to answer; an interval
    has no bounds where none is known. `counts` are numbers that a reader wants beside them, and
    `seconds` is how long it took to answer, where that was measured.
    """

    measure: str
    scores: Mapping[str, Score]
    counts: Mapping[str, int]
    seconds: float | None = None


class Validation(Protocol):
    """`validation.py`, which a task may leave out: what a study over a setting compares.

    Without it, and where it returns None, that is the lowest validation loss of the curve. Of a
    variant's setting it is the system's own `validation_loss`, or else what `of_variant` returns.
    """

    def validated(self, system: System) -> Validated | None:
        """As training found it; no data is read."""

    def of_variant(self, system: System, data: Path, variant: Any,
                   items: int | None) -> Validated | None:
        """How a trained system answers the validation data of the features' `fit` folder.

        `variant` are settings that need not be those of any of its variants; with `items` only so
        many are answered. None of a system or a variant that cannot be asked.
        """


class Creates(Protocol):
    """A system that makes something of nothing: it writes text, or composes.

    `Options` is a dataclass of what can be asked for, each field with a default. The command line
    passes on those of its own options that have the name of a field (`pipeline.commands.main`).
    Works are text, or the task's `own` has `write_created(works, folder)`, which writes them and
    gives the paths.
    """

    Options: type[Any]

    def create(self, options: Any, trained: Trained) -> Iterator[Any]:
        """The works, one by one."""
