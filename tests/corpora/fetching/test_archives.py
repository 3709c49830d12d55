"""Odd, damaged and endless archives: all of it comes out, or nothing does and the error says why.
"""

import bz2
import gzip
import lzma
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from pipeline.corpora.fetching import unpack as unpacking
from pipeline.corpora.fetching.files import unpack
from pipeline.errors import UserError
from tests.corpora.fetching.test_unpack import special, tar, tree
from tests.trials import trials


def zipped(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes],
           how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def refused(archive: Path, folder: Path, message: str, size: int | None = None) -> None:
    """The archive is refused with its name, and the folder is as it was."""
    before = tree(folder) if folder.exists() else {}
    with pytest.raises(UserError, match=message) as caught:
        unpack(archive, folder, size)
    assert str(archive) in str(caught.value)
    assert (tree(folder) if folder.exists() else {}) == before
    assert not (folder / ".unpacking").exists()


@pytest.mark.parametrize("name", [
    "a\nb", "a\x7fb", "a\u200eb", "\udcff\udcfe", "x" * 300, "/", ".", "a/../b", "C:\\x", "\\x",
    ".unpacking/x"])
def test_names_that_no_file_should_have(name: str, tmp_path: Path) -> None:
    archive = tar(tmp_path / "x.tar.gz", ("good", b"1"), (name, b"2"))
    refused(archive, tmp_path / "to", "member|cannot be unpacked")


def test_a_name_with_a_null_byte_is_not_cut_there(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "x.zip", ("good", b"1"), ("a.txtXevil", b"2"))
    archive.write_bytes(archive.read_bytes().replace(b"a.txtXevil", b"a.txt\0evil"))
    refused(archive, tmp_path / "to", r"member 'a.txt\\x00evil' has a name that no file can have")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a", "a"), ("a", "./a"), ("a", "a/b"), ("a/b", "a")])
def test_two_members_of_one_name(names: tuple[str, str], tmp_path: Path) -> None:
    members = [(name, name.encode()) for name in names]
    for archive in (tar(tmp_path / "x.tar.gz", *members), zipped(tmp_path / "x.zip", *members)):
        refused(archive, tmp_path / "to", "stands there twice, or as a file and a folder")


def test_names_that_differ_in_case_are_two_files_where_the_disk_says_so(tmp_path: Path) -> None:
    unpack(tar(tmp_path / "x.tar.gz", ("a", b"1"), ("A", b"2")), tmp_path / "to")
    assert tree(tmp_path / "to") == {"a": b"1", "A": b"2"}


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_of_zip(how: int, tmp_path: Path) -> None:
    unpack(zipped(tmp_path / "x.zip", ("a", b"1" * 999), how=how), tmp_path / "to")
    assert tree(tmp_path / "to") == {"a": b"1" * 999}


def test_a_zip_of_64_bits(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive, \
            archive.open("a", "w", force_zip64=True) as file:
        file.write(b"one")
    unpack(tmp_path / "x.zip", tmp_path / "to")
    assert tree(tmp_path / "to") == {"a": b"one"}


def test_an_encrypted_zip_and_one_of_unknown_compression(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "x.zip", ("a", b"one"))
    content = archive.read_bytes()
    for place, code, message in ((6, b"\x01\x00", "'a' is encrypted"),
                                 (8, b"\x63\x00", "compressed in a way that is not known here")):
        altered = bytearray(content)
        central = content.index(b"PK\x01\x02")
        altered[place : place + 2] = altered[central + place + 2 : central + place + 4] = code
        archive.write_bytes(altered)
        refused(archive, tmp_path / "to", message)


def test_links_to_inside_are_refused_too(tmp_path: Path) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CONTTYPE):
        archive = tar(tmp_path / "x.tar.gz", ("a", b"1"), special("b", kind, "a"))
        if kind != tarfile.CONTTYPE:
            refused(archive, tmp_path / "to", "'b' is a link or a device")
        else:  # contiguous files are plain ones
            unpack(archive, tmp_path / "to")


@pytest.mark.parametrize("name, content", [
    ("x.tar.gz", b"PK\x05\x06" + bytes(18)), ("x.zip", gzip.compress(b"x", mtime=0)),
    ("x.tar.gz", bz2.compress(b"x" * 99)), ("x.gz", lzma.compress(b"x" * 99)),
    ("x.tar.gz", gzip.compress(b"no tar" * 999, mtime=0)), ("x.tgz", gzip.compress(b"", mtime=0)),
    ("x.gz", gzip.compress(b"x" * 99, mtime=0) + b"garbage"),
    ("x.gz", gzip.compress(b"x", mtime=0)[:-4])])
