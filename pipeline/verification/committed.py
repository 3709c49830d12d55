"""What can be said of committed results without training anything.

Every file of a result folder must be one that the suite's entries name, and none may lack. What
dvc.lock says of a file must be true of it, and of what one stage wrote and another read it must say
the same. Whatever params.yaml decides in a result must stand there as it says. Pages and claims
are made anew and compared whole.
"""

import json
import math
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.provenance.inputs import make_seed_folders, trained_version
from pipeline.provenance.lock import Lock, content_hash
from pipeline.results.boards import Board, shown_pictures
from pipeline.results.claims import judge_all, read_claims, restated_all
from pipeline.results.leaderboard import (
    build,
    costs_of,
    metrics_of,
    read_result,
    render,
    restated,
    systems_run,
    with_trainings,
)
from pipeline.results.pictures.gallery import file_name, pictures
from pipeline.results.report import overview
from pipeline.results.tested import read_tests, recorded
from pipeline.results.trainings import is_up_to_date, records_of, stated_version
from pipeline.scoring.digests import digest_of
from pipeline.scoring.records import Result, SeedRecord
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.files import json_text, read_json, read_text
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite
from pipeline.verification.comparison import Findings, json_differences

_NAMED = 5


def check_committed(suite: Suite, findings: Findings) -> None:
    """Hold every committed file of a suite against what it must be, as far as files tell.

    The `inputs/` of a suite that was run once must have been written.
    """
    lock = Lock(suite.places)
    make_seed_folders(suite)  # git keeps no empty folder
    findings.note("result folders", list(file_differences(suite)), len(_folders(suite)))
    check_lock(suite, lock, findings)
    keys = [key for track in suite.tracks for key in systems_run(suite, track)]
    for key in keys:
        findings.note("metrics files", [f"{suite.suite}metrics: {text}" for text in
                                        stated_differences(suite, key, read_result(suite, key))])
    check_seeds(suite, keys, findings)
    if suite.evidence == "run":
        check_costs(suite, keys, lock, findings)
    check_pages(suite, findings)


def file_differences(suite: Suite) -> Iterator[str]:
    """Files that lack, and files in a result folder that no entry of the suite has."""
    needed, allowed = _files(suite)
    root = suite.places.root
    for path in sorted(needed):
        if not path.is_file():
            yield f"{path.relative_to(root).as_posix()} is not committed"
    for folder in _folders(suite):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith(".") and path not in allowed:
                mend = ("; 'unrolled spread --prune' removes what is of no row's present version"
                        if folder == suite.places.all_seeds else "")
                yield (f"{path.relative_to(root).as_posix()} belongs to nothing in "
                       f"{suite.suite}params.yaml{mend}")
            elif path.suffix == ".json":
                yield from (f"{suite.suite}{text}" for text in _text(
                    path, json_text(read_json(path)), "is not as this project writes it"))


def _folders(suite: Suite) -> list[Path]:
    places = suite.places
    return [places.all_metrics, places.all_curves, places.leaderboards, places.all_predictions,
            places.all_costs, places.all_seeds]


def _files(suite: Suite) -> tuple[set[Path], set[Path]]:
    """The files that a suite must have committed, and those that it may have."""
    places = suite.places
    needed, allowed = set[Path](), {places.all_curves / "none.json"}
    for track in suite.tracks:
        run = systems_run(suite, track)
        pages = {places.board(track), places.page(track), places.overview, places.claims,
                 *_pictures(suite, track)}
        allowed |= pages
        needed |= pages | {places.lock, places.tests} if run else set()
        for key in run:
            needed.add(places.metrics(track, key))
            allowed.add(places.curve(track, key))
            needed |= _seed_files(suite, key)
            if suite.evidence == "run":
                needed |= {places.cost(track, key, stage) for stage in ("train", "evaluate")}
                needed |= {place(track, key, variant) for variant in suite.rows_of(key)
                           for place in (places.answers, places.items)}
    return needed, allowed | needed


