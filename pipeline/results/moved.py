"""Which scores of a run are not the committed ones, and by how much, in one line.

The committed scores are those of the last commit, read through git itself. A suite that is
reproduced gives the same scores on the same kind of processor, and close ones elsewhere: whoever
changed nothing sees at once whether that came true, whoever changed something sees what it did.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NotRequired

from typing_extensions import TypedDict

from pipeline.errors import UserError
from pipeline.results.leaderboard import metrics_of
from pipeline.scoring.records import Score
from pipeline.storage.shapes import read_shaped, shaped
from pipeline.suite.schema import Suite, row_name

_NAMED = 5
# Of a leaderboard row and a metric.
Scores = Mapping[tuple[str, str], float]


class _Answers(TypedDict):
    metrics: dict[str, Score]


class _Result(TypedDict):
    """What is read of a metrics file, which another version of the code may have written."""

    variants: NotRequired[dict[str, _Answers]]


def moved(suite: Suite) -> str | None:
    """A line on the suite's scores against the committed ones.

    None outside a git repository and where nothing that was run has a committed score.
    """
    moves: list[tuple[float, str]] = []
    compared = 0
    files = {key: suite.places.metrics(suite.track_of(key), key) for key in suite.systems}
    run = {key: file for key, file in files.items() if file.exists()}
    committed = _committed(suite.places.root, list(run.values()))
    for key, file in run.items():
        after = _scores(key, read_shaped(file, _Result))
        before = _scores(key, committed.get(file, {}))
        for row, metric in before.keys() & after.keys():
            compared += 1
            old, new = before[row, metric], after[row, metric]
            if old != new:
                moves.append((_relative(old, new), _in_words(suite, key, row, metric, old, new)))
    return _line(moves, compared) if compared else None


def _line(moves: list[tuple[float, str]], compared: int) -> str:
    if not moves:
        return f"all {compared} scores are the committed ones"
    # The texts decide between equal moves, so that the line is the same on every run.
    named = [text for _, text in sorted(moves, key=lambda move: (-move[0], move[1]))][:_NAMED]
    more = ", ..." if len(moves) > len(named) else ""
    return f"{len(moves)} of {compared} scores moved: {', '.join(named)}{more}"


def _scores(key: str, result: _Result) -> Scores:
    """Every score of a system's metrics file."""
    return {(row_name(key, variant), metric): score["value"]
            for variant, row in result.get("variants", {}).items()
            for metric, score in row["metrics"].items()}


def _relative(old: float, new: float) -> float:
    """A move as a part of the score, so that scores of all kinds have one order."""
    return abs(new - old) / max(abs(old), abs(new))


def _in_words(suite: Suite, key: str, row: str, metric: str, old: float, new: float) -> str:
    known = metrics_of(suite, suite.track_of(key))
    decimals = known[metric].decimals if metric in known else 2
    # A move below what the pages show still has to be seen.
    while decimals < 12 and f"{old:.{decimals}f}" == f"{new:.{decimals}f}":
        decimals += 1
    change = f"{new - old:+.{decimals}f}"
    return f"{row} {metric} {old:.{decimals}f} -> {new:.{decimals}f} ({change})"


def _committed(root: Path, files: list[Path]) -> dict[Path, _Result]:
    """JSON of the files in the last commit; those that it lacks are left out."""
    # `HEAD:./path` is relative to the folder in which git runs, which need not be the repository's.
    names = "".join(f"HEAD:./{file.relative_to(root).as_posix()}\n" for file in files)
    try:
        found = subprocess.run(["git", "-C", str(root), "cat-file", "--batch"],
                               input=names.encode("utf-8"), capture_output=True)
    except FileNotFoundError:
        return {}
    if found.returncode != 0:
        return {}
    contents = _batch(found.stdout)
    return {file: _result(file, content) for file, content in zip(files, contents, strict=True)
            if content is not None}


def _result(file: Path, content: bytes) -> _Result:
    place, remedy = f"{file} in the last commit", "commit the present file"
    try:
        value = json.loads(content)
    except ValueError:
        raise UserError(f"{place} is not valid JSON; {remedy}") from None
    return shaped(value, _Result, place, remedy)


def _batch(output: bytes) -> Iterator[bytes | None]:
    """Contents in the order of the request, from '<hash> blob <size>' lines and what follows."""
    position = 0
    while position < len(output):
        end = output.index(b"\n", position)
        header = output[position:end].split(b" ")
        position = end + 1
        if header[-1] == b"missing":
            yield None
            continue
        size = int(header[-1])
        yield output[position : position + size]
        position += size + 1
