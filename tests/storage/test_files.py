"""Files are whole or absent, and equal content is equal bytes."""

import hashlib
import io
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.storage import files
from pipeline.storage.arrays import write_array


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


def test_a_new_file_has_the_mode_that_the_process_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.write_text(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a") == 0o640


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_that_is_there_keeps_its_mode_and_other_names_of_it_their_content(
        tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_text("old")
    path.chmod(0o604)
    other.hardlink_to(path)
    files.write_text(path, "new")
    assert mode(path) == 0o604
    assert (path.read_text(), other.read_text()) == ("new", "old")


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_target_is_written(tmp_path: Path, there: bool) -> None:
    target, link = tmp_path / "deep/target", tmp_path / "links/link"
    target.parent.mkdir()
    link.parent.mkdir()
    if there:
        target.write_text("old")
    link.symlink_to("../deep/between")
    (tmp_path / "deep/between").symlink_to("target")
    files.write_text(link, "new")
    assert link.is_symlink() and not target.is_symlink()
    assert target.read_text() == "new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "between", "deep", "link", "links", "target"]


def test_a_failed_write_through_a_link_leaves_its_target(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    with pytest.raises(RuntimeError), files.atomic_writer(tmp_path / "link") as file:
        file.write(b"half")
        raise RuntimeError("the writer failed")
    assert (tmp_path / "target").read_text() == "old"


def test_a_read_only_file_behind_a_link_is_a_caches_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cached").write_text("old")
    (tmp_path / "cached").chmod(0o444)
    (tmp_path / "link").symlink_to("cached")
    with pytest.raises(UserError, match="link cannot be written, it leads to .*read-only"):
        files.write_text(tmp_path / "link", "new")
    assert (tmp_path / "cached").read_text() == "old"


def test_a_pipe_is_written_and_stays_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        files.write_text(path, "text")
        assert os.read(reader, 100) == b"text"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert list(tmp_path.iterdir()) == [path]


def test_devices_are_written_and_stay_devices(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/null")
    for path in (Path("/dev/null"), tmp_path / "link"):
        before = os.lstat(path)
        files.write_text(path, "text")
        assert os.lstat(path).st_ino == before.st_ino and stat.S_ISCHR(os.stat(path).st_mode)
    assert (tmp_path / "link").is_symlink()


def test_a_full_disk_names_the_file_whoever_writes(tmp_path: Path) -> None:
    """/dev/full takes nothing. NumPy would write past the file to its descriptor."""
    (tmp_path / "link").symlink_to("/dev/full")
    writes: list[Callable[[Path], None]] = [
        lambda path: files.write_text(path, "text"),
        lambda path: write_array(path, np.zeros(100_000)),
        lambda path: files.write_gzip_lines(path, ["a"])]
    for name in ("/dev/full", str(tmp_path / "link")):
        for write in writes:
            with pytest.raises(UserError, match=f"{name} cannot be written .*No space.*make room"):
                write(Path(name))


def test_standard_output_as_a_file_is_added_to(tmp_path: Path) -> None:
    code = ("from pathlib import Path; from pipeline.storage import files\n"
            "files.write_text(Path('/dev/stdout'), 'new')")
    (tmp_path / "out").write_text("old ")
    with (tmp_path / "out").open("a") as out:
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], stdout=out,
                       check=True)
    assert (tmp_path / "out").read_text() == "old new"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2],
                          capture_output=True, check=True)
    assert done.stdout == b"new"


def unwritable_places(folder: Path) -> dict[str, str]:
    """Paths at which no file can be written, and what is said of them."""
    (folder / "file").write_text("a file")
    (folder / "loop").symlink_to("pool")
    (folder / "pool").symlink_to("loop")
    (folder / "to-folder").symlink_to(".")
    return {
        str(folder): "this is a folder: name a file in it",
        str(folder / "to-folder"): "this is a folder: name a file in it",
        str(folder / "file/below"): "name a folder",
        str(folder / "file/below/deep"): "name a folder",
        str(folder / "loop"): "leads back to itself",
        str(folder / ("x" * 256)): "shorten the name",
        str(folder / "a\0b"): "a name holds no NUL",
    }


def test_what_cannot_be_written_is_named_with_a_remedy(tmp_path: Path) -> None:
    places = unwritable_places(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for name, remedy in places.items():
        for attempt in (lambda path: files.write_text(path, "x"), files.check_place):
            with pytest.raises(UserError, match="cannot be written") as caught:
                attempt(Path(name))
            assert remedy in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(UserError, match="/proc/none cannot be written"):
        files.write_text(Path("/proc/none"), "x")
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_text() == "a file"


def test_a_name_of_all_bytes_that_a_file_system_takes_can_be_written(tmp_path: Path) -> None:
    for name in ("x" * 255, "é" * 127, "a b\n", "-", "\\", "\udcff"):
        files.write_text(tmp_path / name, name.encode("utf-8", "replace").hex())
        assert [path.name for path in tmp_path.iterdir()] == [name]
        (tmp_path / name).unlink()


def test_a_folder_is_made_only_where_that_is_wished(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a/b/c", "x")
    with pytest.raises(UserError, match="make the folder first"), \
            files.atomic_writer(tmp_path / "d/e", make_folder=False):
        pass
    with pytest.raises(UserError, match="make the folder first"):
        files.check_place(tmp_path / "d/e")
    assert not (tmp_path / "d").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_rights_decide_for_those_who_are_not_root(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("old")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "open/file").write_text("old")
    code = ("import os, sys; from pathlib import Path; from pipeline.errors import UserError; "
            "from pipeline.storage import files\n"
            "os.chdir(sys.argv[1]); os.setgid(65534); os.setuid(65534)\n"
            "for name in ('folder/file', 'folder/new', 'open/file'):\n"
            "    for attempt in (files.check_place, lambda path: files.write_text(path, 'new')):\n"
            "        try: attempt(Path(name)); print('written')\n"
            "        except UserError as error: print(error)\n")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], text=True,
                          cwd=Path(__file__).parents[2], capture_output=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 6 and all("get the right to write there" in line for line in lines)
    assert {path.read_text() for path in tmp_path.rglob("file")} == {"old"}


def test_what_has_grown_is_put_in_place_and_a_copy_has_every_file(tmp_path: Path) -> None:
    with files.growing(tmp_path / "log") as file:
        file.write(b"one")
    with files.growing(tmp_path / "log") as file:
        assert file.tell() == 3
        file.write(b"two")
    files.put_in_place(tmp_path / "log", tmp_path / "done")
    assert (tmp_path / "done").read_bytes() == b"onetwo" and not (tmp_path / "log").exists()
    files.write_text(tmp_path / "tree/deep/a", "a")
    files.put_in_place(tmp_path / "tree", tmp_path / "moved")
    files.copy_folder(tmp_path / "moved", tmp_path / "copy")
    assert (tmp_path / "copy/deep/a").read_text() == "a"


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


def test_nobody_writes_past_the_file_that_names_itself_in_errors(tmp_path: Path) -> None:
    with files.atomic_writer(tmp_path / "a") as file, pytest.raises(io.UnsupportedOperation):
        file.fileno()
