"""Names of files that a corpus's lists hold: they lead to files of the corpus and nowhere else."""

import os
from pathlib import Path, PurePosixPath

from pipeline.errors import UserError


def file_in(folder: Path, name: str, place: str) -> Path | None:
    """The file of that name below `folder`, None if there is none, whatever the name is.

    Raises UserError naming `place` for a name that leads out of the folder.
    """
    if not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise UserError(f"{place}: {name[:80]!r} is no name of a file in {folder}; mend or remove "
                        "it")
    path = folder / name
    # Path.is_file has errors of its own for names that no file can have.
    return path if os.path.isfile(path) else None
