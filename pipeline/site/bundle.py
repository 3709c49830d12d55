"""The pages' scripts and style, bundled from npm once and kept below work/.

`web/` holds their sources, the versions of all packages and the hashes of their files
(`package-lock.json`). The bundle is kept under the hash of that folder, so that an edit makes
another one, and a second site needs neither npm nor a network. Nothing is asked of a network by the
pages themselves.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from pipeline import processes
from pipeline.errors import UserError
from pipeline.storage.files import put_in_place, write_bytes
from pipeline.suite.places import Places

WEB = Path(__file__).with_name("web")
_TOLD = 5  # lines of a failed command
FILES = ("page.js", "charts.js", "math.js", "page.css", "licences.txt")


def bundled(places: Places) -> Path:
    """The folder with `FILES`, and with `node_modules` beside it where they were made here.

    Raises UserError that says what to install where npm is missing or fails.
    """
    made = kept(places)
    if all((made / name).is_file() for name in FILES):
        return made
    npm = shutil.which("npm")
    if npm is None:
        raise UserError("npm is not installed, and the pages' scripts are bundled from its "
                        "packages once; install Node.js 18 or later, which brings npm, and call "
                        "'unrolled site' again")
    made.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=made.parent, prefix="making-") as folder:
        web = Path(folder) / "web"
        for path in _sources():
            copy = web / path.relative_to(WEB)
            copy.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(copy, path.read_bytes())
        _call([npm, "ci", "--no-progress"], web, "'npm ping' tells whether npm reaches a registry")
        _call(["node", "build.mjs", str(web)], web,
              "'node --version' tells whether Node.js is 18 or later")
        if made.exists():  # half a bundle, or another call was quicker
            shutil.rmtree(made)
        put_in_place(web, made)
    return made


def kept(places: Places) -> Path:
    """Where the bundle of the sources as they are now is kept, whether it has been made or not."""
    return places.work / "site" / _digest()


def _digest() -> str:
    """16 hexadecimal digits of the names and contents of the sources."""
    found = hashlib.sha256()
    for path in _sources():
        found.update(f"{path.relative_to(WEB).as_posix()}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


def _sources() -> list[Path]:
    return [path for path in sorted(WEB.rglob("*"))
            if path.is_file() and "node_modules" not in path.parts]


def _call(command: list[str], folder: Path, remedy: str) -> None:
    done = processes.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True)
    if done.returncode:
        told = "; ".join(line.strip() for line in done.stdout.splitlines()[-_TOLD:] if line.strip())
        raise UserError(f"the pages' scripts could not be bundled: '{Path(command[0]).name} "
                        f"{command[1]}' says: {told or 'nothing'}; {remedy}")
