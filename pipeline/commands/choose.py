"""Choose a variant's settings: `unrolled choose SYSTEM:VARIANT NAME=A,B ...`.

How a trained system answers has settings too (a cache's weight, say), and those are chosen on
validation data as well. The command scores every combination of the given values there and names
the best; settings that are not given stay as they are in params.yaml. Test data is not touched.
What several values of one setting score is kept as a study (`pipeline.results.studies`), with how
long each took to answer: a wider beam errs less and searches for longer. A value that was answered
in the present version is not answered again, and a call that was stopped goes on where it was.
"""

import hashlib
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.commands.setting_values import named_values
from pipeline.entries import VariantSettings
from pipeline.errors import UserError
from pipeline.modules import model_name, part_name, task_module
from pipeline.provenance.code import Code
from pipeline.results.studies import (
    Point,
    Study,
    begun_study,
    point_of,
    shown,
    with_point,
    write_study,
)
from pipeline.running.sealed import checked_fit
from pipeline.running.trained import trained_folder
from pipeline.storage.seal import SEAL
from pipeline.suite.messages import describe, nearest
from pipeline.suite.schema import Suite, load
from pipeline.tasks.contract import Validated


def combinations(suite: Suite, row: str,
                 values: Sequence[str]) -> Iterator[tuple[str, VariantSettings]]:
    """Each combination of `values` ('NAME=A,B') as text and as the variant's settings.

    Raises UserError when the suite has no such row or the variant no such setting or value.
    """
    rows = {name: (key, variant) for key in suite.systems
            for variant, name in suite.rows_of(key).items() if variant}
    if row not in rows:
        raise UserError(f"no row {row!r}{nearest(row, list(rows))}")
    key, variant = rows[row]
    known = suite.system(key).variants[variant]
    names: list[str] = []
    choices: list[list[Any]] = []
    for item in values:
        name, compared = named_values(item)
        if name in names:
            raise UserError(f"{name} is given twice; list all its values once: {name}=A,B")
        names.append(name)
        choices.append(compared)
    for chosen in itertools.product(*choices):
        changes = dict(zip(names, chosen, strict=True))
        try:
            settings = type(known).model_validate(known.model_dump() | changes)
        except ValidationError as error:
            raise UserError("; ".join(describe(error, type(known), row))) from None
        yield "  ".join(f"{name}={shown(value)}" for name, value in changes.items()), settings


def choose_settings(params: Path, row: str, values: Sequence[str],
                    items: int | None = None) -> Iterator[str]:
    """Lines with what each combination of `values` scores and how long it takes, the best one last.

    The scores of one setting alone, on all of the validation data, are kept as each is found, and
    a further line says where; a call that was stopped goes on where it was. Raises UserError when
    the row is unknown, not trained, or cannot be scored on validation data.
    """
    suite = load(params)
    found = list(combinations(suite, row, values))
    from pipeline.running.threads import limited_threads
    from pipeline.systems.base import system_class

    key, _, variant = row.partition(":")
    system = system_class(suite.task_of(key), suite.systems[key]["model"]).load(
        trained_folder(suite, key))
    data = checked_fit(suite.places, suite.track_of(key))
    name = values[0].partition("=")[0] if len(values) == 1 and items is None else None
    study = _started(suite, key, variant, name)
    compared = [getattr(settings, name) if name else text for text, settings in found]
    points: list[Point] = []
    with limited_threads(suite.threads):
        for value, (text, settings) in zip(compared, found, strict=True):
            point = point_of(study, value)
            if point is None:
                measure, point = _point(suite, row, system, data, value, settings, items)
                study = with_point(study, measure, point, compared)
                if name:
                    write_study(suite.places, study)
            points.append(point)
            seconds = point.get("seconds", 0.0)
            yield f"{study['measure']} {_loss(point):.5f}  {text}  {seconds:.2f} s"
    best = min(range(len(found)), key=lambda place: _loss(points[place]))
    yield f"best of {len(found)}: {_loss(points[best]):.5f}  {found[best][0]}"
    if name:
        yield "kept: " + ", ".join(str(path.relative_to(suite.places.root))
                                   for path in write_study(suite.places, study))


def _loss(point: Point) -> float:
    """The one score of one way to answer."""
    (score,) = point["scores"].values()
    return score["value"]


def _point(suite: Suite, row: str, system: Any, data: Path, value: Any, settings: VariantSettings,
           items: int | None) -> tuple[str, Point]:
    """What the score is of, and that of answers by these settings.

    Raises UserError where nothing says how to score them on validation data.
    """
    key = row.partition(":")[0]
    task, model = suite.task_of(key), suite.systems[key]["model"]
    found = _validated(task, system, data, settings, items)
    if found is None:
        raise UserError(f"{row} cannot be scored on validation data: nothing says how for answers "
                        f"of {model} of the task {task}; 'unrolled study' compares what a training "
                        "depends on")
    return found.measure, Point(value=value, scores=dict(found.scores), counts=dict(found.counts),
                                parameters=system.parameters_count,
                                seconds=round(found.seconds or 0.0, 3))


def _validated(task: str, system: Any, data: Path, settings: VariantSettings,
               items: int | None) -> Validated | None:
    """What the system makes of validation data when it answers by these settings."""
    began = time.perf_counter()
    if hasattr(system, "validation_loss"):
        loss = system.validation_loss(data, settings, items)
        return Validated("validation loss", {"loss": {"value": loss, "low": None, "high": None}},
                         {}, time.perf_counter() - began)
    module = validation_of(task)
    found: Validated | None = module and module.of_variant(system, data, settings, items)
    return found


def validation_of(task: str) -> Any:
    """The task's module `validation`, which it may leave out: None."""
    try:
        return task_module(task, "validation")
    except ModuleNotFoundError as error:
        if error.name != part_name(task, "validation"):
            raise
        return None


def _started(suite: Suite, key: str, variant: str, name: str | None) -> Study:
    """The study that is kept of a setting, if it is of the present version, or an empty one.

    That of no setting's name is kept nowhere.
    """
    track = suite.track_of(key)
    if name is None:
        return {"track": track, "system": key, "setting": "", "measure": "", "stands": None,
                "version": "", "points": []}
    setting = f"variants.{variant}.{name}"
    known = suite.system(key).variants[variant].model_dump(mode="json")
    stands, version = known.pop(name), _version(suite, key, known)
    return begun_study(suite.places, track, key, setting, stands, version)


def _version(suite: Suite, key: str, others: dict[str, Any]) -> str:
    """Of the trained system, its features, the code that answers, and the variant's other settings.
    """
    task = suite.task_of(key)
    code = Code(Path(__file__).parents[2])
    answering = code.used([model_name(task, suite.systems[key]["model"])])
    seals = [(folder / SEAL).read_text() for folder in (
        trained_folder(suite, key), suite.places.fit(suite.track_of(key)))]
    text = json.dumps([seals, others, sorted(map(code.identity, answering))], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
