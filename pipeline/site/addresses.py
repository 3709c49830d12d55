"""How pages refer to one another, and what names become in addresses: of a row, of a picture.

All addresses are relative, so that the site can be copied anywhere and opened from disk.
"""

import re


def root_of(address: str) -> str:
    """From a page back to the site's first folder: '../' for each folder it lies in."""
    return "../" * address.count("/")


def slug(text: str) -> str:
    """A text as part of an address within a page."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def row_anchor(row: str) -> str:
    """Where a row of ours stands on its track's page; its name has letters, digits, '-' and ':'."""
    return f"row-{row.replace(':', '.')}"


def lecture_anchor(name: str) -> str:
    """Where a lecture stands on a suite's page of claims."""
    return f"lecture-{slug(name)}"


def picture_file(identity: str) -> str:
    """The file of a test item's picture."""
    return f"item-{slug(identity)}.png"
