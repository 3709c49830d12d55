"""emuR's sentences: what its people wrote, and every kind of damage."""

import shutil
import tarfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.corpora import emu_ae
from pipeline.corpora.kinds import Segment
from pipeline.errors import UserError

SETTINGS = emu_ae.Settings(module="emu_ae")


@pytest.fixture(scope="module")
def whole(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("emu")
    emu_ae.prepare(SETTINGS, folder, mirror)
    return folder


@pytest.fixture
def corpus(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def test_seven_sentences_with_54_words_and_92_edges_between_words(whole: Path) -> None:
    items = emu_ae.utterances(whole)
    assert [item.id for item in items] == [f"msajc{number}" for number in (
        "003", "010", "012", "015", "022", "023", "057")]
    assert {item.speaker for item in items} == {"msajc"}
    assert items[0].text == "AMONGST HER FRIENDS SHE WAS CONSIDERED BEAUTIFUL"
    words = [[one for one in item.segments if one.kind == "word"] for item in items]
    assert sum(map(len, words)) == 54
    # Two for each pair of words but "offer any", between which the annotators left a stretch.
    assert 2 * sum(one.end == other.start for own in words for one, other in pairwise(own)) == 92


def test_labels_are_phones_with_the_annotators_times(whole: Path) -> None:
    item = emu_ae.utterances(whole)[0]
    phones = [one for one in item.segments if one.kind == "phone"]
    assert phones[0] == Segment("phone", "AH", 0.187498, 0.256994)
    assert [one.label for one in phones[:6]] == ["AH", "M", "AH", "NG", "S", "T"]
    fused, = [one for one in phones if "_" in one.label]
    assert fused == Segment("phone", "D_B", 2.033739, 2.150242)
    beautiful = [one for one in item.segments if one.kind == "word"][-1]
    assert beautiful == Segment("word", "BEAUTIFUL", 2.033739, 2.604489)
    # No silences inside: what follows begins where the one before it ends.
    assert all(one.end == other.start for one, other in pairwise(phones))


def test_the_packages_own_archive_serves_as_well(mirror: Path, whole: Path,
                                                 tmp_path: Path) -> None:
    copy, = (mirror / "emu_ae").glob("*.tar.gz")
    with tarfile.open(copy) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
    source = f"emuR-{emu_ae.COMMIT}"
    (tmp_path / "emu_ae").mkdir()
    with tarfile.open(tmp_path / "emu_ae" / f"{source}.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "unpacked" / "emuR-ae", f"{source}/inst/extdata/rawDemoData")
    emu_ae.prepare(SETTINGS, tmp_path / "corpus", tmp_path)
    found = emu_ae.utterances(tmp_path / "corpus")
    assert [(item.id, item.text, item.segments) for item in found] == [
        (item.id, item.text, item.segments) for item in emu_ae.utterances(whole)]
    assert all(item.path.is_file() for item in found)


def no_grid(root: Path) -> None:
    (root / "annotationFiles" / "msajc003.TextGrid").unlink()


def no_tier(root: Path) -> None:
    path = root / "annotationFiles" / "msajc003.TextGrid"
    path.write_text(path.read_text().replace('"Phoneme"', '"Phones"'))


def no_sampa(root: Path) -> None:
    path = root / "annotationFiles" / "msajc003.TextGrid"
    path.write_text(path.read_text().replace('"d_b"', '"d_?"'))


def other_words(root: Path) -> None:
    (root / "txtFiles" / "msajc003.txt").write_text("among her friends")


@pytest.mark.parametrize(("damage", "message"), [
    (no_grid, "msajc003.TextGrid does not exist"), (no_tier, "there is no tier 'Phoneme'"),
    (no_sampa, "2.033739 s: 'd_\\?' is no label in SAMPA"),
    (other_words, "has other words than msajc003.txt")])
def test_damage_is_named(damage: Callable[[Path], None], message: str, corpus: Path) -> None:
    damage(corpus / "emu-ae")
    with pytest.raises(UserError, match=rf"msajc003.TextGrid.*{message}|{message}"):
        emu_ae.utterances(corpus)


def test_no_other_subset_and_no_empty_folder(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no subset 'train'"):
        emu_ae.utterances(whole, "train")
    with pytest.raises(UserError, match="holds no recordings"):
        emu_ae.utterances(tmp_path)
