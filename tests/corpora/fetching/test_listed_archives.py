"""Archives of no fixed bytes: all wanted members are given out whole, or none and one is named."""

import gzip
import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.corpora.fetching.archives import RemoteArchive, place, read_listing
from pipeline.corpora.fetching.files import Patience
from pipeline.errors import UserError
from tests.corpora.fetching.faulty_server import serving
from tests.corpora.fetching.test_unpack import special, tree

WANTED = {"LICENSE": b"free", "etc/lists.txt": b"a\nb\n", "wav/a.wav": bytes(range(256)) * 900}
QUICK = Patience(attempts=3, timeout=0.3, first_pause=0.0, longest_pause=0.01)


def packed(members: Mapping[str, bytes], *others: tarfile.TarInfo, level: int = 9) -> bytes:
    """A .tar.gz of the folder `x-1`; another level gives other bytes of the same content."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        archive.addfile(special("x-1", tarfile.DIRTYPE))
        for name, content in members.items():
            info = tarfile.TarInfo(f"x-1/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for other in others:
            archive.addfile(other)
    return gzip.compress(plain.getvalue(), level)


def remote(folder: Path, url: str = "http://127.0.0.1:1/x-1.tar.gz") -> RemoteArchive:
    """The archive as a corpus would describe it, with its listing written by `sha256sum`."""
    source = folder / "source"
    for name, content in WANTED.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    listing = folder / "x.sha256"
    listing.write_bytes(subprocess.run(["sha256sum", *WANTED], cwd=source, check=True,
                                       capture_output=True).stdout)
    return RemoteArchive("x-1.tar.gz", "x/x-1.tar.gz", url, folder="x", listing=listing,
                         sha256=hashlib.sha256(listing.read_bytes()).hexdigest())


def put(archive: RemoteArchive, folder: Path, mirror: Path | None = None) -> dict[str, bytes]:
    place(archive, folder / "data", mirror, folder / "downloads", QUICK)
    return tree(folder / "data")


def expected() -> dict[str, bytes]:
    return {f"x/{name}": content for name, content in WANTED.items()}


@pytest.mark.parametrize("level", [1, 9])
def test_another_packing_of_the_same_files_is_the_same_corpus(level: int, tmp_path: Path) -> None:
    with serving(packed(WANTED, level=level)) as server:
        assert put(remote(tmp_path, server.url), tmp_path) == expected()


def test_members_that_are_not_listed_are_left_out(tmp_path: Path) -> None:
    outside = tarfile.TarInfo("other/LICENSE")
    with serving(packed(WANTED | {"etc/model.bin": b"1", ".github/x.yml": b"2"},
                        outside)) as server:
        assert put(remote(tmp_path, server.url), tmp_path) == expected()


@pytest.mark.parametrize("faults", [["truncate"], ["stall"], ["503"], ["corrupt"], ["drop"],
                                    ["truncate", "ignore range"], ["truncate", "wrong range"]])
def test_a_broken_download_ends_with_the_whole_corpus(faults: list[str], tmp_path: Path) -> None:
    with serving(packed(WANTED), *faults) as server:
        assert put(remote(tmp_path, server.url), tmp_path) == expected()
        assert len(server.ranges) > 1


def test_a_part_of_another_packing_is_thrown_away(tmp_path: Path) -> None:
    """A killed download left the beginning of yesterday's packing, the server has today's."""
    with serving(packed(WANTED), "404") as server:
        archive = remote(tmp_path, server.url)
        with pytest.raises(UserError, match="HTTP 404"):
            put(archive, tmp_path)
        store, = (tmp_path / "downloads").iterdir()
        (store / "x-1.tar.gz.part").write_bytes(packed(WANTED, level=1)[:400])
        assert put(archive, tmp_path) == expected()
        assert server.ranges == [None, "bytes=400-", None]


def test_what_stands_there_whole_is_not_fetched_and_a_damaged_file_is_mended(
        tmp_path: Path) -> None:
    with serving(packed(WANTED)) as server:
        archive = remote(tmp_path, server.url)
        put(archive, tmp_path)
        shutil.rmtree(tmp_path / "downloads")
        assert put(archive, tmp_path) == expected()
        assert len(server.ranges) == 1
        path = tmp_path / "data" / "x" / "wav" / "a.wav"
        path.write_bytes(b"X" + WANTED["wav/a.wav"][1:])
        assert put(archive, tmp_path) == expected()
        assert len(server.ranges) == 2


@pytest.mark.parametrize("members, message", [
    (WANTED | {"LICENSE": b"paid"}, "member LICENSE: expected SHA-256 ad95d5.*, got [0-9a-f]{64}"),
    ({"LICENSE": b"free", "wav/a.wav": WANTED["wav/a.wav"]},
     "it lacks 1 of 3 members, first etc/lists.txt"),
    ({}, "it lacks 3 of 3 members, first LICENSE")])
def test_a_damaged_or_missing_member_is_named_and_nothing_given_out(
        members: dict[str, bytes], message: str, tmp_path: Path) -> None:
    with serving(packed(members)) as server:
        with pytest.raises(UserError, match=message) as caught:
            put(remote(tmp_path, server.url), tmp_path)
        assert "a good copy can be placed at" in str(caught.value)
        assert len(server.ranges) == 2
    assert tree(tmp_path / "data") == {}
    assert not list((tmp_path / "downloads").rglob("*.gz"))


@pytest.mark.parametrize("content, message", [
    (b"<!doctype html><html>log in", "a web page"), (b"", "no whole archive|not a whole archive"),
    (gzip.compress(b"no tar" * 99), "not a whole archive"),
    (packed(WANTED)[:-9], "not a whole archive"),
    (packed(WANTED, special("x-1/LICENSE", tarfile.REGTYPE)), "LICENSE stands there twice"),
    (packed(WANTED, special("x-1/link", tarfile.SYMTYPE, "/etc/passwd")), "is a link or a device"),
    (packed({"../../LICENSE": b"free"}), "it lacks 3 of 3")])
def test_what_is_no_such_archive_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    with serving(content) as server, pytest.raises(UserError, match=message):
        put(remote(tmp_path, server.url), tmp_path)
    assert tree(tmp_path / "data") == {}


def test_no_member_leaves_the_folder(tmp_path: Path) -> None:
    with serving(packed(WANTED | {"../../evil": b"1"})) as server, \
            pytest.raises(UserError, match="would leave the folder"):
        put(remote(tmp_path, server.url), tmp_path)
    assert tree(tmp_path / "data") == {} and not list(tmp_path.rglob("evil"))


def test_the_mirror_comes_first_and_a_bad_copy_there_is_passed_over(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "mirror" / "x" / "x-1.tar.gz"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(packed(WANTED))
    assert put(remote(tmp_path), tmp_path, tmp_path / "mirror") == expected()
    copy.write_bytes(packed(WANTED | {"LICENSE": b"paid"}))
    with serving(packed(WANTED)) as server:
        put(remote(tmp_path, server.url), tmp_path / "again", tmp_path / "mirror")
        assert len(server.ranges) == 1
    assert "is not the file it should be: member LICENSE" in capsys.readouterr().err


def test_what_a_killed_run_left_does_no_harm(tmp_path: Path) -> None:
    left = tmp_path / "data" / ".archive" / "wanted" / "old.txt"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"1")
    with serving(packed(WANTED)) as server:
        assert put(remote(tmp_path, server.url), tmp_path) == expected()


def test_an_altered_listing_is_refused(tmp_path: Path) -> None:
    archive = remote(tmp_path)
    archive.listing.write_text(archive.listing.read_text().replace("LICENSE", "licence"))
    with pytest.raises(UserError, match=r"x\.sha256: expected SHA-256 .* take it from there again"):
        put(archive, tmp_path)


def test_line_ends_of_another_system_are_the_same_listing(tmp_path: Path) -> None:
    archive = remote(tmp_path)
    before = archive.members()
    archive.listing.write_bytes(archive.listing.read_bytes().replace(b"\n", b"\r\n"))
    assert archive.members() == before == {
        name: hashlib.sha256(content).hexdigest() for name, content in WANTED.items()}


@pytest.mark.parametrize("line", [f"{'0' * 64}  ../x", f"{'0' * 64}  /x", f"{'0' * 64} x", "x",
                                  f"{'0' * 64}  a\n{'0' * 64}  a"])
def test_a_listing_of_another_form_is_a_mistake_of_the_code(line: str, tmp_path: Path) -> None:
    path = tmp_path / "x.sha256"
    path.write_text(f"{line}\n")
    with pytest.raises(ValueError, match="line"):
        read_listing(path, hashlib.sha256(path.read_bytes()).hexdigest())
