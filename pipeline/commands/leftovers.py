"""What systems, tracks and corpora that are gone have left behind: `unrolled leftovers`.

An entry that is removed or renamed trains nothing and stands on no page, but its files stay: DVC
forgets a stage that it does not find and keeps what it wrote, and `seeds/` and `studies/` are no
stage's. `unrolled verify` refuses such files and what dvc.lock says of them, because a committed
score that nothing makes cannot be checked. Without `--remove` they are only named. Two things stay:
`tests.json` keeps every score that a row ever had, and the tracking store its runs, which MLflow
deletes.
"""

import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from pipeline.errors import UserError
from pipeline.provenance.inputs import make_seed_folders
from pipeline.provenance.lock import read_lock
from pipeline.results.studies import overview
from pipeline.storage.files import read_text, write_text
from pipeline.suite.checks import load_valid
from pipeline.suite.schema import Suite

_STAGE = re.compile(r"^  (\S+):\n(?:    .*\n)*", re.MULTILINE)
_ANY = "any"


def leftovers(params: Path, remove: bool) -> Iterator[str]:
    """A line for each file, folder and stage of `dvc.lock` that belongs to no entry of the suite.

    With `remove` they are gone afterwards. Raises UserError for a suite that is not valid: a
    misspelt name would cost a trained system.
    """
    suite = load_valid(params)
    paths = list(_files(suite))
    stages = [name for name in read_lock(suite.places.lock) if name not in _stages(suite)]
    if remove:
        _take_out(suite, paths, stages)
    verb = "removed" if remove else "left over:"
    yield from (f"{verb} {path.relative_to(suite.places.root).as_posix()}" for path in paths)
    yield from (f"{verb} {name} of dvc.lock" for name in stages)
    if not paths and not stages:
        yield "nothing is left over"
    elif not remove:
        yield "'--remove' removes them; tests.json and the tracking store keep what they have"


def _files(suite: Suite) -> Iterator[Path]:
    """What lies in the places of entries and is of none."""
    places = suite.places
    of_entries: list[tuple[Path, Collection[str]]] = [
        (places.data(_ANY).parent, suite.corpora), (places.features(_ANY).parent, suite.tracks),
        (places.model(_ANY).parent, suite.systems),
        (places.all_checkpoints(_ANY).parent, suite.systems)]
    for folder, known in of_entries:
        yield from (path for path in _in(folder) if path.is_dir() and path.name not in known)
    yield from (path for path in _in(places.leaderboards)
                if path not in (places.overview, places.claims) and _key(path) not in suite.tracks)
    for folder in (places.all_metrics, places.all_curves, places.all_predictions, places.all_costs,
                   places.figures(_ANY, _ANY).parent.parent, places.all_seeds, places.studies):
        for track in _in(folder):
            if track.is_dir() and track.name not in suite.tracks:
                yield track
            elif track.is_dir():
                keys = suite.systems_of(track.name)
                yield from (path for path in _in(track) if _key(path) not in keys)


def _in(folder: Path) -> list[Path]:
    """What lies in a folder that may lack, but for what git and DVC keep there for themselves."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in found if not path.name.startswith(".")]


def _key(path: Path) -> str:
    """The entry whose file it is: no name has a point."""
    return path.name.partition(".")[0]


def _stages(suite: Suite) -> set[str]:
    keys: dict[str, Collection[str]] = {
        "download": suite.corpora, "features": suite.tracks, "train": suite.systems,
        "evaluate": suite.systems, "leaderboard": suite.tracks}
    return {"validate", "report", *(f"{stage}@{key}" for stage, known in keys.items()
                                    for key in known)}


def _take_out(suite: Suite, paths: list[Path], stages: list[str]) -> None:
    """Remove files, folders, and stages of dvc.lock, which is looked at before anything goes."""
    lock = suite.places.lock
    text = _without(lock, stages) if stages else None
    if paths:
        _remove(suite, paths)
    if text is not None:
        write_text(lock, text)


def _remove(suite: Suite, paths: list[Path]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        _no_longer_ignored(path)
    studies = suite.places.studies
    page = studies / "README.md"
    if any(studies in path.parents for path in paths) and page.exists():
        if any(studies.glob("*/*.json")):
            write_text(page, overview(studies))
        else:
            page.unlink()
    make_seed_folders(suite)  # of the tracks that there are


def _no_longer_ignored(path: Path) -> None:
    """Take the line of an output out of the .gitignore in which DVC has put it."""
    file = path.parent / ".gitignore"
    if file.is_file():
        lines = read_text(file).split("\n")
        write_text(file, "\n".join(line for line in lines if line != f"/{path.name}"))


def _without(lock: Path, stages: list[str]) -> str:
    """A dvc.lock without some stages and with every other byte.

    Raises UserError where the stages do not stand there as DVC writes them.
    """
    text = _STAGE.sub(lambda found: "" if found[1] in stages else found[0], read_text(lock))
    wanted = {name: content for name, content in read_lock(lock).items() if name not in stages}
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / lock.name
        write_text(written, text)
        if read_lock(written) != wanted:
            raise UserError(f"{lock} is not as DVC writes it; take {', '.join(stages)} out by hand")
    return text