def _seed_files(suite: Suite, key: str) -> set[Path]:
    """Records and statistics of all trainings of a system that one file at least tells of.

    Where there are any, the suite's own is recorded beside them.
    """
    places, track, version = suite.places, suite.track_of(key), stated_version(suite, key) or ""
    found = set[Path]()
    for variant in suite.rows_of(key):
        folder = places.row_seeds(track, key, variant) / version
        told = {path.name.partition(".")[0] for path in folder.glob("[0-9]*")}
        seeds = {int(name) for name in told if name.isdecimal()}
        found |= {places.seed_record(track, key, variant, version, seed)
                  for seed in seeds | ({suite.seed} if seeds else set())}
        found |= {places.seed_items(track, key, variant, version, seed)
                  for seed in seeds - {suite.seed}}
    return found


def _pictures(suite: Suite, track: str) -> set[Path]:
    """The pictures that a track's leaderboard names."""
    path = suite.places.board(track)
    names = shown_pictures(path) if path.is_file() else []
    return {suite.places.pictures(track) / file_name(name) for name in names}


def check_lock(suite: Suite, lock: Lock, findings: Findings) -> None:
    """Note where dvc.lock contradicts a file that is here, itself, or dvc.yaml's commands.

    Pages of a suite that was run once are written again without DVC, and are compared as pages.
    """
    name = suite.places.lock.relative_to(suite.places.root).as_posix()
    outs = {entry["path"]: entry for _, kind, entry in lock.entries() if kind == "outs"}
    for stage, content in lock.stages().items():
        command, wanted = content.get("cmd"), _command(suite, stage)
        findings.note("stages of dvc.lock", [] if command == wanted else [
            f"{name}: {stage}: its command is {command!r}, not {wanted!r}"])
    elsewhere = unheld_entries(suite, lock)
    places = Counter((stage, kind, entry["path"]) for stage, kind, entry in lock.entries())
    findings.note("entries of dvc.lock", [f"{name}: {stage}: {path} stands twice in {kind}"
                                          for (stage, kind, path), count in places.items()
                                          if count > 1], 0)
    for stage, kind, entry in lock.entries():
        place, path = f"{name}: {stage}: {entry['path']}", suite.places.root / entry["path"]
        if not {"md5", "size"} <= entry.keys():  # the form of what there is, `Lock` has checked
            findings.note("entries of dvc.lock", [f"{place} has no hash or no size"])
        elif _is_committed(suite, stage, path):
            same = path.exists() and not any(json_differences(
                dict(entry), _entry(entry["path"], path), ""))
            findings.note("entries of dvc.lock", [] if same else [
                f"{place} is not committed as this entry says"])
        elif kind == "deps" and entry["path"] in outs:
            same = not any(json_differences(dict(entry), dict(outs[entry["path"]]), ""))
            if not same and _is_stale(suite, lock, stage):
                findings.unchecked.append(f"{place} was written anew since; the row is stale, as "
                                          "its page says")
                continue
            findings.note("entries of dvc.lock", [] if same else [
                f"{place} is not what the stage that writes it wrote"])
    if elsewhere and suite.evidence == "run":
        findings.unchecked.append(f"{name}: {len(elsewhere)} entries are of files that are not "
                                  f"committed, for example {elsewhere[0][1]}")


def _is_stale(suite: Suite, lock: Lock, stage: str) -> bool:
    """Whether a system's stage was run once, with other settings or code than those of now."""
    name, _, key = stage.partition("@")
    return (suite.evidence == "run" and name in ("train", "evaluate") and key in suite.systems
            and not is_up_to_date(suite, key, lock))


def unheld_entries(suite: Suite, lock: Lock) -> list[tuple[str, str]]:
    """Stage and path of what neither a committed file nor another stage's entry tells of."""
    entries = [(stage, kind, entry["path"]) for stage, kind, entry in lock.entries()]
    by_kind = {kind: {path for _, one, path in entries if one == kind} for kind in ("deps", "outs")}
    paired = by_kind["deps"] & by_kind["outs"]
    return [(stage, path) for stage, _, path in entries if path not in paired
            and not _is_committed(suite, stage, suite.places.root / path)]


def _command(suite: Suite, stage: str) -> str:
    name, _, key = stage.partition("@")
    return f"python -m stages.{name} {suite.suite}params.yaml {key}".rstrip()


def _is_committed(suite: Suite, stage: str, path: Path) -> bool:
    """Whether git has what a stage wrote there."""
    places = suite.places
    kept = {places.all_metrics} | ({places.leaderboards} if suite.evidence == "ci" else
                                   {places.all_predictions, places.all_costs})
    name = stage.partition("@")[0]
    written = name in ("train", "evaluate", "leaderboard", "report")
    return written and (bool(kept.intersection(path.parents))
                        or places.all_seeds in (path, *path.parents))


