"""What dvc.lock says of committed files, of itself, and of the commands that dvc.yaml runs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.provenance.lock import Lock, content_hash
from pipeline.results.trainings import is_up_to_date
from pipeline.suite.schema import Suite
from pipeline.verification.comparison import Findings, json_differences

_ENTRIES = "entries of dvc.lock"


def check_lock(suite: Suite, lock: Lock, findings: Findings) -> None:
    """Note where dvc.lock contradicts a file that is here, itself, or dvc.yaml's commands.

    Pages of a suite that was run once are written again without DVC, and are compared as pages.
    """
    name = suite.places.lock.relative_to(suite.places.root).as_posix()
    for stage, content in lock.stages().items():
        command, wanted = content.get("cmd"), _command(suite, stage)
        findings.note("stages of dvc.lock", [] if command == wanted else [
            f"{name}: {stage}: its command is {command!r}, not {wanted!r}"])
    counts = Counter((stage, kind, entry["path"]) for stage, kind, entry in lock.entries())
    findings.note(_ENTRIES, [f"{name}: {stage}: {path} stands twice in {kind}"
                             for (stage, kind, path), count in counts.items() if count > 1], 0)
    _check_entries(suite, lock, name, findings)
    elsewhere = list(_unheld(suite, lock))
    if elsewhere and suite.evidence == "run":
        findings.unchecked.append(f"{name}: {len(elsewhere)} entries are of files that are not "
                                  f"committed, for example {elsewhere[0]}")


def _check_entries(suite: Suite, lock: Lock, name: str, findings: Findings) -> None:
    """Hold each entry against the file that it tells of, or against another stage's entry of it."""
    outs = {entry["path"]: entry for _, kind, entry in lock.entries() if kind == "outs"}
    for stage, kind, entry in lock.entries():
        place, path = f"{name}: {stage}: {entry['path']}", suite.places.root / entry["path"]
        if not {"md5", "size"} <= entry.keys():  # the form of what there is, `Lock` has checked
            findings.note(_ENTRIES, [f"{place} has no hash or no size"])
        elif _is_committed(suite, stage, path):
            same = path.exists() and _are_same(entry, _entry(entry["path"], path))
            findings.note(_ENTRIES, [] if same else [
                f"{place} is not committed as this entry says"])
        elif kind == "deps" and entry["path"] in outs:
            if _are_same(entry, outs[entry["path"]]):
                findings.note(_ENTRIES, [])
            elif _is_stale(suite, lock, stage):
                findings.unchecked.append(f"{place} was written anew since; the row is stale, as "
                                          "its page says")
            else:
                findings.note(_ENTRIES, [f"{place} is not what the stage that writes it wrote"])


def _are_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return not any(json_differences(dict(one), dict(other), ""))


def _is_stale(suite: Suite, lock: Lock, stage: str) -> bool:
    """Whether a system's stage was run once, with other settings or code than those of now."""
    name, _, key = stage.partition("@")
    return (suite.evidence == "run" and name in ("train", "evaluate") and key in suite.systems
            and not is_up_to_date(suite, key, lock))


def _unheld(suite: Suite, lock: Lock) -> Iterator[str]:
    """Paths of which neither a committed file nor another stage's entry tells anything."""
    entries = [(stage, kind, entry["path"]) for stage, kind, entry in lock.entries()]
    by_kind = {kind: {path for _, one, path in entries if one == kind} for kind in ("deps", "outs")}
    paired = by_kind["deps"] & by_kind["outs"]
    for stage, _, path in entries:
        if path not in paired and not _is_committed(suite, stage, suite.places.root / path):
            yield path


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
