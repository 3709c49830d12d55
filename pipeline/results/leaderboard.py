"""Leaderboards: a track's rows, in the order of its primary metric, for programs and for people.

The rows are those that params.yaml names, so a removed system leaves none behind. A published
figure of a system that is not run here is a row among the others, where its value puts it: to list
it apart would hide that it is better. It has no rank, because nothing says how far it may be off. A
suite whose systems train for hours is run a system at a time, and its pages name those that have
not been run. Seconds and memory differ from machine to machine: they are shown for a suite that was
run once, whose costs are committed, and never for the one that CI reproduces, whose pages follow
from its results alone.
"""

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from pipeline.errors import UserError
from pipeline.modules import task_module
from pipeline.provenance.lock import Lock
from pipeline.results.boards import Board, Evidence, Row, Seeds, own
from pipeline.results.divisions import divisions_of, setting_of
from pipeline.results.pages import page
from pipeline.results.pictures.gallery import Material, write_pictures
from pipeline.results.tested import read_tests, with_score
from pipeline.results.trainings import Trainings, is_up_to_date, trainings_of
from pipeline.scoring.records import Answers, Cost, Result
from pipeline.scoring.scores import Metric
from pipeline.storage.files import write_json, write_text
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite, TrackSettings

_AGAIN = "take the committed file back, or evaluate its system again"


def write_leaderboard(suite: Suite, track: str) -> None:
    """Write leaderboards/<track>.json and .md below the suite's folder, and the page's pictures."""
    material = with_trainings(suite, build(suite, track))
    text = render(suite, material.board)
    write_json(suite.places.board(track), material.board)
    write_text(suite.places.page(track), text)
    write_pictures(material, suite.places.pictures(track))


def render(suite: Suite, board: Board) -> str:
    """The leaderboard as Markdown, with what its rows have cost if they were run once."""
    return page(suite, board, _costs(suite, board) if suite.evidence == "run" else None)


def with_trainings(suite: Suite, board: Board) -> Material:
    """The board with all that its rows' trainings tell, and these trainings.

    It reads the statistics of every test item, of which a suite that CI reproduces commits none.
    """
    from pipeline.results.ranks import ranks  # scipy takes longer than most readers of a board

    track = board["track"]
    metric = metrics_of(suite, track)[board["metric"]]
    trained = {row["system"]: trainings_of(suite, track, row["system"]) for row in own_rows(board)}
    divisions = {row["system"]: row.get("division") for row in own_rows(board)}
    found = ranks(list(trained.values()), metric, suite.resamples, suite.seed, divisions)
    rows: list[Row] = [{**row, "rank": found.by_row.get(row["system"]),
                        "seeds": _seeds(row, trained.get(row["system"]), metric)}
                       for row in board["rows"]]
    told: Board = {**board, "rows": rows, "not_ranked": found.reason}
    costs = _costs(suite, board) if suite.evidence == "run" else {}
    return Material.of(suite, told, trained, costs)


def _costs(suite: Suite, board: Board) -> dict[str, dict[str, Cost]]:
    """What each own row has cost, by stage, as far as it was recorded."""
    return {row: costs_of(suite, key) for key in systems_run(suite, board["track"])
            for row in suite.rows_of(key).values()}


def restated(board: Board, committed: Board) -> Board:
    """The board with what a committed one says of trainings that are not at hand."""
    known = {row["system"]: row for row in committed["rows"]}
    rows: list[Row] = [{**row, "rank": known[row["system"]]["rank"],
                        "seeds": known[row["system"]]["seeds"]}
                       if row["system"] in known else row for row in board["rows"]]
    return {**board, "rows": rows, "not_ranked": committed["not_ranked"],
            "pictures": committed["pictures"]}


def build(suite: Suite, track: str) -> Board:
    """The leaderboard of a track as its JSON says it, best row first, but for `with_trainings`."""
    entry = suite.track(track)
    metric = metrics_of(suite, track)[entry.metric]
    results = {key: read_result(suite, key) for key in systems_run(suite, track)}
    ceiling = _ceiling(results, entry.metric)
    lock = None if suite.evidence == "ci" else Lock(suite.places)
    tests = read_tests(suite).get(track, {})
    own = [row for key, result in results.items()
           for row in _own_rows(suite, key, result, entry, lock)]
    rows: list[Row] = [{**row, "tests": with_score(tests.get(row["system"], []), row["tests"][0],
                                                  metric.decimals)} for row in own]
    names = {row["system"] for row in rows}
    rows += [_published_row(name, published.value, published.source, entry)
             for name, published in entry.published.items() if name not in names]
    return {
        "track": track, "task": entry.task, "corpus": entry.corpus, "suite": suite.name,
        "metric": entry.metric, "better": metric.better, "ceiling": ceiling,
        "floor": _floor(entry, track, ceiling),
        "rows": sorted(rows, key=lambda row: (-metric.gain(row["value"], 0.0), row["system"])),
        "not_ranked": None, "pictures": [],
        "not_run": [key for key in suite.systems_of(track) if key not in results],
    }


def systems_run(suite: Suite, track: str) -> list[str]:
    """The track's systems that have results, which in a suite that CI reproduces are all."""
    return [key for key in suite.systems_of(track)
            if suite.evidence == "ci" or _metrics_file(suite, key).exists()]


def own_rows(board: Board) -> list[Row]:
    """The rows that stand behind a run of this project's code, best first."""
    return own(board["rows"])


def under_floor(suite: Suite, board: Board) -> list[Row]:
    """The rows that had to reach the track's floor and did not."""
    floor = suite.track(board["track"]).floor
    metric = metrics_of(suite, board["track"])[board["metric"]]
    return [row for row in board["rows"] if floor and row["system"] in floor.rows
            and metric.gain(row["value"], board["floor"]) < 0]


