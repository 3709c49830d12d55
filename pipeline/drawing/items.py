"""Which test item a picture shows, where it shows a single one: written down as it is drawn.

Which one that is may depend on what a system answered: states are drawn along words and a map of
attention along a sentence, and where there are none another item is shown, or none. So it cannot
be told afterwards by a rule; pages that put a picture beside its item read it here.
"""

from collections.abc import Mapping
from pathlib import Path

from pipeline.storage.files import write_json
from pipeline.storage.shapes import read_shaped

_FILE = "items.json"
_AGAIN = "remove it and evaluate the system again"


def write_items(directory: Path, items: Mapping[str, str]) -> None:
    """Write beside the pictures in `directory` the ids of the items that they show, by their names.

    A picture of no item, or of several, is not among them; without any, nothing is written.
    """
    if items:
        write_json(directory / _FILE, dict(items))


def read_items(directory: Path) -> dict[str, str]:
    """What `write_items` wrote into `directory`, or nothing where it wrote nothing.

    Raises UserError naming the file where it is damaged.
    """
    path = directory / _FILE
    return read_shaped(path, dict[str, str], _AGAIN) if path.is_file() else {}
