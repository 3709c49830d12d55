"""A network translates a file: as it translates its test text, and whatever the file looks like."""

import shutil
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.tasks.translation import own
from pipeline.tasks.translation.shared.translator import Translator
from tests.tasks.answers import predictions, rows_of, without_ids
from tests.tasks.translation.raw import write_raw

VARIANTS = {"copy": {"beam": 2, "length_normalisation": 1.0, "unknown": "copy"}}


@pytest.fixture
def system(toy: Path, make_system) -> Translator:
    system = make_system("attention", read_json(toy / "fit" / "spec.json"), variants=VARIANTS)
    system.artefacts = toy / "fit" / "artefacts"
    return system.eval()


def test_a_file_is_translated_as_the_test_text(system: Translator, toy: Path,
                                               tmp_path: Path) -> None:
    variant = system.settings.variants["copy"]
    expected = without_ids(system.predict(toy / "test", variant))
    system.save(tmp_path / "model")
    loaded = type(system).load(tmp_path / "model")
    shutil.copytree(toy / "test", tmp_path / "test")
    system.artefacts = None
    files = write_raw(tmp_path / "test", tmp_path, tmp_path)
    assert predictions(own, loaded, variant, tmp_path / "model" / "artefacts", files,
                       tmp_path) == expected


def test_lines_stay_aligned(system: Translator, toy: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    found = rows_of(own, system, toy / "fit", b"\xef\xbb\xbfone two\r\n\r\n \r\nzebra\r\n", file)
    assert [(row["file"], row["line"], row["text"]) for row in found] == [
        (str(file), number, text) for number, text in enumerate(["one two", "", " ", "zebra"], 1)]
    assert [bool(row["translation"]) for row in found] == [True, False, False, True]


@pytest.mark.parametrize("content", ["\n", "one", "one two " * 300, "\u2028\U0001f600 e\u0301\n"])
def test_odd_text_is_translated(system: Translator, toy: Path, content: str,
                                tmp_path: Path) -> None:
    (row,) = rows_of(own, system, toy / "fit", content, tmp_path / "own.txt")
    assert isinstance(row["translation"], str)


def test_what_is_no_text_is_named(system: Translator, toy: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="own.txt, line 2: byte 1 of the line is not UTF-8"):
        rows_of(own, system, toy / "fit", b"one\n\xff\n", tmp_path / "own.txt")


def test_a_system_without_its_pieces_says_so(system: Translator, toy: Path) -> None:
    system.artefacts = None
    with pytest.raises(UserError, match="does not know its pieces"):
        next(system.predict(toy / "test", system.settings.variants["copy"]))