def test_an_archive_of_another_kind_than_its_name(name: str, content: bytes,
                                                  tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, tmp_path / "to", "is not a whole archive")


def test_what_follows_the_end_of_a_tar_is_not_passed_over(tmp_path: Path) -> None:
    first, second = (gzip.decompress(tar(tmp_path / "x.tar.gz", (name, b"1")).read_bytes())
                     for name in "ab")
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(first + second))
    refused(tmp_path / "x.tar.gz", tmp_path / "to", "there is more after its end")
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(first + bytes(50_000)))
    unpack(tmp_path / "x.tar.gz", tmp_path / "to")


def test_an_archive_without_a_file_is_none(tmp_path: Path) -> None:
    for archive in (zipped(tmp_path / "x.zip"), tar(tmp_path / "x.tar.gz"),
                    tar(tmp_path / "y.tar.gz", special("a", tarfile.DIRTYPE))):
        refused(archive, tmp_path / "to", "holds no file|is not a whole archive")


def test_nested_archives_stay_packed(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", ("a", b"1"))
    unpack(zipped(tmp_path / "x.zip", ("inner.zip", inner.read_bytes())), tmp_path / "to")
    assert tree(tmp_path / "to") == {"inner.zip": inner.read_bytes()}


def zeros(count: int) -> bytes:
    """Gzip of so many million zero bytes: a member for each million."""
    return gzip.compress(bytes(1_000_000)) * count


def bombs(folder: Path) -> list[Path]:
    """Archives of some ten kilobytes that stand for more than any corpus of their size."""
    (folder / "x.gz").write_bytes(zeros(20))
    block = tarfile.TarInfo("a")
    block.size = 10**12
    head = block.tobuf(tarfile.GNU_FORMAT)
    (folder / "endless.tar.gz").write_bytes(gzip.compress(head) + zeros(40))
    sparse = tarfile.TarInfo("a")
    sparse.type, sparse.size = tarfile.GNUTYPE_SPARSE, 0
    buffer = bytearray(sparse.tobuf(tarfile.GNU_FORMAT))
    buffer[386:410] = b"00000000000\0" * 2
    buffer[483:495] = b"77777777777\0"  # eight gigabytes of holes
    buffer[148:156] = b"%06o\0 " % (sum(buffer[:148]) + 256 + sum(buffer[156:]))
    (folder / "sparse.tar.gz").write_bytes(gzip.compress(bytes(buffer) + bytes(1024)))
    # A longer name than there is memory for, and notes of that length.
    for kind, name in ((tarfile.GNUTYPE_LONGNAME, "name"), (tarfile.XHDTYPE, "notes")):
        block.type = kind
        (folder / f"{name}.tar.gz").write_bytes(
            gzip.compress(block.tobuf(tarfile.GNU_FORMAT)) + zeros(40))
    packed = zipped(folder / "x.zip", ("a", bytes(20_000_000)))
    lying = zipped(folder / "lying.zip", *((f"{number}", bytes(2_000_000)) for number in range(9)))
    return [*(folder / f"{name}.tar.gz" for name in ("endless", "sparse", "name", "notes")),
            folder / "x.gz", packed, lying]


def test_a_few_bytes_do_not_fill_the_disk_nor_the_memory(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "AT_LEAST", 2**22)
    for archive in bombs(tmp_path):
        assert archive.stat().st_size < 100_000
        tracemalloc.start()
        refused(archive, tmp_path / "to", "gives more than|not a whole archive")
        assert tracemalloc.get_traced_memory()[1] < 6 * 2**22
        tracemalloc.stop()


def test_a_known_size_is_the_bound(tmp_path: Path) -> None:
    content = b"x" * 5000
    (tmp_path / "x.gz").write_bytes(gzip.compress(content))
    for archive in (tmp_path / "x.gz", tar(tmp_path / "y.tar.gz", ("a", content)),
                    zipped(tmp_path / "z.zip", ("a", content))):
        refused(archive, tmp_path / "to", "gives more than 4999 bytes", 4999)
        unpack(archive, tmp_path / archive.stem, 5000)


def test_more_than_the_disk_has_room_for_is_not_begun(tmp_path: Path) -> None:
    archive = tar(tmp_path / "x.tar.gz", ("a", b"1"))
    with pytest.raises(UserError, match=f"{tmp_path / 'to'}: at least {10**18} bytes .* free"):
        unpack(archive, tmp_path / "to", 10**18)


PROGRAM = """
import resource, sys
from pathlib import Path
from pipeline.corpora.fetching.files import unpack
from pipeline.ending import run_command
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000,) * 2)
run_command(lambda: unpack(Path(sys.argv[1]), Path(sys.argv[2])))
"""


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, root: Path) -> None:
    archive = tar(tmp_path / "x.tar.gz", ("a", b"1"), ("b", os.urandom(40_000)))
    run = subprocess.run([sys.executable, "-c", PROGRAM, str(archive), str(tmp_path / "to")],
                         cwd=root, capture_output=True, text=True)
    assert run.returncode == 2
    assert "b cannot be written (File too large); make room" in run.stderr
    assert not any((tmp_path / "to").rglob("*"))


