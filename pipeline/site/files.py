"""Where the site's files are written: a folder that is new, empty, or an earlier site.

All files are written beside the site first, in a folder within it, and put in place when the last
one is there: until then an earlier site stays as it was, whatever ends the call. A list of what is
the site's stands in the folder; writing the site again removes what that list names and is no
longer written, and nothing that somebody else has put there.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.errors import UserError
from pipeline.storage.files import (
    atomic_writer,
    check_place,
    put_in_place,
    read_text,
    unwritable,
    write_text,
)

_MARK = "unrolled-site.txt"
_PART = ".unrolled-site.part"
_BEGINS = "Written by 'unrolled site'"
_ABOUT = f"{_BEGINS}; the next call to this folder replaces these files:\n"


def check_folder(folder: Path) -> None:
    """Raise UserError for a folder that cannot be written, or holds something that is no site."""
    if str(folder) == "-":
        raise UserError("--output -: a site is many files, which standard output cannot keep "
                        "apart; name a folder")
    if not os.path.isdir(folder):
        if os.path.lexists(folder) and not os.path.islink(folder):
            raise UserError(f"--output {folder} is no folder; name another one")
        check_place(folder)
        return
    check_place(folder / _MARK)
    if set(os.listdir(folder)) - {_PART} and not _is_site(folder):
        raise UserError(f"--output {folder} holds something that is no site; name a new folder, "
                        "or remove what is there")


def _is_site(folder: Path) -> bool:
    mark = folder / _MARK
    return os.path.isfile(mark) and read_text(mark).startswith(_BEGINS)


@contextlib.contextmanager
def writing(folder: Path) -> "Iterator[Output]":
    """The site in `folder`, which `check_folder` lets pass, put in place when the block ends.

    Where the block raises an error the folder is left as it was.
    """
    new = not folder.exists()
    part = folder / _PART
    shutil.rmtree(part, ignore_errors=True)  # of a call that was killed
    try:
        output = Output(folder, part)
        yield output
        output.put_in_place()
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if new:
            _remove_empty(folder)


class Output:
    """The files of a site, which wait in `part` until all of them are there."""

    def __init__(self, folder: Path, part: Path) -> None:
        self._folder, self._part = folder, part
        self._written: dict[str, int] = {}

    def page(self, address: str, text: str) -> None:
        self.content(address, text.encode("utf-8"))

    def content(self, address: str, content: bytes) -> None:
        """Add a file that other pages call `address`.

        Raises UserError where that cannot be, and for another file of the same address.
        """
        if address in self._written and (self._part / address).read_bytes() != content:
            raise UserError(f"two files of the site would be called {address}; give the suite, "
                            "track or picture that it is named after another name")
        with atomic_writer(self._part / address, durable=False) as file:
            file.write(content)
        self._written[address] = len(content)

    @property
    def files(self) -> int:
        return len(self._written)

    @property
    def bytes(self) -> int:
        return sum(self._written.values())

    def put_in_place(self) -> None:
        """Take an earlier site's place. Raises UserError, before anything is changed, for a place
        where no file can be.
        """
        names = list(self._written)
        for name in names:
            _check(self._folder, name)
        mark = self._folder / _MARK
        earlier = read_text(mark).splitlines()[1:] if mark.is_file() else []
        # One that is killed from here on leaves files of both sites, which the next call knows.
        _list(mark, list(dict.fromkeys([*earlier, *names])))
        for name in names:
            path = self._folder / name
            with _named(path):
                path.parent.mkdir(parents=True, exist_ok=True)
            put_in_place(self._part / name, path)
        for name in sorted(set(earlier) - set(names)):
            self._remove(name)
        _list(mark, names)

    def _remove(self, name: str) -> None:
        path = self._folder / name
        if ".." in Path(name).parts or Path(name).is_absolute() or not path.is_file():
            return
        with _named(path):
            path.unlink()
        for folder in path.parents[: len(Path(name).parts) - 1]:
            _remove_empty(folder)


def _check(folder: Path, name: str) -> None:
    """Raise UserError where a folder stands in a file's place, or no file can be put."""
    place = folder / name
    if place.is_dir():
        raise unwritable(place, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    while not os.path.lexists(place.parent):
        place = place.parent
    check_place(place)


def _list(mark: Path, names: Sequence[str]) -> None:
    write_text(mark, _ABOUT + "".join(f"{name}\n" for name in names))


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from None


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
