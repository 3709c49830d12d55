"""The test paths' starts as somebody would write them."""

from pathlib import Path

from pipeline.storage.files import read_json, write_text
from pipeline.tasks.trajectory.shared.starts import read_starts


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """One file with a start a row."""
    items = read_json(test / "items.json")
    lines = [",".join(["id", *items["coordinates"]])]
    lines += [",".join([identity, *map(repr, start)]) for identity, start in
              zip(items["ids"], read_starts(test).tolist(), strict=True)]
    path = folder / "starts.csv"
    write_text(path, "".join(f"{line}\n" for line in lines))
    return [path]