def test_a_folder_in_the_place_of_a_file_is_left_alone(tmp_path: Path) -> None:
    archive = tar(tmp_path / "x.tar.gz", ("0/good", b"1"), ("a/b", b"2"))
    (tmp_path / "to" / "a" / "b").mkdir(parents=True)
    refused(archive, tmp_path / "to", "a/b stands where .* of another kind; move it away")
    (tmp_path / "other").write_text("a file")
    with pytest.raises(UserError, match="other .Not a directory|File exists"):
        unpack(archive, tmp_path / "other")


@pytest.mark.parametrize("content", ["", "nonsense", "[1]", '{"a": null}', '{"a": 2}'])
def test_a_damaged_record_is_none(content: str, tmp_path: Path) -> None:
    archive = tar(tmp_path / "x.tar.gz", ("a", b"1"))
    unpack(archive, tmp_path / "to")
    record, = (tmp_path / "to" / ".unpacked").iterdir()
    record.write_text(content)
    (tmp_path / "to" / "a").unlink()
    unpack(archive, tmp_path / "to")
    assert tree(tmp_path / "to") == {"a": b"1"}


def damaged(whole: Path, chance: random.Random) -> bytes:
    """Bytes an edit or two away; of a tar often before compression, with sums that fit again."""
    content = bytearray(whole.read_bytes())
    inner = whole.name.endswith(".tar.gz") and chance.random() < 0.7
    if inner:
        content = bytearray(gzip.decompress(content))
    for _ in range(chance.choice([1, 1, 2])):
        place = chance.randrange(min(len(content), chance.choice([200, 100_000])))
        cut = chance.choice([0, 1, 1, 1, 4, len(content)])
        content[place : place + cut] = chance.choice(
            [b"", bytes([chance.randrange(256)]), b"\xff" * 4, b"9" * 4])
    if inner:
        for start in range(0, min(len(content), 1536) - 511, 512):
            head = content[start : start + 512]
            head[148:156] = b" " * 8
            content[start + 148 : start + 156] = b"%06o\0 " % sum(head)
    return gzip.compress(content, 1) if inner else bytes(content)


@pytest.mark.fuzz
def test_damaged_archives_come_out_whole_or_not_at_all(tmp_path: Path) -> None:
    members = [("a/b.txt", b"hello" * 100), ("e" * 120, b"x" * 700)]
    whole = [tar(tmp_path / "1.tar.gz", *members), tar(tmp_path / "2.tar.gz", ("\u00e9" * 60, b"")),
             *(zipped(tmp_path / f"{how}.zip", *members, how=how) for how in (0, 8, 12, 14))]
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"hello" * 100))
    whole.append(tmp_path / "x.gz")
    chance, named = random.Random(12), 0
    for _ in range(trials(150, 10_000)):
        chosen = chance.choice(whole)
        archive = tmp_path / f"damaged{''.join(chosen.suffixes)}"
        archive.write_bytes(damaged(chosen, chance))
        try:
            unpack(archive, tmp_path / "to")
            assert tree(tmp_path / "to")
        except UserError as error:
            assert str(archive) in str(error)
            assert not (tmp_path / "to").exists() or not tree(tmp_path / "to")
            named += 1
        shutil.rmtree(tmp_path / "to", ignore_errors=True)
    assert named > 80


def test_an_archive_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.zip").mkdir()
    for name in ("x.zip", "missing.zip"):
        with pytest.raises(UserError, match=f"{name} cannot be unpacked"):
            unpack(tmp_path / name, tmp_path / "to")
