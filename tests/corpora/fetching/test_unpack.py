"""Archives: what is in them comes out whole, and nothing leaves the folder."""

import gzip
import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from pipeline.corpora.fetching.files import unpack
from pipeline.errors import UserError


def tar(path: Path, *members: tuple[str, bytes] | tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and ".unpacked" not in path.parts}


def test_tar_zip_and_gz_come_out_as_they_went_in(tmp_path: Path) -> None:
    content = {"a/b/c.txt": b"one", "a/d.txt": b"", "e.txt": os.urandom(5000)}
    unpack(tar(tmp_path / "x.tar.gz", *content.items()), tmp_path / "tar")
    assert tree(tmp_path / "tar") == content
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("empty")
        for name, value in content.items():
            archive.writestr(name, value)
    unpack(tmp_path / "x.zip", tmp_path / "zip")
    assert tree(tmp_path / "zip") == content
    assert (tmp_path / "zip" / "empty").is_dir()
    (tmp_path / "train.en.gz").write_bytes(gzip.compress(b"a man\n"))
    unpack(tmp_path / "train.en.gz", tmp_path / "gz")
    assert tree(tmp_path / "gz") == {"train.en": b"a man\n"}


def test_two_archives_share_a_folder(tmp_path: Path) -> None:
    unpack(tar(tmp_path / "1.tar.gz", ("root/readme", b"1"), ("root/a/x", b"ax")), tmp_path / "to")
    unpack(tar(tmp_path / "2.tar.gz", ("root/readme", b"2"), ("root/b/y", b"by")), tmp_path / "to")
    assert tree(tmp_path / "to") == {"root/readme": b"2", "root/a/x": b"ax", "root/b/y": b"by"}


@pytest.mark.parametrize("member", [
    ("/etc/unrolled", b"x"), ("../outside.txt", b"x"), ("a/../../outside.txt", b"x"),
    ("a\\..\\..\\outside.txt", b"x"), (".unpacked/record.json", b"x"),
    special("link", tarfile.SYMTYPE, "/etc"), special("link", tarfile.SYMTYPE, "../.."),
    special("link", tarfile.LNKTYPE, "../../outside.txt"), special("null", tarfile.CHRTYPE),
    special("disk", tarfile.BLKTYPE), special("pipe", tarfile.FIFOTYPE),
], ids=lambda member: getattr(member, "name", member[0] if isinstance(member, tuple) else None))
def test_a_member_that_could_leave_the_folder_spoils_the_whole_archive(
        tmp_path: Path, member: tuple[str, bytes] | tarfile.TarInfo) -> None:
    target = tmp_path / "deep" / "to"
    archive = tar(tmp_path / "x.tar.gz", ("good.txt", b"good"), member)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="x.tar.gz: member .* nothing was unpacked"):
        unpack(archive, target)
    assert not tree(target)
    assert [path for path in sorted(tmp_path.rglob("*"))
            if path not in (target, target.parent)] == before
    assert not Path("/etc/unrolled").exists()


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(info, "/etc")
    with pytest.raises(UserError, match="'link' is a link or a device"):
        unpack(tmp_path / "x.zip", tmp_path / "to")
    assert not tree(tmp_path / "to")


@pytest.mark.parametrize("kind", ["tar.gz", "zip", "gz"])
@pytest.mark.parametrize("damage", ["cut", "altered", "nonsense", "empty"])
def test_a_damaged_archive_leaves_nothing(tmp_path: Path, kind: str, damage: str) -> None:
    archive, value = tmp_path / f"x.{kind}", os.urandom(50_000)
    if kind == "tar.gz":
        tar(archive, ("a.txt", value))
    elif kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("a.txt", value)
    else:
        archive.write_bytes(gzip.compress(value))
    whole = archive.read_bytes()
    middle = len(whole) // 2
    archive.write_bytes({
        "cut": whole[:middle], "nonsense": b"not an archive", "empty": b"",
        "altered": whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1:]}[damage])
    with pytest.raises(UserError, match=f"{archive} is not a whole archive"):
        unpack(archive, tmp_path / "to")
    assert not tree(tmp_path / "to")


def test_an_unknown_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.rar").write_bytes(b"Rar!")
    with pytest.raises(UserError, match=r"x\.rar: cannot unpack"):
        unpack(tmp_path / "x.rar", tmp_path / "to")


def test_unpacking_again_touches_nothing_but_mends_what_is_missing(tmp_path: Path) -> None:
    archive = tar(tmp_path / "x.tar.gz", ("a.txt", b"one"), ("b.txt", b"two"))
    unpack(archive, tmp_path / "to")
    inode = (tmp_path / "to" / "a.txt").stat().st_ino
    unpack(archive, tmp_path / "to")
    assert (tmp_path / "to" / "a.txt").stat().st_ino == inode
    (tmp_path / "to" / "b.txt").write_bytes(b"")
    unpack(archive, tmp_path / "to")
    assert tree(tmp_path / "to") == {"a.txt": b"one", "b.txt": b"two"}


def test_a_killed_extraction_is_not_taken_for_whole(tmp_path: Path, root: Path) -> None:
    members = [(f"{index:04d}.bin", os.urandom(4000)) for index in range(800)]
    archive = tar(tmp_path / "x.tar.gz", *members)
    child = subprocess.Popen([sys.executable, "-c",
                              "import sys; from pathlib import Path\n"
                              "from pipeline.corpora.fetching.files import unpack\n"
                              "unpack(Path(sys.argv[1]), Path(sys.argv[2]))",
                              str(archive), str(tmp_path / "to")], cwd=root)
    give_up = time.monotonic() + 60
    while not (tmp_path / "to" / ".unpacking" / "0010.bin").exists():
        assert child.poll() is None and time.monotonic() < give_up
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not list((tmp_path / "to").glob("*.bin"))
    unpack(archive, tmp_path / "to")
    assert tree(tmp_path / "to") == dict(members)
    assert not (tmp_path / "to" / ".unpacking").exists()
