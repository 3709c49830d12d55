"""Files of one's own, an edit or two away from good ones: read, or refused by name."""

import json
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.tasks.addition import own as addition
from pipeline.tasks.contract import OwnFile, Trained
from pipeline.tasks.memory import own as memory
from pipeline.tasks.music import own as music
from pipeline.tasks.music.shared.midi import write_midi
from pipeline.tasks.music.shared.rolls import roll_of
from pipeline.tasks.trajectory import own as trajectory
from tests.trials import trials

ADDING = {"steps": "values", "marks": "marks", "alphabet": None, "ends": False}
RECALL = {"steps": "symbols", "marks": "triggers", "alphabet": "abc", "ends": False}
GOOD: dict[str, tuple[ModuleType, dict[str, Any], str]] = {
    "sums": (addition, {}, "13 + 5\n0b1101 + 0b0101\n\n007+0\n"),
    "numbers": (memory, {"layout": ADDING},
                '{"values": [0.5, 0.25, 0.1], "marks": [0, 1]}\n'
                '{"values": [0, 1e-3, 2], "marks": [0, 2]}\n'),
    "symbols": (memory, {"layout": RECALL}, '{"symbols": "cab", "triggers": [0, 2]}\n'),
    "starts": (trajectory, {"coordinates": ["x", "y"]}, 'id,x,y,time\na,0.5,"1",0\nb,-1e3,2,0.0\n'),
    "piece": (music, {}, "[[60, 67], [62, 69], [], [60]]"),
}
ODD = ["", "\ufeff", "\u2028", "\0", "\r", '"', "[", "{", ",", "-", "e", "9", "9" * 5000, "1e999",
       "NaN", "null", "true", "\u0663", "\u00b2", "\u00e9", "[" * 50_000, "\n\n"]


def prepared(module: ModuleType, spec: dict[str, Any], content: bytes, folder: Path) -> None:
    file = folder / "own"
    file.write_bytes(content)
    records = module.prepare([OwnFile("own", file)], Trained(spec, folder), folder / "out")
    assert all(record["file"] == "own" for record in records)


def midi(folder: Path) -> bytes:
    write_midi(folder / "own.mid", roll_of([[60, 67], [62, 69], [], [60]]))
    return (folder / "own.mid").read_bytes()


@pytest.mark.fuzz
@pytest.mark.parametrize("kind", [*GOOD, "midi"])
def test_damaged_files_are_read_or_refused_by_name(kind: str, tmp_path: Path) -> None:
    module, spec, text = GOOD.get(kind, (music, {}, ""))
    good = text.encode() or midi(tmp_path)
    prepared(module, spec, good, tmp_path)
    chance, named = random.Random(kind), 0
    for _ in range(trials(60, 6000)):
        content = bytearray(good)
        for _ in range(chance.choice([1, 1, 2])):
            place = chance.randrange(len(content) + 1)
            cut = chance.choice([0, 1, 1, 3, len(content)])
            content[place : place + cut] = chance.choice(
                [bytes([chance.randrange(256)]), chance.choice(ODD).encode()])
        try:
            prepared(module, spec, bytes(content), tmp_path)
        except UserError as error:
            assert str(error).startswith("own")
            named += 1
    assert named > 10


@pytest.mark.parametrize("steps", [
    [0.5, 10**400, 1], [0.5, 1e39, 1], [0.5, True, 1], [0.5, "1", 1], [0.5, None, 1],
    [[1], [2], [3]], "abc", {"0": 1}, 5, None, []])
def test_what_is_no_sequence_of_numbers_is_refused(steps: Any, tmp_path: Path) -> None:
    line = json.dumps({"values": steps, "marks": [0, 1]})
    with pytest.raises(UserError, match="^own, line 1: "):
        prepared(memory, {"layout": ADDING}, line.encode(), tmp_path)
