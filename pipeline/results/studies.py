"""Studies: what one setting of a system does to its score on validation data.

    studies/<track>/<system>.<setting>.json     what came out, value by value
    studies/<track>/<system>.<setting>.svg      its picture
    studies/README.md                           a page with all of a suite's studies

`unrolled study` writes them (`pipeline.commands.study`), of settings of a training, and `unrolled
choose` (`pipeline.commands.choose`), of settings of how a trained system answers, which are named
as in `variants.beam.width`. They are committed. They are no output of a stage, since DVC removes
outputs before a stage runs, and no row depends on them. Each states the version of code, data and
other settings that it was made with. Picture and page follow from the JSON alone.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, cast

# On Python 3.11 pydantic reads these alone.
from typing_extensions import TypedDict

from pipeline.errors import UserError
from pipeline.results.markdown import decimal, table
from pipeline.scoring.records import Count, Number, Score
from pipeline.storage.files import read_text, write_bytes, write_json, write_text
from pipeline.storage.shapes import read_shaped
from pipeline.suite.places import Places

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AGAIN = "take the committed file back, or remove it and call 'unrolled study' again"
_DECIMALS = 2
Value = Number | str | bool | None | list[Any] | dict[str, Any]


class Point(TypedDict):
    """One value of the setting, and what came out. Lower scores are better.

    `seconds` of answering are known of a variant's setting. They are another machine's elsewhere:
    shown, and nothing is decided by them.
    """

    value: Value
    scores: dict[str, Score]
    counts: dict[str, Count]
    parameters: Count
    seconds: NotRequired[Number]


class Study(TypedDict):
    """The points of one version, in the order of the values; `stands` is params.yaml's value."""

    track: str
    system: str
    setting: str
    measure: str
    stands: Any
    version: str
    points: list[Point]


def read_study(path: Path) -> Study:
    """Raises UserError for a file of another shape, and where points do not have the same scores.
    """
    study = read_shaped(path, Study, _AGAIN)
    points = study["points"]
    if not points or not points[0]["scores"]:
        raise UserError(f"{path}, points: no score is there to show; {_AGAIN}")
    for place, point in enumerate(points):
        for name in ("scores", "counts"):
            if point[name].keys() != points[0][name].keys():
                raise UserError(f"{path}, points.{place}.{name}: its names are not those of the "
                                f"first point; {_AGAIN}")
    return study


def begun_study(places: Places, track: str, system: str, setting: str, stands: Any,
                version: str) -> Study:
    """The study that is kept of a setting, if it is of that version, or one without points."""
    path = places.study(track, system, setting)
    kept = read_study(path) if path.is_file() else None
    if kept is not None and kept["version"] == version:
        return {**kept, "stands": stands}
    return {"track": track, "system": system, "setting": setting, "measure": "", "stands": stands,
            "version": version, "points": []}


def with_point(study: Study, measure: str, point: Point, order: Sequence[Any]) -> Study:
    """The study with a point, in place of one of the same value.

    Numbers stand by size, other values as in `order`.
    """
    points = [*(one for one in study["points"] if one is not point_of(study, point["value"])),
              point]
    if all(isinstance(one["value"], int | float) for one in points):
        points.sort(key=lambda one: cast(float, one["value"]))
    else:
        points.sort(key=lambda one: order.index(one["value"]) if one["value"] in order else -1)
    return {**study, "measure": measure, "points": points}


def point_of(study: Study, value: Any) -> Point | None:
    """The training with that value, if there was one."""
    return next((one for one in study["points"] if same(one["value"], value)), None)


