"""Figures of an aligner: its errors, what it confuses, its table with the path, its rounds.

A system that scores symbols at each frame shows the table of an utterance of middle length, with
the best path and that of the known times. One that was trained without times shows what its rounds
of re-estimation were worth. A system may have further pictures.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import log_softmax

from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import Styled
from pipeline.nn.order_synchronous import best_alignments
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.alignment.scoring import answer
from pipeline.tasks.alignment.shared import error_pictures
from pipeline.tasks.alignment.shared.batching import with_separators
from pipeline.tasks.alignment.shared.error_pictures import Answer
from pipeline.tasks.alignment.shared.spoken import Clock
from pipeline.tasks.alignment.shared.table_pictures import table


@runtime_checkable
class DrawsItself(Protocol):
    """A system that has pictures of its own."""

    def pictures(self, test: Path, place: int) -> Iterator[tuple[str, Figure]]:
        """Names and pictures of what it does with the test item of that place."""


@runtime_checkable
class ScoresFrames(Protocol):
    """A system that says at each frame how well each phone fits."""

    def test_scores(self, data: Path, utterance: int) -> NDArray[np.float64]:
        """Logarithms [frames, phones] of one test item, each frame's up to a constant."""


@runtime_checkable
class HadRounds(Protocol):
    """A system that was trained by guessing and estimating again."""

    rounds: Sequence[Mapping[str, Any]]


@Styled()
def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write errors.png; confusion.png where phones were confused; table.png; rounds.png.

    All are of condition 'clean', which is ranked. `confusion` is of the variant with the fewest
    errors of phones among those that have any.
    """
    items, gold = read_json(test / "test.items.json"), read_json(test / "gold.json")
    ids = [item["id"] for item in items]
    clean = [place for place, identity in enumerate(ids) if identity.startswith("clean/")]
    known = [gold[ids[place]] for place in clean]
    answers = {variant: [answer(ordered[place]) for place in clean]
               for variant, found in predictions.items() if (ordered := aligned(found, ids))}
    row = row_of(directory)
    save(error_pictures.errors({variant: error_pictures.signed_errors(known, found)
                                for variant, found in answers.items()}, row),
         directory, "errors")
    _draw_confusion(answers, known, directory)
    middle = clean[_middle([items[place]["frames"] for place in clean])]
    if isinstance(system, ScoresFrames):
        save(_table(system, items[middle], gold[ids[middle]], test, middle, row), directory,
             "table")
    if isinstance(system, HadRounds) and system.rounds:
        save(error_pictures.rounds(
            system.rounds, f"What guessing, training and estimating again was worth to {row}, on "
                           "validation utterances"), directory, "rounds")
    if isinstance(system, DrawsItself):
        for name, picture in system.pictures(test, middle):
            save(picture, directory, name)


def _draw_confusion(answers: Mapping[str, Sequence[Answer]], gold: Sequence[Mapping[str, Any]],
                    directory: Path) -> None:
    found = {variant: error_pictures.confused(gold, own) for variant, own in answers.items()}
    wrong = {variant: counts.sum() - np.trace(counts) for variant, (_, counts) in found.items()}
    if confused := [variant for variant in wrong if wrong[variant]]:
        best = min(confused, key=wrong.__getitem__)
        save(error_pictures.confusion(*found[best], row_of(directory, best)), directory,
             "confusion")


def _middle(lengths: Sequence[int]) -> int:
    """The place of an utterance of middle length."""
    return int(np.argsort(lengths, kind="stable")[len(lengths) // 2])


def _table(system: ScoresFrames, item: Mapping[str, Any], gold: Mapping[str, Any], test: Path,
           place: int, row: str) -> Figure:
    """The table of an item's phones, with its best path and, of the same phones, that of gold."""
    spec: Mapping[str, Any] = system.spec  # type: ignore[attr-defined]
    scores = log_softmax(np.asarray(system.test_scores(test, place), np.float64), axis=1)
    numbers = [spec["phones"].index(phone) for phone in item["phones"]]
    rows, places = with_separators(np.array(numbers, np.int64))
    (path,), _ = best_alignments([scores], [len(scores)], [rows])
    paths = {"best path": path}
    begins = [begin for _, begin, _ in gold["phones"]]
    if [label for label, _, _ in gold["phones"]] == item["phones"] and None not in begins:
        first = [int(np.flatnonzero(places == number)[0]) for number in range(len(numbers))]
        starts = Clock.read(spec).starts(begins, len(scores))
        paths["known times"] = np.repeat(first, np.diff([*starts, len(scores)]))
    names = [spec["phones"][row] for row in rows]
    return table(scores[:, rows], names, paths,
                 f"What {row} hears in {item['id']}, “{item['text']}”", spec["hop"])