def _entry(name: str, path: Path) -> dict[str, Any]:
    """What DVC writes of a file or folder."""
    if path.is_file():
        return {"path": name, "hash": "md5", "md5": content_hash(path),
                "size": path.stat().st_size}
    files = [file for file in path.rglob("*") if file.is_file()]
    return {"path": name, "hash": "md5", "md5": content_hash(path),
            "size": sum(file.stat().st_size for file in files), "nfiles": len(files)}


def stated_differences(suite: Suite, key: str, result: Result) -> Iterator[str]:
    """Where a metrics file says of itself what params.yaml does not say."""
    track = suite.track_of(key)
    known = {"track": track, "task": suite.task_of(key), "system": key,
             "corpus": suite.track(track).corpus,
             "settings_tried": suite.settings_tried(key),
             "variants": sorted(suite.rows_of(key))}
    said = {**{name: result.get(name) for name in known}, "variants": sorted(result["variants"])}
    yield from json_differences(said, known, f"{track}/{key}.json")


def check_seeds(suite: Suite, keys: list[str], findings: Findings) -> None:
    """What is recorded of trainings with other seeds must be what their statistics say.

    The suite's own seed scores what the metrics file says.
    """
    if any(records_of(suite, suite.track_of(key), row) for key in keys
           for row in suite.rows_of(key).values()):
        findings.unchecked.append(f"{suite.name}: where trainings with seeds were done, how, and "
                                  "what weights they ended with, is as their records say")
    for key in keys:
        track, result = suite.track_of(key), read_result(suite, key)
        for variant, row in suite.rows_of(key).items():
            for seed, record in records_of(suite, track, row).items():
                place = suite.places.seed_record(track, key, variant, result["version"], seed)
                own = seed == suite.seed
                items = (suite.places.items(track, key, variant) if own else
                         suite.places.seed_items(track, key, variant, result["version"], seed))
                wanted = {name: score["value"] for name, score
                          in result["variants"][variant]["metrics"].items()} if own else None
                findings.note("trainings with seeds", [
                    f"{place.relative_to(suite.places.root).as_posix()}: {text}"
                    for text in _record_differences(suite, track, record, items, wanted)])


def _record_differences(suite: Suite, track: str, record: SeedRecord, items: Path,
                        scores: dict[str, float] | None) -> Iterator[str]:
    """`scores` are those that must stand there; None for those that the statistics give."""
    if items.exists():  # those of the own seed are committed with a suite that was run once
        found = ItemStatistics.read(items)
        if digest_of(found) != record["statistics"]:
            yield f"{items.name} is not what the record tells of"
        scores = scores or {name: value for name, metric in metrics_of(suite, track).items()
                            if math.isfinite(value := found.score(metric))}
    if scores is not None:
        yield from json_differences(record["scores"], scores, "scores")


def check_costs(suite: Suite, keys: list[str], lock: Lock, findings: Findings) -> None:
    """Of costs, which were measured once, whatever follows from something else."""
    commits: dict[str, list[str]] = {}
    bare = []
    for key in keys:
        costs = costs_of(suite, key)
        train = costs.get("train")
        version = trained_version(suite.places, key, lock)
        if train and version and train.get("version") != vars(version):
            findings.differences.append(f"{suite.suite}costs: {key}.train.json: its version is not "
                                        "that which dvc.lock says was trained")
        if train and train.get("commit"):
            commits.setdefault(str(train["commit"]), []).append(key)
        findings.differences += [
            f"{suite.suite}costs: {key}.{stage}.json: its seconds have more than two decimals"
            for stage, cost in costs.items() if round(cost["seconds"], 2) != cost["seconds"]]
        files = {stage: suite.places.cost(suite.track_of(key), key, stage) for stage in costs}
        bare += [key for stage, file in files.items()
                 if not lock.digest(f"{stage}@{key}", "outs", file)]
    findings.note("costs files", [], 2 * len(keys))
    findings.unchecked += [f"{suite.name}: commit {commit[:12]}, of which {_some(rows)} was run, "
                           "is not in this repository" for commit, rows in commits.items()
                           if not _is_commit(suite.places.root, commit)]
    if bare:
        findings.unchecked.append(f"{suite.name}: costs of {_some(bare)} were measured once; only "
                                  "what pages show of them was checked")


