"""Downloads against a server that fails in every way that servers fail."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pipeline.corpora.fetching.files import Patience, RemoteFile, fetch, obtain
from pipeline.errors import UserError
from tests.corpora.fetching.faulty_server import serving

CONTENT = bytes(range(256)) * 2048
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(attempts=6, timeout=0.3, first_pause=0.01, longest_pause=0.05)


def remote(url: str | None, mirror: str | None = "corpus/corpus.txt",
           sha256: str = SHA256) -> RemoteFile:
    return RemoteFile("corpus.txt", mirror, url, sha256=sha256)


def get(file: RemoteFile, folder: Path, mirror: Path | None = None,
        patience: Patience = QUICK) -> bytes:
    fetch([file], folder / "data", mirror, downloads=folder / "downloads", patience=patience)
    return (folder / "data" / "corpus.txt").read_bytes()


def assert_nothing_given_out(folder: Path) -> None:
    assert not (folder / "data").exists() or not any((folder / "data").iterdir())
    assert not list((folder / "downloads").rglob("corpus.txt"))


@pytest.mark.parametrize("script, requests", [
    ([], 1),
    (["truncate"], 2),
    (["truncate"] * 6, 7),
    (["truncate silently"], 2),
    (["corrupt"], 2),
    (["stall"], 2),
    (["503", "503"], 3),
    (["drop"], 2),
    (["truncate", "ignore range"], 2),
    (["truncate", "refuse range"], 3),
    (["truncate", "wrong range"], 3),
    (["truncate", "corrupt"], 3),
    (["stall", "503", "truncate", "refuse range", "drop", "truncate", "corrupt"], 8),
], ids=lambda value: " then ".join(value) if isinstance(value, list) else "")
def test_every_fault_ends_with_the_whole_file(
        tmp_path: Path, script: list[str], requests: int) -> None:
    with serving(CONTENT, *script) as server:
        assert get(remote(server.url), tmp_path) == CONTENT
        assert not server.script
        assert len(server.ranges) == requests, "no more is asked for than the fault costs"


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with serving(CONTENT, "truncate") as server:
        get(remote(server.url), tmp_path)
    assert server.ranges == [None, f"bytes={len(CONTENT) // 2}-"]


@pytest.mark.parametrize("already", [
    CONTENT[:1], CONTENT[:-1], CONTENT, CONTENT + b"more", b"X" * 1000, b"X" * len(CONTENT)],
    ids=["a byte", "all but one", "all", "too much", "other bytes", "other bytes, same length"])
def test_whatever_part_a_killed_process_left_the_file_comes_out_whole(
        tmp_path: Path, already: bytes) -> None:
    with serving(CONTENT, "404") as server:
        with pytest.raises(UserError):
            get(remote(server.url), tmp_path)
        store, = (path for path in (tmp_path / "downloads").iterdir())
        (store / "corpus.txt.part").write_bytes(already)
        assert get(remote(server.url), tmp_path) == CONTENT


def test_a_process_killed_in_mid_download_is_resumed_by_range(tmp_path: Path, root: Path) -> None:
    program = ("import sys\nfrom pathlib import Path\n"
               "from pipeline.corpora.fetching.files import RemoteFile, fetch\n"
               "url, sha256, data, downloads = sys.argv[1:]\n"
               "fetch([RemoteFile('corpus.txt', 'corpus/corpus.txt', url, sha256=sha256)],"
               " Path(data), None, downloads=Path(downloads))\n")
    with serving(CONTENT, "stall") as server:
        child = subprocess.Popen(
            [sys.executable, "-c", program, server.url, SHA256, str(tmp_path / "data"),
             str(tmp_path / "downloads")], cwd=root)
        give_up = time.monotonic() + 60
        received = 0
        while received < len(CONTENT) // 2 - (1 << 16) and time.monotonic() < give_up:
            received = sum(path.stat().st_size
                           for path in (tmp_path / "downloads").rglob("*.part"))
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert_nothing_given_out(tmp_path)
        part, = (tmp_path / "downloads").rglob("*.part")
        kept = part.stat().st_size
        assert 0 < kept < len(CONTENT)
        assert get(remote(server.url), tmp_path) == CONTENT
        assert server.ranges == [None, f"bytes={kept}-"]


def test_altered_bytes_are_fetched_once_more_then_refused_with_both_checksums(
        tmp_path: Path) -> None:
    with serving(CONTENT, "corrupt", "corrupt", "corrupt") as server:
        with pytest.raises(UserError) as caught:
            get(remote(server.url), tmp_path)
        assert len(server.ranges) == 2
        altered = hashlib.sha256(bytes([CONTENT[0] ^ 1]) + CONTENT[1:]).hexdigest()
        assert f"expected SHA-256 {SHA256}, got {altered}" in str(caught.value)
    assert_nothing_given_out(tmp_path)


def test_a_known_size_is_checked(tmp_path: Path) -> None:
    with serving(CONTENT) as server, pytest.raises(UserError, match="expected 9 bytes, got 524288"):
        get(RemoteFile("corpus.txt", None, server.url, sha256=SHA256, size=9), tmp_path)
    assert_nothing_given_out(tmp_path)


def test_git_blob_id_is_checked_as_git_computes_it(tmp_path: Path) -> None:
    # `printf 'hello\n' | git hash-object --stdin`
    blob = "ce013625030ba8dba906f756967f9e9ca394464a"
    with serving(b"hello\n") as server:
        assert get(RemoteFile("corpus.txt", None, server.url, git_blob=blob), tmp_path)
    with serving(b"hallo\n") as server, pytest.raises(UserError, match=f"git blob id {blob}"):
        get(RemoteFile("corpus.txt", None, server.url, git_blob=blob), tmp_path / "other")


def test_a_file_without_a_checksum_is_refused() -> None:
    with pytest.raises(ValueError, match="checksum"):
        RemoteFile("corpus.txt", None, "http://127.0.0.1/")


@pytest.mark.parametrize("wish", ["1", "date"])
def test_the_server_is_given_the_time_it_asks_for(tmp_path: Path, wish: str) -> None:
    patience = Patience(attempts=2, timeout=5, first_pause=0.0, longest_pause=5)
    # A date has whole seconds, so that two seconds ahead is at least one.
    wish = wish if wish == "1" else format_datetime(datetime.now(UTC) + timedelta(seconds=2))
    with serving(CONTENT, "503", retry_after=wish) as server:
        assert get(remote(server.url), tmp_path, patience=patience) == CONTENT
    assert server.times[1] - server.times[0] >= 0.9


def test_but_not_more_than_the_bound(tmp_path: Path) -> None:
    with serving(CONTENT, "503", retry_after="86400") as server:
        assert get(remote(server.url), tmp_path) == CONTENT


def test_attempts_without_progress_come_to_an_end(tmp_path: Path) -> None:
    with serving(CONTENT, *["503"] * 99) as server:
        with pytest.raises(UserError, match="HTTP 503"):
            get(remote(server.url), tmp_path)
        assert len(server.ranges) == QUICK.attempts


def test_an_answer_that_will_not_change_is_not_asked_for_again(tmp_path: Path) -> None:
    with serving(CONTENT, "404", "404") as server:
        with pytest.raises(UserError, match="HTTP 404"):
            get(remote(server.url), tmp_path)
        assert len(server.ranges) == 1


def test_an_address_out_of_reach_names_file_address_and_remedies(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/corpus.txt"
        with pytest.raises(UserError) as caught:
            get(remote(url), tmp_path)
    place, = (str(path / "corpus.txt") for path in (tmp_path / "downloads").iterdir())
    for part in ("corpus.txt: could not be fetched", url, "UNROLLED_MIRROR",
                 "corpus/corpus.txt", place):
        assert part in str(caught.value)
    Path(place).write_bytes(CONTENT)
    assert get(remote(url), tmp_path) == CONTENT, "the remedy that the error names works"


def test_a_file_that_only_a_mirror_has_says_how_to_set_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="only a mirror has this file; set UNROLLED_MIRROR"):
        get(remote(None), tmp_path)
    with pytest.raises(UserError, match=f"the mirror {tmp_path} has no valid corpus/corpus.txt"):
        get(remote(None), tmp_path, mirror=tmp_path)


def test_the_mirror_comes_first_and_is_checked(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "mirror" / "corpus" / "corpus.txt"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(CONTENT)
    with serving(CONTENT) as server:
        file = remote(server.url)
        assert get(file, tmp_path, mirror=tmp_path / "mirror") == CONTENT
        assert server.ranges == []
        copy.write_bytes(CONTENT[:-1])
        assert get(file, tmp_path / "b", mirror=tmp_path / "mirror") == CONTENT
        assert len(server.ranges) == 1
    assert f"{copy} in the mirror is not the file it should be" in capsys.readouterr().err
    with pytest.raises(UserError, match="repair the mirror"):
        get(remote(None), tmp_path / "c", mirror=tmp_path / "mirror")


def test_nothing_is_fetched_twice_though_the_stage_loses_its_outputs(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        get(remote(server.url), tmp_path)
        get(remote(server.url), tmp_path)
        target = tmp_path / "data" / "corpus.txt"
        target.unlink()
        get(remote(server.url), tmp_path)
        target.write_bytes(b"altered")
        assert get(remote(server.url), tmp_path) == CONTENT
        assert len(server.ranges) == 1


def test_a_new_checksum_is_a_new_download(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        get(remote(server.url), tmp_path)
        server.content = b"second edition"
        second = hashlib.sha256(server.content).hexdigest()
        assert get(remote(server.url, sha256=second), tmp_path) == b"second edition"


def test_two_processes_do_not_write_the_same_download(tmp_path: Path, root: Path) -> None:
    program = ("import sys\nfrom pathlib import Path\n"
               "from pipeline.corpora.fetching.files import RemoteFile, obtain\n"
               "url, sha256, downloads = sys.argv[1:]\n"
               "print('ready', flush=True)\n"
               "obtain(RemoteFile('corpus.txt', None, url, sha256=sha256), None,"
               " Path(downloads))\n")
    with serving(CONTENT, "stall") as server:
        command = [sys.executable, "-c", program, server.url, SHA256, str(tmp_path)]
        children = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) for _ in range(2)]
        for child in children:
            assert child.stdout and child.stdout.readline() == b"ready\n"
        time.sleep(0.3)  # both are in `obtain` now, one of them in the stalled request
        server.released.set()
        assert [child.wait() for child in children] == [0, 0]
        for child in children:
            child.stdout.close()
        assert len(server.ranges) == 2 and server.ranges[0] is None and server.ranges[1]


def test_the_place_of_a_file_is_never_half_written(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        source = obtain(remote(server.url), None, tmp_path / "downloads", QUICK)
        get(remote(server.url), tmp_path)
    assert os.listdir(tmp_path / "data") == ["corpus.txt"]
    assert source.read_bytes() == CONTENT
