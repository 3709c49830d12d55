"""A snapshot of the project's own code: how `pipeline/corpora/source_code.tar.gz` was made.

A corpus of living code would change with every commit, and with it every row that learnt from it.
So some folders were packed once, whole files as they stood, and what is read is the pack. To make
another one, call `freeze` with the project's folder and that of the reader; it writes the archive
and the listing beside it, whose SHA-256, which it returns, goes into the reader. The same files
give the same listing, and on one version of zlib the same archive.
"""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.storage.files import write_bytes, write_text
from pipeline.storage.folders import files_in

TOP = "source_code"
FOLDERS = ("ngram", "nn", "storage", "suite", "systems")
# Of ten files in a row, by path; the rest are training data.
_PLACES = {4: "valid", 2: "test", 7: "test"}


def freeze(project: Path, directory: Path) -> str:
    """Write `source_code.tar.gz` and its listing into `directory`; return the listing's SHA-256."""
    files = chosen(project / "pipeline")
    lines = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n"
                    for name, content in files.items())
    write_bytes(directory / f"{TOP}.tar.gz", packed(files))
    write_text(directory / f"{TOP}_members.sha256", lines)
    return hashlib.sha256(lines.encode()).hexdigest()


def chosen(pipeline: Path) -> dict[str, bytes]:
    """The files of `FOLDERS` by `<split>/<path>`, sorted; a package's own file holds no code."""
    paths = [path for folder in FOLDERS for path in files_in(pipeline / folder, "**/*.py")
             if path.name != "__init__.py"]
    return dict(sorted((f"{_PLACES.get(number % 10, 'train')}/"
                        f"{path.relative_to(pipeline).as_posix()}", path.read_bytes())
                       for number, path in enumerate(paths)))


def packed(files: Mapping[str, bytes]) -> bytes:
    """A .tar.gz of the files below `TOP`, without times and owners."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{TOP}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), 9, mtime=0)
