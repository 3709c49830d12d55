"""YAML that readers take differently, or that would take the reader down, is refused by line."""

import os
from pathlib import Path

import pytest
from dvc.utils.serialize import load_yaml

from pipeline.errors import UserError
from pipeline.suite.yaml_file import read_yaml

BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n"
                                  for a, b in zip("abcdefgh", "bcdefghi", strict=True))


def reading(folder: Path, content: bytes) -> object:
    path = folder / "params.yaml"
    path.write_bytes(content)
    return read_yaml(path)


@pytest.mark.parametrize("content, message", [
    ("a: 1\nb: &x 1\n", "line 2: the anchor &x gives a value two owners"),
    (BOMB, "line 1: the anchor &a"),
    ("a: *x\n", "an alias gives a value two owners"),
    ("a: {<<: {b: 1}}\n", "a merge gives a value two owners"),
    ("a: 1\nb: !!python/object/apply:os.system [ls]\n", "line 2: the tag"),
    ("a: !!int x\n", "the tag"), ("a: !!binary aGk=\n", "the tag"), ("a: !own x\n", "the tag"),
    ("a: 2026-01-01\n", "'2026-01-01' means different things .* put it in quotes"),
    ("a: 2026-13-45\n", "means different things"),
    ("a: 12:30\n", "'12:30' means different things"),
    ("a: 1:2:3.5\n", "means different things"),
    ("a: 012\n", "without the 0"), ("a: -012\n", "without the 0"), ("a: 00.5\n", "without the 0"),
    ("a: 1_000\n", "without '_'"), ("a: 1_0.5e3\n", "without '_'"),
    ("%YAML 1.1\n---\na: no\n", "a directive"),
    ("? [a]\n: 1\n", "line 1: a key is a name"), ("{[[]]: 1, [[]]: 2}", "a key is a name"),
    ("a: 1\na: 2\n", "not valid YAML.*duplicate key"),
    ("a: 1\n---\nb: 1\n", "not valid YAML.*single document"),
    ("a: [1\n", "not valid YAML.*line"), ("a: 1\n\tb: 1\n", "not valid YAML"),
    ("a: \x00\n", "not valid YAML"), ("a: =\n", "not valid YAML"),
    ("a: " + "9" * 5000 + "\n", "not valid YAML.*digits"),
    ("a: " + "[" * 200 + "]" * 200, "line 1: more than 20 lists"),
    ("{a: " * 5000, "more than 20 lists"),
    ("a: {b: [1, 99999999999999999999]}\n", "a.b.1: a number of 67 bits; a number is finite"),
    ("a: .inf\n", "a: inf; a number is finite"), ("a: [-.Inf]\n", "a.0: -inf"),
    ("a: .nan\n", "a: nan"), ("a: 1e400\n", "a: inf"), ("a: 1e300\n", "a: 1e.300; .* at most"),
    ("a:\n  b: [x, y, x]\n", "a.b: 'x' is listed twice"),
])
def test_what_is_not_plain_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(UserError, match=f"(?s)params.yaml.*{message}"):
        reading(tmp_path, content.encode())


@pytest.mark.parametrize("content, value", [
    ("a: 0\nb: -0.5\nc: 1e-3\nd: 10\ne: 0.05\n", {"a": 0, "b": -0.5, "c": 1e-3, "d": 10,
                                                 "e": 0.05}),
    ("a: '012'\nb: \"12:30\"\nc: '2026-01-01'\n", {"a": "012", "b": "12:30", "c": "2026-01-01"}),
    ("a: no\nb: yes\nc: true\nd: null\n", {"a": "no", "b": "yes", "c": True, "d": None}),
    ("\ufeffa: 1\r\nb: é\r\n", {"a": 1, "b": "é"}),
    ("a: v1_0\nb: 1.2.3\nc: 3-5\n", {"a": "v1_0", "b": "1.2.3", "c": "3-5"}),
])
def test_what_is_plain_is_read_as_dvc_reads_it(tmp_path: Path, content: str,
                                               value: object) -> None:
    assert reading(tmp_path, content.encode()) == value
    assert load_yaml(tmp_path / "params.yaml") == value


@pytest.mark.parametrize("suite", ["params.yaml", "real/params.yaml", "large/params.yaml"])
def test_the_shipped_suites_are_read_as_dvc_reads_them(root: Path, suite: str) -> None:
    assert read_yaml(root / suite) == load_yaml(root / suite)


def test_what_is_no_text_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"params.yaml, line 2: byte 8 .* not UTF-8"):
        reading(tmp_path, b"a: 1\nb: \xff\n")
    with pytest.raises(UserError, match="4194305 bytes, and a params.yaml 4194304 at most"):
        reading(tmp_path, b"#" * (2**22 + 1))
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(UserError, match=f"{name} is no file"):
            read_yaml(tmp_path / name)
    with pytest.raises(UserError, match="none does not exist"):
        read_yaml(tmp_path / "none")
    with pytest.raises(UserError, match="cannot be read"):
        read_yaml(tmp_path / ("x" * 300))
    with pytest.raises(UserError, match="cannot be read"):
        read_yaml(tmp_path / "params.yaml/deep")
