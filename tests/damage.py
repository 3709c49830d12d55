"""Damage to files, as disks, copies and hands do it."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError


def files_in(folder: Path) -> list[Path]:
    """All files of a folder, in their names' order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def flip_bit(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut_byte(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    del content[chance.randrange(len(content))]
    path.write_bytes(content)


ODD = ([], {}, None, "odd", "", True, -1, 1e300, 10**400, float("inf"), float("nan"), [None],
       {"id": 1})


def changed_values(value: Any) -> Iterator[Callable[[Any], Any]]:
    """Ways to put each odd value in the place of each value in a JSON value, the whole included."""
    for odd in ODD:
        if odd != value or type(odd) is not type(value):
            yield lambda _, odd=odd: odd
    inner = value.items() if isinstance(value, dict) else (
        enumerate(value) if isinstance(value, list) else ())
    for key, part in inner:
        for change in changed_values(part):
            yield lambda whole, key=key, change=change: _replaced(whole, key, change(whole[key]))


def change_value(path: Path, chance: random.Random) -> None:
    """Change one value in a JSON file."""
    value = json.loads(path.read_text("utf-8"))
    changed = chance.choice(list(changed_values(value)))(value)
    path.write_text(json.dumps(changed, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _replaced(whole: Any, key: Any, part: Any) -> Any:
    copy = whole.copy()
    copy[key] = part
    return copy


def refused_when_damaged(path: Path, read: Callable[[Path], object],
                         damage: Callable[[Path, random.Random], None], times: int) -> None:
    """Damage a sound file again and again; reading it says each time that it is damaged."""
    good, chance = path.read_bytes(), random.Random(0)
    for _ in range(times):
        damage(path, chance)
        with pytest.raises(UserError, match=f"{path} is damaged"):
            read(path)
        path.write_bytes(good)
