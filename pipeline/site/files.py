"""Where the site's files are written: a folder that is new, empty, or an earlier site.

Pages refer to one another by relative addresses, so that the folder can be copied anywhere and
opened from disk. A list of what was written stands in it; writing the site again removes what that
list names, and nothing that somebody else has put there.
"""

import os
import re
from pathlib import Path

from pipeline.errors import UserError
from pipeline.storage.files import atomic_writer, check_place, read_text, unwritable, write_text

_MARK = "unrolled-site.txt"
_ABOUT = "Written by 'unrolled site'; the next call to this folder replaces these files:\n"


def check_folder(folder: Path) -> None:
    """Raise UserError for a folder that cannot be written, or holds something that is no site."""
    if not os.path.isdir(folder):
        if os.path.lexists(folder) and not os.path.islink(folder):
            raise UserError(f"--output {folder} is no folder; name another one")
        check_place(folder)
        return
    check_place(folder / _MARK)
    if os.listdir(folder) and not os.path.isfile(folder / _MARK):
        raise UserError(f"--output {folder} holds something that is no site; name a new folder, "
                        "or remove what is there")


class Output:
    """The folder that pages are written to, which `check_folder` lets pass."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written: dict[str, int] = {}
        mark = folder / _MARK
        if mark.is_file():
            self._remove(read_text(mark))
        else:
            write_text(mark, _ABOUT)

    def page(self, address: str, text: str) -> None:
        self.content(address, text.encode("utf-8"))

    def content(self, address: str, content: bytes) -> None:
        """Write a file that other pages call `address`. Raises UserError where that cannot be."""
        with atomic_writer(self.folder / address, durable=False) as file:
            file.write(content)
        self._written[address] = len(content)

    def close(self) -> tuple[int, int]:
        """Write the list of files; how many there are, and their bytes."""
        write_text(self.folder / _MARK, _ABOUT + "".join(f"{name}\n" for name in self._written))
        return len(self._written), sum(self._written.values())

    def _remove(self, mark: str) -> None:
        for name in mark.splitlines()[1:]:
            path = self.folder / name
            if ".." in Path(name).parts or Path(name).is_absolute() or not path.is_file():
                continue
            try:
                path.unlink()
            except OSError as error:
                raise unwritable(path, error) from None


def root_of(address: str) -> str:
    """From a page back to the site's first folder: '../' for each folder it lies in."""
    return "../" * address.count("/")


def slug(text: str) -> str:
    """A text as part of an address within a page."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
