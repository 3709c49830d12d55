"""Spoken digits: names, splits, the publisher's counts, and either archive."""

import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from pipeline.corpora import fsdd
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.files import sha256


def recorded(directory: Path, *names: str) -> Path:
    folder = directory / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        soundfile.write(folder / f"{name}.wav", [number / 10] * 800, 8000)
    return folder


def test_a_name_says_digit_speaker_and_split(tmp_path: Path) -> None:
    recorded(tmp_path, "7_theo_4", "7_theo_5", "0_lucas_9", "3_theo_10", "3_lucas_49", "1_lucas_0")
    found = {split: [(item.id, item.speaker, item.text, item.path.name)
                     for item in fsdd.utterances(tmp_path, split)]
             for split in ("train", "valid", "test")}
    assert found == {
        "test": [("1_lucas_0", "lucas", "1", "1_lucas_0.wav"),
                 ("7_theo_4", "theo", "7", "7_theo_4.wav")],
        "valid": [("0_lucas_9", "lucas", "0", "0_lucas_9.wav"),
                  ("7_theo_5", "theo", "7", "7_theo_5.wav")],
        "train": [("3_lucas_49", "lucas", "3", "3_lucas_49.wav"),
                  ("3_theo_10", "theo", "3", "3_theo_10.wav")]}


@pytest.mark.parametrize("name", ["seven_theo_4", "12_theo_4", "7_theo", "7_theo_4_5", "7-theo-4",
                                  "7_theo_x"])
def test_a_recording_of_another_name_is_named(name: str, tmp_path: Path) -> None:
    folder = recorded(tmp_path, "1_theo_10", name)
    with pytest.raises(UserError, match=f"{folder}/{name}.wav: a recording is called"):
        fsdd.utterances(tmp_path, "train")


def test_a_split_without_recordings_is_named(tmp_path: Path) -> None:
    recorded(tmp_path, "1_theo_10")
    with pytest.raises(UserError, match="no recordings 0 to 4, which are split 'test'"):
        fsdd.utterances(tmp_path, "test")


@pytest.fixture
def real(real_corpus: Callable[[CorpusSettings], Path]) -> Path:
    return real_corpus(fsdd.Settings(module="fsdd"))


def test_the_real_corpus_has_its_publishers_counts(real: Path) -> None:
    splits = {split: fsdd.utterances(real, split) for split in ("train", "valid", "test")}
    assert [len(items) for items in splits.values()] == [2400, 300, 300]
    everything = [item for items in splits.values() for item in items]
    assert len({item.id for item in everything}) == 3000
    for items in splits.values():
        said = [(item.speaker, item.text) for item in items]
        assert len(set(said)) == 60 and {said.count(each) for each in set(said)} == {
            len(items) // 60}
    assert {item.speaker for item in everything} == {
        "george", "jackson", "lucas", "nicolas", "theo", "yweweler"}
    folder = real / "fsdd" / "recordings"
    assert {path.name for path in folder.iterdir()} == fsdd.MIRRORED.members().keys()
    found = [soundfile.info(item.path) for item in splits["test"]]
    assert {(each.samplerate, each.channels, each.subtype) for each in found} == {
        (8000, 1, "PCM_16")}


def test_the_publishers_archive_is_unpacked_and_mends_a_recording(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three recordings, which lie in a folder of the archive beside other files."""
    names = ["0_ada_0", "0_ada_5", "0_ada_10"]
    folder = recorded(tmp_path / "made", *names)
    lines = [f"{sha256(folder / f'{name}.wav')}  {name}.wav\n" for name in names]
    (tmp_path / "listing").write_text("".join(lines))
    monkeypatch.setattr(fsdd, "PUBLISHED", replace(
        fsdd.PUBLISHED, listing=tmp_path / "listing", sha256=sha256(tmp_path / "listing")))
    copy = tmp_path / str(fsdd.PUBLISHED.mirror)
    copy.parent.mkdir()
    with tarfile.open(copy, "w:gz") as archive:
        archive.add(folder, f"{fsdd.PUBLISHED.top}/recordings")
        archive.add(__file__, f"{fsdd.PUBLISHED.top}/metadata.py")
    placed = tmp_path / "corpus" / "fsdd" / "recordings"
    for _ in range(2):
        fsdd.prepare(fsdd.Settings(module="fsdd"), tmp_path / "corpus", tmp_path)
        for name in names:
            assert (placed / f"{name}.wav").read_bytes() == (folder / f"{name}.wav").read_bytes()
        (placed / "0_ada_5.wav").write_bytes(b"RIFF")
    fsdd.prepare(fsdd.Settings(module="fsdd"), tmp_path / "corpus", tmp_path)
    assert not [*(tmp_path / "corpus").rglob("metadata.py")]
    assert [item.id for item in fsdd.utterances(tmp_path / "corpus", "valid")] == ["0_ada_5"]
