"""Files are whole or absent, and equal content is equal bytes."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage import files


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), files.atomic_writer(path) as file:
        file.write(b"half")
        raise RuntimeError("the writer failed")
    assert files.read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_leaves_no_file_at_the_place(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    code = ("import os, signal, sys; from pathlib import Path; from pipeline.storage.files import "
            "atomic_writer\n"
            "with atomic_writer(Path(sys.argv[1])) as file:\n"
            "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)")
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=Path(__file__).parents[2])
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()
    # What is left behind is ignored by git and named as what it is.
    assert all(file.name.endswith(".part") for file in tmp_path.iterdir())


def test_json_is_canonical_and_refuses_what_json_has_not(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a", {"b": "é", "a": [1, 0.5]})
    assert (tmp_path / "a").read_bytes() == (
        '{\n  "a": [\n    1,\n    0.5\n  ],\n  "b": "é"\n}\n'.encode())
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON compliant"):
            files.write_json(tmp_path / "b", {"x": value})
    assert not (tmp_path / "b").exists()


def test_files_are_readable_by_others(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a", "x")
    assert os.stat(tmp_path / "a").st_mode & 0o777 == 0o644


def test_gzip_has_no_time_stamp_and_no_name(tmp_path: Path) -> None:
    files.write_gzip_lines(tmp_path / "one.gz", ["ä", ""])
    files.write_gzip_lines(tmp_path / "two.gz", ["ä", ""])
    content = (tmp_path / "one.gz").read_bytes()
    assert content == (tmp_path / "two.gz").read_bytes()
    assert content[3] == 0 and content[4:8] == bytes(4)  # RFC 1952: no flags, MTIME 0
    assert files.read_gzip_lines(tmp_path / "one.gz") == ["ä", ""]


@pytest.mark.parametrize("damage", [
    lambda content: content[:-6], lambda content: b"no gzip", lambda content: b"",
    lambda content: content[:20] + bytes([content[20] ^ 255]) + content[21:],
])
def test_damaged_gzip_is_a_users_error(tmp_path: Path, damage) -> None:
    path = tmp_path / "lines.gz"
    files.write_gzip_lines(path, [f"line {number}" for number in range(50)])
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match="lines.gz is damaged"):
        files.read_gzip_lines(path)


def test_text_that_is_not_utf8_names_file_line_and_byte(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\ntwo \xff\n")
    with pytest.raises(UserError, match=r"a\.txt, line 2: byte 8 is not UTF-8"):
        files.read_text(tmp_path / "a.txt")


def test_damaged_and_missing_json_name_file_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{\n"a": \n}')
    with pytest.raises(UserError, match=r"a\.json, line 3: not valid JSON .*run the stage"):
        files.read_json(tmp_path / "a.json")
    with pytest.raises(UserError, match="b.json does not exist; run the stage"):
        files.read_json(tmp_path / "b.json")


def test_sha256_of_a_file_longer_than_a_block(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(content)
    assert files.sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()
