"""Choose a variant's settings: `unrolled choose SYSTEM:VARIANT NAME=A,B ...`.

How a trained system answers has settings too (a cache's weight, say), and those are chosen on
validation data as well. The command scores every combination of the given values there and names
the best; settings that are not given stay as they are in params.yaml. Test data is not touched.
What several values of one setting score is kept as a study (`pipeline.results.studies`), with how
long each took to answer: a wider beam errs less and searches for longer.
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
from pipeline.results.studies import Point, Study, kept_study, shown, with_point, write_study
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

    The scores of one setting alone, on all of the validation data, are kept, and a further line
    says where. Raises UserError when the row is unknown, not trained, or cannot be scored on
    validation data.
    """
    suite = load(params)
    found = list(combinations(suite, row, values))
    from pipeline.running.threads import limited_threads
    from pipeline.systems.base import system_class

    key, _, variant = row.partition(":")
    entry, task = suite.systems[key], suite.task_of(key)
    kind = system_class(task, entry["model"])
    system = kind.load(trained_folder(suite, key))
    data = checked_fit(suite.places, entry["track"])
    all_scores: list[Validated] = []
    with limited_threads(suite.threads):
        for text, settings in found:
            validated = _validated(task, system, data, settings, items)
            if validated is None:
                raise UserError(f"{row} cannot be scored on validation data: nothing says how for "
                                f"answers of {entry['model']} of the task {task}; 'unrolled study' "
                                "compares what a training depends on")
            all_scores.append(validated)
            yield (f"{validated.measure} {_score(validated):.5f}  {text}  "
                   f"{validated.seconds or 0.0:.2f} s")
    best = min(range(len(found)), key=lambda place: _score(all_scores[place]))
    yield f"best of {len(found)}: {_score(all_scores[best]):.5f}  {found[best][0]}"
    if len(values) == 1 and items is None:
        name = values[0].partition("=")[0]
        points = [Point(value=getattr(settings, name), scores=dict(one.scores),
                        counts=dict(one.counts), parameters=system.parameters_count,
                        seconds=round(one.seconds or 0.0, 3))
                  for (_, settings), one in zip(found, all_scores, strict=True)]
        study = _study(suite, key, variant, name, points, all_scores[0].measure)
        yield "kept: " + ", ".join(str(path.relative_to(suite.places.root))
                                   for path in write_study(suite.places, study))


def _score(validated: Validated) -> float:
    """The one score of one way to answer."""
    (score,) = validated.scores.values()
    return score["value"]


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


def _study(suite: Suite, key: str, variant: str, name: str, points: Sequence[Point],
           measure: str) -> Study:
    """The study that is kept, if it is of the present version, with what was found now."""
    track, setting = suite.track_of(key), f"variants.{variant}.{name}"
    known = suite.system(key).variants[variant].model_dump(mode="json")
    stands, version = known.pop(name), _version(suite, key, known)
    kept = kept_study(suite.places.study(track, key, setting), version)
    study: Study = {"track": track, "system": key, "setting": setting, "measure": measure,
                    "stands": stands, "version": version, "points": kept["points"] if kept else []}
    for point in points:
        study = with_point(study, measure, point, [one["value"] for one in points])
    return study


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
