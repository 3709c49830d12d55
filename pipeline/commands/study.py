"""Train a system with several values of one setting: `unrolled study SYSTEM SETTING=A,B ...`.

How many tied states, how many hidden units: lectures draw such a choice as a curve with a best
value in its middle. The command trains the system once with each value, all else as params.yaml has
it, and keeps what it scored on validation data (`pipeline.results.studies`). Test data is not
touched, and models are not kept. A call that was stopped goes on where it was, and a value that
was trained in the present version is not trained again.
"""

import copy
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.commands.choose import validation_of
from pipeline.commands.setting_values import named_values
from pipeline.errors import UserError
from pipeline.modules import model_module
from pipeline.provenance.inputs import params_hash, trained_params, version_of, write_inputs
from pipeline.results.studies import (
    Point,
    Study,
    begun_study,
    best_of,
    point_of,
    shown,
    with_point,
    write_study,
)
from pipeline.results.trainings import is_deterministic
from pipeline.running.sealed import checked_fit
from pipeline.running.threads import limited_threads
from pipeline.suite.messages import describe, nearest
from pipeline.suite.schema import Suite
from pipeline.systems.base import Run, System
from pipeline.systems.fitting import fit_system
from pipeline.tasks.contract import Validated


def study_setting(params: Path, system: str, values: str) -> Iterator[str]:
    """Lines with what each value of 'SETTING=A,B' scores, and where the study is kept.

    Raises UserError when the suite is not valid, has no such system, the system no such setting or
    value, or the features are not here.
    """
    from pipeline.suite.checks import load_valid

    setting, choices = named_values(values)
    suite = load_valid(params)
    if system not in suite.systems:
        raise UserError(f"no system {system!r}{nearest(system, list(suite.systems))}")
    changed = [with_value(suite, system, setting, value) for value in choices]
    _require_scores(suite, system)
    for other in changed:
        _check(other, system)  # all of them, before anything is trained
    write_inputs(suite)
    data = checked_fit(suite.places, suite.track_of(system))
    study = _started(suite, system, setting)
    for value, other in zip(choices, changed, strict=True):
        found = point_of(study, value)
        if found is None:
            measure, found = _point(other, system, value, data, study["version"])
            study = with_point(study, measure, found, choices)
            write_study(suite.places, study)
        yield f"{setting}={shown(value)}  " + "  ".join(
            f"{name} {score['value']:.5g}" for name, score in found["scores"].items())
    for name in study["points"][0]["scores"]:
        best = best_of(study["points"], name)
        yield (f"best, {name}: {setting}={shown(best['value'])}, {study['measure']} "
               f"{best['scores'][name]['value']:.5g}")
    yield "kept: " + ", ".join(str(path.relative_to(suite.places.root))
                               for path in write_study(suite.places, study))


def with_value(suite: Suite, system: str, setting: str, value: Any) -> Suite:
    """The suite with another value of one setting, which is named as in `triphones.states`.

    Raises UserError for one that the system's entry does not have.
    """
    entry = copy.deepcopy(suite.systems[system])
    *parts, last = setting.split(".")
    inner = entry
    for part in [*parts, last]:
        if not isinstance(inner, dict) or part not in inner:
            known = list(inner) if isinstance(inner, dict) else []
            raise UserError(f"systems.{system} has no {setting}: {part!r} is not there"
                            f"{nearest(part, known)}; name a setting as in a.b.c")
        outer, inner = inner, inner[part]
    if setting.partition(".")[0] in ("track", "model", "variants", "settings_tried", "settings_of"):
        raise UserError(f"{setting} is none that a training depends on; 'unrolled choose' compares "
                        "variants")
    outer[last] = value
    other = suite.model_copy(update={"systems": {**suite.systems, system: entry}})
    return other.placed(suite.places.root)


def _check(suite: Suite, system: str) -> None:
    entry = suite.systems[system]
    kind = model_module(suite.task_of(system), entry["model"]).Settings
    try:
        kind.model_validate(entry)
    except ValidationError as error:
        raise UserError("; ".join(describe(error, kind, system))) from None


def _require_scores(suite: Suite, system: str) -> None:
    """Raises UserError, before anything is trained, where no training could say how good it is."""
    if is_deterministic(suite, system) and validation_of(suite.task_of(system)) is None:
        raise _unscored(system)


def _unscored(system: str) -> UserError:
    return UserError(f"{system} says nothing of validation data, so no values can be compared")


def _started(suite: Suite, system: str, setting: str) -> Study:
    """The study that is kept, if it is of the present version, or one without trainings."""
    places, track = suite.places, suite.track_of(system)
    made = version_of(places, system)
    rest = params_hash(trained_params(with_value(suite, system, setting, None), system))
    version = hashlib.sha256(f"{rest} {made.data} {made.code}".encode()).hexdigest()[:16]
    stands: Any = suite.systems[system]
    for part in setting.split("."):
        stands = stands[part]
    return begun_study(places, track, system, setting, stands, version)


def _point(suite: Suite, key: str, value: Any, data: Path, version: str) -> tuple[str, Point]:
    """What the scores are, and those of one training."""
    task, run = suite.task_of(key), trained_params(suite, key)["run"]
    work = suite.places.work / "studies" / key / f"{version}-{params_hash({'value': value})}"
    with limited_threads(run["threads"]):
        system, curve = fit_system(task, suite.system(key), data, Run(
            run["seed"], work, run["threads"], run["device"], run["precision"]))
    shutil.rmtree(work, ignore_errors=True)
    found = _validated(task, system)
    if found is None:
        losses = [point["validation_loss"] for point in curve if "validation_loss" in point]
        if not losses:
            raise _unscored(key)
        found = Validated("validation loss", {
            "lowest loss": {"value": min(losses), "low": None, "high": None}}, {})
    return found.measure, {"value": value, "scores": dict(found.scores),
                           "counts": dict(found.counts), "parameters": system.parameters_count}


def _validated(task: str, system: System) -> Validated | None:
    module = validation_of(task)
    found: Validated | None = module and module.validated(system)
    return found
