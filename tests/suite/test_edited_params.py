"""A params.yaml that is one edit away from a shipped one is a valid suite, or is refused plainly.

"Plainly" is one `UserError` that names the file. What is valid can be written out as the stages'
inputs, and listings and look-ups of a suite that was not checked whole end plainly, too.
"""

import contextlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.commands.listing import listing
from pipeline.errors import UserError
from pipeline.provenance.inputs import stage_settings
from pipeline.suite.checks import doubts, load_valid
from pipeline.suite.schema import Suite, load
from tests.conftest import ROOT
from tests.trials import trials

SUITES = ["params.yaml", "real/params.yaml", "large/params.yaml"]
TEXTS = {name: (ROOT / name).read_text("utf-8") for name in SUITES}
VALUES = [
    ".inf", "-.inf", ".nan", "null", "~", "''", "[]", "{}", "true", "no", "9" * 30, "1e400", "-1",
    "0", "2026-01-01", "2026-13-45", "012", "1_000", "12:30", "a text", "[1, 2]", "[[[]]]",
    "{a: b}", "{1: 2}", "[null]", "!!python/object:os.system {}", "!!binary aGk=", "&a 1", "*a",
    "'../../x'", "/etc", '"\\0"', '"\\u202e"', "con", "<b>", "'|'", "'`'", "=", "<<",
    "'${seed}'", "0x10", "Ａ", "x" * 300]
CHARACTERS = "\t\x00\ufeff\r:{}[]&*!|>%@`\"'#,?-é\u2028\x85 \n"
_WORD = re.compile(r"[\w.-]+")


@st.composite
def edited(draw: st.DrawFn, text: str) -> bytes:
    """The text with one word replaced, one line cut or doubled, or one character or byte so."""
    kind = draw(st.sampled_from(["value", "word", "line", "again", "cut", "insert", "byte"]))
    if kind in ("cut", "insert", "byte"):
        place = draw(st.integers(0, len(text) - 1))
        if kind == "byte":
            content = text.encode()
            return content[:place] + draw(st.binary(max_size=2)) + content[place + 1:]
        inserted = draw(st.sampled_from(CHARACTERS)) if kind == "insert" else ""
        return (text[:place] + inserted + text[place + (kind == "cut"):]).encode()
    lines = text.split("\n")
    numbers = [number for number, line in enumerate(lines)
               if ":" in line and not line.startswith("#")]
    number = draw(st.sampled_from(numbers))
    line, value = lines[number], draw(st.sampled_from(VALUES))
    if kind == "value":
        lines[number] = f"{line[: line.index(':') + 1]} {value}"
    elif kind == "word":
        found = draw(st.sampled_from(list(_WORD.finditer(line)) or [None]))
        lines[number] = f"{line[: found.start()]}{value}{line[found.end():]}" if found else value
    else:
        lines[number : number + 1] = [line, line] if kind == "again" else []
    return "\n".join(lines).encode()


def check_whole(path: Path) -> None:
    suite = load_valid(path)
    list(doubts(suite))
    for stage, keys in (("download", suite.corpora), ("features", suite.tracks),
                        ("train", suite.systems), ("evaluate", suite.systems),
                        ("leaderboard", suite.tracks), ("report", [""])):
        for key in keys:
            json.dumps(stage_settings(suite, stage, key), allow_nan=False)
            assert suite.places.input(stage, key).is_relative_to(suite.places.base)


def look_up(suite: Suite) -> None:
    """What commands ask of a suite that they have not checked whole."""
    list(listing(suite, None, True))
    for key in list(suite.systems)[::5]:
        suite.rows_of(key)
        for asked in (suite.system, lambda key: suite.features(suite.track_of(key)),
                      lambda key: suite.corpus(suite.track(suite.track_of(key)).corpus)):
            with contextlib.suppress(UserError):
                asked(key)


@pytest.mark.fuzz
@pytest.mark.parametrize("name", SUITES)
def test_one_edit_is_valid_or_refused_plainly(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)

    @settings(max_examples=trials(10, 1000))
    @given(edited(TEXTS[name]))
    def one_edit(content: bytes) -> None:
        path.write_bytes(content)
        for attempt in (check_whole, lambda path: look_up(load(path))):
            try:
                attempt(path)
            except UserError as error:
                assert str(path) in str(error) and len(str(error)) < 20_000

    one_edit()


@pytest.mark.parametrize("old, new, message", [
    ("learning_rate: 0.005", "learning_rate: .inf", "learning_rate: inf; a number is finite"),
    ("seed: 1\n", "seed: 1e400\n", "seed: inf"),
    ("seed: 1\n", "seed: " + "9" * 30 + "\n", "seed: a number of 100 bits"),
    ("seed: 1\n", "seed: 2026-01-01\n", "line 7: '2026-01-01'"),
    ("seed: 1\n", "", "seed: this key is missing"),
    ("seed: 1\n", "seed: 1\nseed: 1\n", "duplicate key"),
    ("root: .\n", "root: /etc\n", "root: Input should be '.' or '..'"),
    ("suite: ''", "suite: /elsewhere/", "suite: a suite is"),
    ("suite: ''", "suite: ../x/", "suite: a suite is"),
    ("suite: ''", "suite: data/", "suite: a suite is"),
    ("suite: ''", "suite: real", "suite: a suite is"),
    ("root: .\nsuite: ''", "root: ..\nsuite: real/", "not the folder that this file lies in"),
    ("  lm-word:\n", "  claims:\n", "tracks: a track cannot be called claims"),
    ("      greedy: ", "      ../../x: ", "variants.../../x: a name is lower-case letters"),
    ("title: Word", "title: \"Word\\n\"\n    x: ", "title: this is shown on one line"),
])
def test_a_mistake_is_told_with_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = TEXTS["params.yaml"]
    assert old in text
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        load_valid(path)
    assert str(path) in str(caught.value) and message in str(caught.value)
