"""Which files a suite must have committed, and which it may: none lacks, and none is of nothing."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.results.boards import shown_pictures
from pipeline.results.leaderboard import systems_run
from pipeline.results.pictures.gallery import file_name
from pipeline.results.trainings import stated_version
from pipeline.storage.files import json_text, read_json
from pipeline.suite.schema import Suite
from pipeline.verification.whole_files import NOT_WRITTEN_SO, text_differences


def file_differences(suite: Suite) -> Iterator[str]:
    """Files that lack, and files in a result folder that no entry of the suite has."""
    needed, allowed = _files(suite)
    root = suite.places.root
    for path in sorted(needed):
        if not path.is_file():
            yield f"{path.relative_to(root).as_posix()} is not committed"
    for folder in result_folders(suite):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith(".") and path not in allowed:
                mend = ("; 'unrolled spread --prune' removes what is of no row's present version"
                        if folder == suite.places.all_seeds else "")
                yield (f"{path.relative_to(root).as_posix()} belongs to nothing in "
                       f"{suite.suite}params.yaml{mend}")
            elif path.suffix == ".json":
                yield from (f"{suite.suite}{text}" for text in text_differences(
                    path, json_text(read_json(path)), NOT_WRITTEN_SO))


def result_folders(suite: Suite) -> list[Path]:
    """The folders in which every file is a result."""
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
