"""Sequences of one's own: answered as in the suite, or refused by their line."""

import json
from pathlib import Path

import pytest

from pipeline.errors import UserError
from tests.tasks.answers import answers, written
from tests.tasks.memory.raw import write_raw
from tests.tasks.memory.test_systems import baseline, net


@pytest.mark.parametrize("model", ["recurrent", "constant"])
@pytest.mark.parametrize("name", ["adding", "recall"])
def test_the_test_sequences_are_answered_as_in_the_suite(name: str, model: str, tmp_path: Path,
                                                         tracks: dict[str, Path]) -> None:
    track = tracks[name]
    system = net(track) if model == "recurrent" else baseline(track, tmp_path)
    files = write_raw(track / "test", tmp_path, track / "data")
    found = [row["answer"] for row in answers(system, files, tmp_path / "model")]
    assert found == [one["answer"] for one in system.predict(track / "test", None)]
    assert len(found) == 60


def test_a_sequence_needs_no_answer_beside_it(tracks: dict[str, Path], tmp_path: Path) -> None:
    system = net(tracks["adding"])
    lines = [{"values": [0.5, 0.25, 1], "marks": [0, 1]},
             {"values": [0.5, 0.25, 1], "marks": [0, 1], "sum": 7, "note": "x"}]
    file = written(tmp_path / "own.jsonl", "\ufeff" + "\r\n".join(map(json.dumps, lines)))
    first, second = answers(system, [file], tmp_path / "model")
    assert first == {"file": str(file), "line": 1, "steps": 3, "answer": second["answer"]}
    assert second["line"] == 2


@pytest.mark.parametrize(("name", "content", "message"), [
    ("adding", "", "own.jsonl is empty"),
    ("adding", "\n", r'own.jsonl, line 1: .*; write a line like {"values": \[0.5, 0.25, 0.1\], "m'),
    ("adding", '{"values": [1, 2], "marks": [0, 1]}\n\n', "own.jsonl, line 2: Expecting value"),
    ("adding", "[1, 2]", "line 1: expected an object with 'values' and 'marks'"),
    ("adding", '{"values": [1, 2]}', "line 1: 'marks' is missing; write a line like"),
    ("adding", '{"values": [1, NaN], "marks": [0, 1]}', "line 1: NaN is no number of JSON"),
    ("adding", '{"values": [[1, 2]], "marks": [0, 1]}', "line 1: 'values' is no list of finite"),
    ("adding", '{"values": ["a", 2], "marks": [0, 1]}', "line 1: 'values' is no list of finite"),
    ("adding", '{"values": [1, 2], "marks": [0, 2]}', "line 1: expected two rising positions"),
    ("adding", '{"values": [1, 2], "marks": 1}', "line 1"),
    ("recall", "a", 'own.jsonl, line 1: .*; write a line like {"symbols": "aaa", "triggers"'),
    ("recall", '{"symbols": "abz", "triggers": [0, 2]}', "line 1: 'z' is none of the symbols"),
    ("recall", '{"symbols": ["ab"], "triggers": [0, 1]}', "line 1: 'symbols' is no text"),
    ("recall", '{"symbols": "abc", "triggers": [0, 1]}',
     "line 1: the second of 'triggers' is at 1, not at the last step"),
])
def test_what_is_no_sequence_is_named(name: str, content: str, message: str, tmp_path: Path,
                                      tracks: dict[str, Path]) -> None:
    with pytest.raises(UserError, match=message):
        answers(net(tracks[name]), [written(tmp_path / "own.jsonl", content)], tmp_path / "model")