def metrics_of(suite: Suite, track: str) -> dict[str, Metric]:
    """The metrics of a track's task, by name."""
    return task_module(suite.track(track).task, "scoring").METRICS


def read_result(suite: Suite, key: str) -> Result:
    """A system's metrics file. Raises UserError naming the command that makes a missing one."""
    file = _metrics_file(suite, key)
    if not file.exists():
        raise UserError(f"{file} does not exist; run "
                        f"'dvc repro {suite.address('evaluate', key)}'")
    result = read_shaped(file, Result, _AGAIN)
    if missing := set(suite.rows_of(key)) - set(result["variants"]):
        raise UserError(f"metrics of {key!r} lack {', '.join(map(repr, sorted(missing)))}; run "
                        f"'dvc repro {suite.address('evaluate', key)}'")
    return result


def costs_of(suite: Suite, key: str) -> dict[str, Cost]:
    """What training and evaluating a system have cost, by stage, as far as it was recorded."""
    files = {stage: suite.places.cost(suite.track_of(key), key, stage)
             for stage in ("train", "evaluate")}
    return {stage: read_shaped(file, Cost, _AGAIN) for stage, file in files.items()
            if file.exists()}


def _metrics_file(suite: Suite, key: str) -> Path:
    return suite.places.metrics(suite.track_of(key), key)


def _own_rows(suite: Suite, key: str, result: Result, entry: TrackSettings,
              lock: Lock | None) -> list[Row]:
    evidence = _evidence(suite, key, lock)
    if "training" in suite.systems[key] and "precision" not in result and evidence.get("precision"):
        result = {**result, "precision": str(evidence["precision"])}
    rows = [_own_row(name, result, result["variants"][variant], entry, evidence)
            for variant, name in suite.rows_of(key).items()]
    divisions = divisions_of(suite, key)
    return [{**row, "division": divisions[row["system"]]} if divisions else row for row in rows]


def _seeds(row: Row, trained: Trainings | None, metric: Metric) -> Seeds | None:
    """The scores of a row's trainings; the committed one is that of its metrics file."""
    if trained is None or trained.deterministic:
        return None
    others = [statistics.score(metric) for statistics in trained.statistics[1:]]
    scores = [row["value"], *others]
    return {"scores": scores, "mean": fmean(scores) if others else None,
            "deviation": stdev(scores) if others else None}


def _own_row(name: str, result: Result, answers: Answers, entry: TrackSettings,
             evidence: Evidence) -> Row:
    if entry.metric not in answers["metrics"]:
        raise UserError(f"row {name!r} has no {entry.metric}: its test set has no items for the "
                        "track's primary metric; name another metric in params.yaml")
    published = entry.published.get(name)
    replaced = answers.get("details", {}).get("replaced")
    score = answers["metrics"][entry.metric]
    row: Row = {
        "system": name, **score, "metrics": answers["metrics"], "rank": None, "seeds": None,
        "converged": result.get("converged"), "precision": result.get("precision"),
        "tests": [{"metric": entry.metric, "value": score["value"],
                   "version": result["version"]}],
        "n_items": answers["n_items"], "clusters": answers["clusters"],
        "parameters": result["parameters"],
        "signature": answers["signature"].get(entry.metric),
        "settings_tried": result["settings_tried"], "evidence": evidence,
        "published": ({"value": published.value, "source": published.source} if published
                      else None),
    }
    if replaced:
        row["replaced"] = replaced
    return row


def _published_row(name: str, value: float, source: str, entry: TrackSettings) -> Row:
    row: Row = {
        "system": name, "value": value, "low": None, "high": None,
        "metrics": {entry.metric: {"value": value, "low": None, "high": None}},
        "n_items": None, "clusters": None, "parameters": None, "signature": None,
        "settings_tried": None,
        "rank": None, "seeds": None, "converged": None, "precision": None, "tests": [],
        "evidence": {"kind": "published", "source": source},
        "published": {"value": value, "source": source},
    }
    if setting_of(entry.task):
        row["division"] = None
    return row


def _evidence(suite: Suite, key: str, lock: Lock | None) -> Evidence:
    """What stands behind a row; `lock` is None for a suite that CI reproduces.

    A row that was run is stale when its training or its evaluation was made from other settings or
    code than those of now.
    """
    if lock is None:
        return {"kind": "ci"}
    costs = costs_of(suite, key)
    train: Mapping[str, Any] = costs.get("train") or {}
    seconds = [cost["seconds"] for cost in costs.values()]
    return {"kind": "run", "stale": not is_up_to_date(suite, key, lock),
            "commit": train.get("commit"),
            "uncommitted_changes": train.get("uncommitted_changes", False),
            "processor": train.get("processor"), "precision": train.get("precision"),
            "wall_time": round(sum(seconds), 2) if len(seconds) == 2 else None}


def _ceiling(results: Mapping[str, Result], metric: str) -> float | None:
    """The one ceiling that all results state; two would mean that a test set has changed."""
    stated = {key: result["ceiling"].get(metric) for key, result in results.items()}
    if len(set(stated.values())) > 1:
        raise UserError(f"the systems' {metric} was measured on different test sets (ceilings "
                        f"{stated}); run 'dvc repro', which evaluates the older ones again")
    return next(iter(stated.values()), None)


def _floor(entry: TrackSettings, track: str, ceiling: float | None) -> float | None:
    if entry.floor is None:
        return None
    if not entry.floor.of_ceiling:
        return entry.floor.value
    if ceiling is None:
        raise UserError(f"tracks.{track}.floor is a multiple of the ceiling, but corpus "
                        f"{entry.corpus!r} states no ceiling for {entry.metric}; give the floor "
                        "as a score (of_ceiling: false)")
    return entry.floor.value * ceiling
