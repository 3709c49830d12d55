"""The snapshot of the project's code is made alike each time, and reads back as what it was."""

import hashlib
from pathlib import Path

from pipeline.corpora.fetching.archives import RemoteArchive, place, read_listing
from pipeline.corpora.twins.source_snapshot import FOLDERS, chosen, freeze


def project(folder: Path, count: int) -> Path:
    for number in range(count):
        path = folder / "pipeline" / FOLDERS[number % 2] / f"m{number:02d}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"def f{number}(): ...\n")
    (folder / "pipeline" / FOLDERS[0] / "__init__.py").write_text('"""A package."""\n')
    (folder / "pipeline" / "elsewhere").mkdir()
    (folder / "pipeline" / "elsewhere" / "other.py").write_text("x = 1\n")
    return folder


def test_every_file_is_in_one_split(tmp_path: Path) -> None:
    found = chosen(project(tmp_path, 40) / "pipeline")
    names = [name.split("/", 1) for name in found]
    assert len({path for _, path in names}) == len(found) == 40
    splits = [split for split, _ in names]
    assert {split: splits.count(split) for split in splits} == {"train": 28, "valid": 4, "test": 8}
    assert {path.split("/")[0] for _, path in names} == set(FOLDERS[:2])


def test_the_same_files_give_the_same_archive_which_reads_back(tmp_path: Path) -> None:
    source = project(tmp_path / "project", 12)
    digest = freeze(source, tmp_path / "one")
    for path in source.rglob("*.py"):
        path.touch()
    assert freeze(source, tmp_path / "other") == digest
    archive, listing = (tmp_path / "one" / name
                        for name in ("source_code.tar.gz", "source_code_members.sha256"))
    assert archive.read_bytes() == (tmp_path / "other" / archive.name).read_bytes()
    assert digest == hashlib.sha256(listing.read_bytes()).hexdigest()
    place(RemoteArchive(archive.name, archive.name, None, sha256=digest, folder="source_code",
                        listing=listing), tmp_path / "corpus", archive.parent)
    files = chosen(source / "pipeline")
    assert read_listing(listing, digest).keys() == files.keys()
    for name, content in files.items():
        assert (tmp_path / "corpus" / "source_code" / name).read_bytes() == content
