"""`unrolled site`: the pages of one or more suites, written into a folder."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.commands.project import find_params, suite_file
from pipeline.errors import UserError
from pipeline.site.files import check_folder
from pipeline.suite.schema import Suite, load

_MEGABYTE = 1_000_000


def write_site(names: Sequence[str], output: Path, here: Path) -> str:
    """Write the site of the named suites, or of all that have leaderboards; what to say of it.

    `here` is the folder that the command is called in. Raises UserError for a suite that does not
    exist, one without leaderboards, and a folder that holds something else.
    """
    check_folder(output)
    suites = [load(suite_file(name, here)) for name in names] or _with_leaderboards(here)
    if len({suite.name for suite in suites}) < len(suites):
        raise UserError("a suite is named twice; name each once")
    from pipeline.site.building import render_site

    done = render_site(suites, output)
    return (f"{done.files:,} files, {done.bytes / _MEGABYTE:.1f} MB, of "
            f"{' and '.join(suite.name for suite in suites)}; open {done.front} in a browser")


def _with_leaderboards(here: Path) -> list[Suite]:
    """The suites of the project that have any leaderboard, that of its top folder first."""
    nearest = load(suite_file(None, here))
    root = nearest.places.root
    files = [root / "params.yaml", *sorted(root.glob("*/params.yaml"))]
    found = [suite for suite in (load(file) for file in files
                                 if file.is_file() and find_params(file.parent) == file)
             if suite.places.leaderboards.is_dir()
             and any(suite.places.board(track).is_file() for track in suite.tracks)]
    if not found:
        raise UserError(f"no suite of {root} has a leaderboard; 'unrolled repro' makes them")
    return found
