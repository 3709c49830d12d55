"""Test items as files of one item each, and items as odd as a user's may be.

`own.prepare` of a task makes a test folder of any files in any order, so a test set is shuffled,
split and enlarged by naming its files so.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from pipeline.storage.files import write_text
from tests.trials import trials

_RATE = 16_000


def _longer() -> int:
    """How many times the longest item a long one is."""
    return trials(3, 10)


def pieces(files: list[Path], folder: Path) -> list[Path]:
    """Files of one item each, of `files` as a task's `write_raw` writes them."""
    folder.mkdir(parents=True)
    found = [part for file in files for part in _PARTS.get(file.suffix, _whole)(file)]
    paths = [folder / f"{number:05d}{files[0].suffix}" for number in range(len(found))]
    for path, content in zip(paths, found, strict=True):
        path.write_bytes(content)
    if files[0].suffix != ".txt" and said(files[0]).is_file():
        for file, path in zip(files, paths, strict=True):
            shutil.copy(said(file), said(path))
    return paths


def said(recording: Path) -> Path:
    """Where the text of a recording stands, if its task needs one."""
    return recording.with_name(f"{recording.stem}.txt")


def odd(task: str, known: list[Path], folder: Path) -> list[Path]:
    """Files of odd items beside `known` ones: empty, tiny, unknown, longer than the longest."""
    folder.mkdir(parents=True)
    longest = max(known, key=lambda path: path.stat().st_size)
    made = {"csv": _odd_rows, "jsonl": _odd_lines, "json": _odd_pieces, "png": _odd_pictures,
            "txt": _odd_texts}.get(longest.suffix[1:], _odd_recordings)
    made(longest, folder)
    if task == "addition":
        for name, text in (("zeros", "0 + 0"), ("long", f"0b{'1' * 640} + 1")):
            write_text(folder / f"{name}-sum.txt", f"{text}\n")
    files = sorted(folder.iterdir())
    if longest.suffix != ".txt" and said(longest).is_file():
        for file in files:
            shutil.copy(said(longest), said(file))
    return files


def _whole(file: Path) -> list[bytes]:
    return [file.read_bytes()]


def _lines(file: Path) -> list[bytes]:
    """A line each; of numbered lines a story each."""
    text = file.read_text("utf-8")
    parts = (re.split(r"(?m)^(?=1 )", text)[1:] if text.startswith("1 ")
             else text.splitlines(keepends=True))
    return [part.encode() for part in parts]


def _series(file: Path) -> list[bytes]:
    """The rows of each id below the header."""
    header, *rows = file.read_text("utf-8").splitlines(keepends=True)
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.partition(",")[0], []).append(row)
    return ["".join([header, *own]).encode() for own in found.values()]


_PARTS: dict[str, Callable[[Path], list[bytes]]] = {
    ".txt": _lines, ".jsonl": _lines, ".csv": _series}


def _odd_texts(longest: Path, folder: Path) -> None:
    words = longest.read_text("utf-8").split()
    for name, text in {"empty": "", "blank": "  ", "one": words[0], "mark": ".",
                       "unknown": "qzx \N{SNOWMAN} Wvj-0 " * 3,
                       "long": " ".join(words * _longer()), "endless": "x" * 60}.items():
        write_text(folder / f"{name}.txt", f"{text}\n")


def _odd_rows(longest: Path, folder: Path) -> None:
    """Of start states, or of series where there is a column of times."""
    header, *rows = longest.read_text("utf-8").splitlines()
    columns = [row.split(",") for row in rows]
    if "time" in header.split(","):
        values = [cells[-1] for cells in columns]
        tables = {"none": [], "short": values[:3], "same": ["7"] * len(values),
                  "zeros": ["0"] * len(values), "long": values * 2}
        written = {name: [f"s,{time},{value}" for time, value in enumerate(table)]
                   for name, table in tables.items()}
    else:
        width = len(columns[0]) - 1
        written = {name: [",".join(["s", *[value] * width])]
                   for name, value in {"rest": "0", "far": "100", "farther": "1e30",
                                       "farthest": "1e308"}.items()}
    for name, lines in written.items():
        write_text(folder / f"{name}.csv", "".join(f"{line}\n" for line in [header, *lines]))


def _odd_lines(longest: Path, folder: Path) -> None:
    """No sequence, sequences of as few steps as there are marks, and of many."""
    write_text(folder / "blank.jsonl", "\n")
    record = json.loads(longest.read_text("utf-8"))
    steps = next(iter(record))
    for name, changed in {"short": record[steps][:2], "long": record[steps] * _longer()}.items():
        marks = {key: [0, len(changed) - 1] for key, value in record.items()
                 if key != steps and isinstance(value, list)}
        write_text(folder / f"{name}.jsonl", json.dumps(record | {steps: changed} | marks) + "\n")


def _odd_pieces(longest: Path, folder: Path) -> None:
    steps = json.loads(longest.read_text("utf-8"))
    for name, changed in {"empty": [], "one": steps[:1], "two": steps[:2], "silent": [[], []],
                          "all": [list(range(21, 109))] * 3, "long": steps * _longer()}.items():
        write_text(folder / f"{name}.json", json.dumps(changed))


def _odd_pictures(longest: Path, folder: Path) -> None:
    for name, size in {"dot": (1, 1), "line": (300, 2), "large": (700, 500)}.items():
        Image.new("RGB", size, (200, 30, 90)).save(folder / f"{name}.png")


def _odd_recordings(longest: Path, folder: Path) -> None:
    """Nothing, less than a frame, one frame, silence, and a long noise."""
    noise = np.random.default_rng(1).normal(0, 0.1, _longer() * _RATE)
    for name, samples in {"empty": noise[:0], "click": noise[:100], "frame": noise[:400],
                          "silence": np.zeros(_RATE), "long": noise}.items():
        soundfile.write(folder / f"{name}.wav", samples, _RATE)
