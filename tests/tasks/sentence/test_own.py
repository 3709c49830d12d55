"""A classifier labels a file: as it labels its test items, and whatever the file looks like."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.corpora import babi
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.storage.words import words_in
from pipeline.systems.base import Run, System
from pipeline.tasks.sentence import features, own
from tests.tasks.answers import predictions, rows_of, without_ids
from tests.tasks.sentence.conftest import SETTINGS
from tests.tasks.sentence.raw import write_raw
from tests.tasks.sentence.test_bag_of_words import new as new_bag
from tests.tasks.sentence.test_classifier import MODULES, new

MODELS = [*MODULES, "bag_of_words"]
STORY = "1 Mary went to the attic.\n2 Where is Mary?\n3 John left.\n4 Where is John? \tcellar\t3\n"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features of a corpus of stories."""
    folder = tmp_path_factory.mktemp("stories")
    babi.prepare(babi.Settings(module="babi", seed=1, train=12, valid=6, test=6, people=3, places=3,
                               objects=2, facts=8), folder / "data", None)
    features.extract(SETTINGS, folder / "data", babi, folder / "fit", folder / "test")
    return folder


def made(model: str, folder: Path) -> System:
    if model != "bag_of_words":
        return new(model, folder)
    system = new_bag(read_json(folder / "fit" / "spec.json"))
    system.fit(folder / "fit", Run(seed=1, work=folder))
    return system


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("corpus", ["extracted", "told"])
def test_a_file_is_labelled_as_the_test_items(request: pytest.FixtureRequest, corpus: str,
                                              model: str, tmp_path: Path) -> None:
    folder = request.getfixturevalue(corpus)
    system = made(model, folder)
    files = write_raw(folder / "test", tmp_path, folder)
    variant = next(iter(system.settings.variants.values()), None)
    assert predictions(own, system, variant, folder, files, tmp_path) == without_ids(
        system.predict(folder / "test", variant))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("content", ["\n", "a\n", "a so b " * 1000, "\n\na b\n", "\u2028 \n",
                                     " \t\n"])
def test_odd_text_is_labelled_line_by_line(extracted: Path, model: str, content: str,
                                           tmp_path: Path) -> None:
    system = made(model, extracted)
    lines = content.removesuffix("\n").split("\n")
    found = rows_of(own, system, extracted / "fit", content, tmp_path / "own.txt")
    for row, line in zip(found, lines, strict=True):
        assert row["words"] == len(words_in(line))
        assert (row["label"] in ("A", "B")) == (row["probability"] is not None) == bool(
            words_in(line))


def test_rows_say_what_was_read(extracted: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    content = b"\xef\xbb\xbfa so zebra\r\n\r\nb\r\n"
    found = rows_of(own, made("bag_of_words", extracted), extracted / "fit", content, file)
    assert [(row["file"], row["line"], row["text"], row["words"], row["unknown"])
            for row in found] == [(str(file), 1, "a so zebra", 3, 1), (str(file), 2, "", 0, 0),
                                  (str(file), 3, "b", 1, 0)]
    assert all(0.5 <= row["probability"] <= 1 for row in found if row["words"])


def test_words_are_spelt_as_the_vocabulary_has_them(tmp_path: Path) -> None:
    def reader(directory: Path, split: str) -> list:
        return [features.LabelledSentence("1", ["Good", "Film"], "p", cluster="1"),
                features.LabelledSentence("2", ["Bad", "Film"], "n", cluster="2")]

    settings = features.Settings(min_count=1, lowercase=True, classes="all", phrases=False)
    features.extract(settings, tmp_path, SimpleNamespace(
        labelled=reader, ceiling=lambda *_: None), tmp_path / "fit", tmp_path / "test")
    upper, lower = rows_of(own, made("bag_of_words", tmp_path), tmp_path / "fit",
                           "GOOD film\ngood film\n", tmp_path / "own.txt")
    assert upper["unknown"] == lower["unknown"] == 0
    assert upper["probability"] == lower["probability"]


def test_a_story_is_asked_about(told: Path, tmp_path: Path) -> None:
    system = made("last_step", told)
    found = rows_of(own, system, told / "fit", STORY, tmp_path / "own.txt")
    assert [(row["line"], row["text"], row["words"]) for row in found] == [
        (2, "Where is Mary?", 10), (4, "Where is John?", 13)]
    assert {row["label"] for row in found} <= set(system.spec["labels"])


@pytest.mark.parametrize("content, message", [
    ("1 Mary left.\n", "own.txt has no question"),
    ("Where is Mary?\n", "own.txt, line 1: expected a line number first"),
    ("1 Mary left.\n3 Where is Mary?\n", "own.txt, line 2: expected number 2, or 1"),
    ("1 \n", "own.txt, line 1: the line has no words")])
def test_what_is_no_story_is_named(told: Path, content: str, message: str,
                                   tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        rows_of(own, made("last_step", told), told / "fit", content, tmp_path / "own.txt")


def test_what_is_no_text_is_named(extracted: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="own.txt, line 2: byte 1 of the line is not UTF-8"):
        rows_of(own, made("last_step", extracted), extracted / "fit", b"a\n\xff\n",
                tmp_path / "own.txt")
