"""The test recordings, out of their corpus."""

import shutil
from pathlib import Path

from pipeline.storage.files import read_json
from pipeline.tasks.asr.own import SUFFIXES


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """A copy of each recording; their names have the order of the test items."""
    folder.mkdir(parents=True, exist_ok=True)
    recordings = {path.stem: path for path in corpus.rglob("*") if path.suffix in SUFFIXES}
    found = []
    for number, item in enumerate(read_json(test / "test.items.json")):
        path = recordings[item["id"].rpartition("/")[2]]
        found.append(Path(shutil.copy(path, folder / f"recording-{number:05d}{path.suffix}")))
    return found
