"""dvc.lock, and the hash of a folder: held against what DVC itself writes."""

from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.provenance.lock import Lock, folder_hash
from pipeline.suite.places import Places

# Names that sort in another order when a slash counts as a character.
FILES = {"a/b.txt": "1", "a-b.txt": "2", "a.txt": "3", "a/c/d.npy": "4", "a/c-d": "", "B": "5",
         "größe/Ü.json": "{}", "ünder": "6", "zz z": "7", "日本/語": "8"}
STAGES = """\
stages:
  features:
    foreach: {track: {}}
    do:
      wdir: WDIR
      cmd: mkdir -p SUITEfeatures/track/fit && cp -r made/. SUITEfeatures/track/fit
      outs:
        - SUITEfeatures/${key}/fit
"""
STAGE = "features@track"


def write_files(folder: Path) -> Path:
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return folder


def test_a_folder_has_the_hash_that_dvc_gives_it(tmp_path: Path) -> None:
    Repo.init(str(tmp_path), no_scm=True).close()
    for folder in ("one", "two"):
        write_files(tmp_path / folder)
    (tmp_path / "two" / "zz z").rename(tmp_path / "two" / "zz")
    with Repo(str(tmp_path)) as repo:
        repo.add([str(tmp_path / "one"), str(tmp_path / "two")])
    recorded = {folder: YAML(typ="safe").load(tmp_path / f"{folder}.dvc")["outs"][0]["md5"]
                for folder in ("one", "two")}
    assert recorded["one"] != recorded["two"]
    assert {folder: folder_hash(tmp_path / folder) for folder in recorded} == recorded


@pytest.fixture(params=["", "real/"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    """A project in which DVC has run the stage that writes a track's features."""
    places = Places(tmp_path, request.param)
    write_files(tmp_path / "made")
    places.base.mkdir(exist_ok=True)
    places.pipeline.write_text(STAGES.replace("SUITE", places.suite).replace(
        "WDIR", ".." if places.suite else "."))
    Repo.init(str(tmp_path), no_scm=True).close()
    with Repo(str(tmp_path)) as repo:
        repo.reproduce(f"{places.pipeline}:{STAGE}")
    return places


def test_the_recorded_hash_is_taken_while_files_and_bytes_are_as_many(places: Places) -> None:
    fit = places.fit("track")
    recorded = Lock(places).digest(STAGE, "outs", fit)
    assert recorded == folder_hash(fit) == Lock(places).folder(STAGE, fit)

    # Nothing is read where the extent is right: other content of the same size goes unseen.
    (fit / "B").unlink()
    (fit / "B").write_text("6")
    assert folder_hash(fit) != recorded
    assert Lock(places).folder(STAGE, fit) == recorded

    (fit / "more").touch()
    assert Lock(places).folder(STAGE, fit) == folder_hash(fit) != recorded
    (fit / "more").unlink()
    (fit / "ünder").unlink()
    (fit / "ünder").write_text("longer")
    assert Lock(places).folder(STAGE, fit) == folder_hash(fit) != recorded


def test_without_a_record_the_hash_is_computed_and_without_a_folder_there_is_none(
        tmp_path: Path) -> None:
    places = Places(tmp_path)
    fit = write_files(places.fit("track"))
    assert Lock(places).folder(STAGE, fit) == folder_hash(fit)
    with pytest.raises(UserError, match=r"features/other/fit does not exist; run.*features@other"):
        Lock(places).folder("features@other", places.fit("other"))


def test_a_file_is_what_the_stage_wrote_or_it_is_not(tmp_path: Path) -> None:
    places = Places(tmp_path)
    file = places.metrics("track", "system")
    file.parent.mkdir(parents=True)
    file.write_text("hello")
    places.lock.write_text(
        "schema: '2.0'\nstages:\n  evaluate@system:\n    cmd: x\n    outs:\n"
        "    - {path: metrics/track/system.json, hash: md5,"
        " md5: 5d41402abc4b2a76b9719d911017c592, size: 5}\n")
    assert Lock(places).wrote("evaluate@system", file)
    assert not Lock(places).wrote("evaluate@other", file)
    assert Lock(places).digest("evaluate@system", "deps", file) is None
    file.write_text("other")
    assert not Lock(places).wrote("evaluate@system", file)
    file.unlink()
    assert not Lock(places).wrote("evaluate@system", file)


@pytest.mark.parametrize("content", [
    b"", b"- 1\n", b"schema: '2.0'\n", b"stages: [", b"stages:\n  a: \xff\n", b"stages: 1\n",
    b"stages:\n  features@track: 1\n", b"stages:\n  features@track:\n    outs: [x]\n"])
def test_a_damaged_lock_is_named_with_its_remedy(tmp_path: Path, content: bytes) -> None:
    places = Places(tmp_path)
    places.lock.write_bytes(content)
    with pytest.raises(UserError, match=r"dvc\.lock is damaged.*git checkout -- .*dvc\.lock"):
        Lock(places).digest(STAGE, "outs", places.fit("track"))