def _is_commit(root: Path, commit: str) -> bool:
    asked = subprocess.run(["git", "-C", str(root), "cat-file", "--batch-check"],
                           input=f"{commit}\n", capture_output=True, text=True)
    return asked.returncode == 0 and asked.stdout.split(" ")[1:2] == ["commit"]


def _some(names: list[str]) -> str:
    shown = ", ".join(dict.fromkeys(names[:_NAMED]))
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def check_pages(suite: Suite, findings: Findings) -> None:
    """Leaderboards, claims and overview must be what follows from metrics, costs and seeds."""
    boards = [build(suite, track) for track in suite.tracks]
    for board in boards:
        path, page = suite.places.board(board["track"]), suite.places.page(board["track"])
        if path.exists() or page.exists():
            findings.note("leaderboards", [f"{suite.suite}leaderboards: {text}"
                                           for text in _board_differences(suite, board)])
        else:
            findings.unchecked.append(
                f"{suite.name}: track {board['track']!r} has no committed leaderboard")
    check_tests(suite, boards, findings)
    if suite.places.claims.exists():
        _check_overview(suite, boards, findings)


def _board_differences(suite: Suite, board: Board) -> list[str]:
    """Of a leaderboard, its page and, where the statistics of items are committed, its pictures.

    Elsewhere ranks and seeds are taken from the board itself, and are compared with those of a
    reproduction.
    """
    places, track = suite.places, board["track"]
    path, page = places.board(track), places.page(track)
    if suite.evidence == "run":
        material = with_trainings(suite, board)
        # Drawing takes longest, and of other figures a picture is another one anyway.
        return (_whole(path, material.board) + _text(page, render(suite, material.board))
                or [f"{track}/{name}: is not what is drawn from the committed results"
                    for name, content in pictures(material)
                    if (there := places.pictures(track) / name).exists()
                    and there.read_bytes() != content])
    told = restated(board, read_shaped(path, Board)) if path.exists() else board
    return _whole(path, told) + _text(page, render(suite, told))


def check_tests(suite: Suite, boards: list[Board], findings: Findings) -> None:
    """The record of test scores must hold those of the boards; it may hold more of the past."""
    path = suite.places.tests
    if not path.exists():
        return  # it lacks, which is said once
    known = read_tests(suite)
    lacking = sorted(f"{track}, {row}" for track, rows in recorded(known, boards).items()
                     for row, scores in rows.items() if scores != known.get(track, {}).get(row))
    findings.note("records of tests", [f"{suite.suite}tests.json: the present score of {text} is "
                                       "not in it; 'dvc repro' adds it" for text in lacking] +
                  [f"{suite.suite}{text}" for text in
                   _text(path, json_text(known), "is not as this project writes it")])


def _check_overview(suite: Suite, boards: list[Board], findings: Findings) -> None:
    claims = read_claims(suite)
    # Only a suite that was run once commits the predictions from which p follows.
    again = judge_all(suite) if suite.evidence == "run" else restated_all(suite, claims)
    found = list(json_differences(claims, again, "claims.json"))
    findings.note("claims", [f"{suite.suite}leaderboards: {text}" for text in found],
                  len(suite.claims))
    findings.note("overviews", [f"{suite.suite}leaderboards: {text}" for text in
                                _text(suite.places.overview, overview(suite, boards, again))])


def _whole(path: Path, value: Mapping[str, Any]) -> list[str]:
    """Differences of a JSON file from what it must hold, down to its bytes."""
    if not path.exists():
        return []  # it lacks, which is said once
    found = list(json_differences(read_json(path), json.loads(json_text(value)), path.name))
    return found or _text(path, json_text(value))


def _text(path: Path, wanted: str,
          how: str = "is not what follows from the committed results") -> list[str]:
    if not path.exists():
        return []
    committed = read_text(path)
    if committed == wanted:
        return []
    lines = zip(f"{committed}\0".split("\n"), f"{wanted}\0".split("\n"), strict=False)
    line = next(number for number, (old, new) in enumerate(lines, start=1) if old != new)
    return [f"{path.name}, line {line}: {how}"]