def same(one: Any, other: Any) -> bool:
    """Whether two values are one, within lists and mappings too: 1 and 1.0 are, 1 and true not."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def write_study(places: Places, study: Study) -> list[Path]:
    """Write a study, its picture, and the page over all studies of the suite; their paths."""
    path = places.study(study["track"], study["system"], study["setting"])
    write_json(path, study)
    # What is drawn is what was written, whose keys are sorted.
    write_bytes(picture_of(path), picture(read_study(path)))
    page = places.studies / "README.md"
    write_text(page, overview(places.studies))
    return [path, picture_of(path), page]


def picture_of(path: Path) -> Path:
    """The picture of the study in a JSON file; names have dots of their own."""
    return path.parent / f"{path.name.removesuffix('.json')}.svg"


def picture(study: Study) -> bytes:
    """The study's scores over the setting's values, as SVG."""
    from pipeline.results.pictures.style import styled, svg

    with styled():
        return svg(figure(study))


def figure(study: Study) -> "Figure":
    """The same as a figure."""
    from pipeline.results.pictures import settings

    points = study["points"]
    scores = {answer: [point["scores"][answer] for point in points]
              for answer in points[0]["scores"]}
    seconds = [point["seconds"] for point in points if "seconds" in point]
    return settings.draw([_ticked(point["value"]) for point in points], scores,
                         _ticked(study["stands"]),
                         f"{study['setting']} of {study['system']}", study["measure"],
                         seconds if len(seconds) == len(points) else None)


def overview(folder: Path) -> str:
    """Markdown over all studies in the suite's folder of studies."""
    kept = [(path, read_study(path)) for path in sorted(folder.glob("*/*.json"))]
    answering = (
        ["Of a setting that begins with `variants.` nothing is trained: the trained system answers "
         "with each value. Seconds are of all validation answers on the machine that made the "
         "study; they are shown and decide nothing."]
        if any(_variant(study) for _, study in kept) else [])
    sections = [
        "# What a setting does",
        "Each study trains one system with several values of one setting, all else as "
        "`params.yaml` has it, and compares them on validation data. Test data is not touched, and "
        "no leaderboard row is made from it. Every value is trained once, with the suite's seed. "
        "Where scores have 95 % intervals, differences well within them may be chance. Such an "
        "interval takes errors to be independent of each other, as those of one speaker are not, "
        "so it is rather too narrow.",
        *answering, *(_section(path, study) for path, study in kept)]
    return "\n\n".join(sections) + "\n"


def differences(folder: Path) -> Iterator[str]:
    """Where pages and pictures are not what follows from the studies of a folder."""
    for path in sorted(folder.glob("*/*.json")):
        drawn = picture_of(path)
        if not drawn.is_file() or drawn.read_bytes() != picture(read_study(path)):
            yield f"{drawn} is not what is drawn of {path.name}"
    page = folder / "README.md"
    if not page.is_file() or read_text(page) != overview(folder):
        yield f"{page} is not what follows from the studies beside it"


def best_of(points: Sequence[Point], answer: str) -> Point:
    """That with the lowest score of one way to answer, the first of equal ones."""
    return min(points, key=lambda point: point["scores"][answer]["value"])


def shown(value: Any) -> str:
    """A setting's value as params.yaml would have it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value) if value is None or isinstance(value, bool | list) else str(value)


def _ticked(value: Any) -> Any:
    """A value below an axis: numbers as they are, a mapping with a line for each key."""
    if isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return shown(value).strip("{}").replace(", ", "\n")


def _section(path: Path, study: Study) -> str:
    points = study["points"]
    answers, counts = list(points[0]["scores"]), list(points[0]["counts"])
    timed = any("seconds" in point for point in points)
    header = [study["setting"], *answers, *counts, "parameters", *(["seconds"] if timed else [])]
    body = [[shown(point["value"]), *(_score(point["scores"][name]) for name in answers),
             *(decimal(point["counts"][name], 0) for name in counts),
             decimal(point["parameters"], 0),
             *([decimal(point["seconds"], 2) if "seconds" in point else ""] if timed else [])]
            for point in points]
    best = "; ".join(f"{name}: {shown(best_of(points, name)['value'])}" for name in answers)
    values = ",".join(shown(point["value"]) for point in points)
    made = f"study {study['system']} {shlex.quote(study['setting'] + '=' + values)}"
    if variant := _variant(study):
        name = study["setting"].rpartition(".")[2]
        made = f"choose {study['system']}:{variant} {shlex.quote(name + '=' + values)}"
    return "\n\n".join([
        f"## `{study['system']}`: {study['setting']}",
        f"Track `{study['track']}`. Scores: {study['measure']}, lower is better. Best: {best}. "
        f"`params.yaml` had {shown(study['stands'])}.",
        f"![{study['measure']} over {study['setting']}]({study['track']}/{picture_of(path).name})",
        table(header, body, numbers=header),
        f"Version `{study['version']}`; made by `unrolled {made}`."])


def _variant(study: Study) -> str:
    """The variant that the setting is of; nothing of a training's setting."""
    first, _, rest = study["setting"].partition(".")
    return rest.rpartition(".")[0] if first == "variants" else ""


def _score(score: Score) -> str:
    if score["low"] is None or score["high"] is None:
        return decimal(score["value"], _DECIMALS)
    return (f"{decimal(score['value'], _DECIMALS)} ({decimal(score['low'], _DECIMALS)} to "
            f"{decimal(score['high'], _DECIMALS)})")
