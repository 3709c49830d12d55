"""The test pasts as somebody would write them."""

from pathlib import Path

from pipeline.storage.files import write_text
from pipeline.tasks.forecast.shared.storage import load_ids, load_pasts


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """One file with a point a line."""
    lines = ["id,time,value"]
    for identity, past in zip(load_ids(test), load_pasts(test), strict=True):
        lines += [f"{identity},{time},{value!r}" for time, value in enumerate(past.tolist())]
    path = folder / "series.csv"
    write_text(path, "".join(f"{line}\n" for line in lines))
    return [path]
