"""From files named on a command line to rows: which are meant, in which form, what is refused."""

import csv
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.errors import UserError
from pipeline.running.answering import Answering, formatted, load_folder, load_row
from pipeline.storage.files import read_json, write_json
from pipeline.suite.schema import load
from pipeline.tasks.tagging.systems import hmm
from pipeline.tasks.tagging.systems.most_frequent import MostFrequentTag, Settings

SPEC = {"forms": ["dog", "the"], "counts": [1, 1], "tags": ["DT", "NN"]}
FILES = {"b.txt": "the dog\n", "a.TXT": "dog\n", "c.conllu": "", "notes.md": "the\n",
         "._b.txt": "dog\n"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    system = MostFrequentTag(Settings(track="t", model="most_frequent"), SPEC)
    system.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    for name, text in FILES.items():
        if text:
            (tmp_path / "files" / name).write_text(text)
    return tmp_path / "files"


def texts(answering: Answering, *names: object) -> list[tuple[str, str]]:
    return [(row["file"], row["text"]) for row in answering.predict([str(n) for n in names])]


def test_files_come_in_the_order_named_and_those_of_a_folder_by_name(model: Path,
                                                                     folder: Path) -> None:
    answering = load_folder(model)
    own = [(str(folder / "a.TXT"), "dog"), (str(folder / "b.txt"), "the dog")]
    assert texts(answering, folder) == own
    # A file that is named is meant, whatever its suffix.
    notes = folder / "notes.md"
    assert texts(answering, notes, folder, notes) == [
        (str(notes), "the"), *own, (str(notes), "the")]


def test_standard_input_is_a_file(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"the dog\n")))
    assert texts(load_folder(model), "-") == [("standard input", "the dog")]


def test_what_cannot_be_answered_is_named(model: Path, folder: Path, tmp_path: Path) -> None:
    answering = load_folder(model)
    with pytest.raises(UserError, match="nowhere.txt does not exist; wanted is text, a sentence"):
        texts(answering, "nowhere.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"has no file that ends in .txt or .conllu"):
        texts(answering, tmp_path / "empty")
    with pytest.raises(UserError, match="most_frequent makes nothing of its own"):
        answering.create(None)


def test_a_variant_is_one_that_was_saved(tmp_path: Path) -> None:
    settings = hmm.Settings(track="t", model="hmm", suffix=1, rare=1, prior=1.0,
                            candidates=2, least=0.0, variants={
                                "bigram": {"transitions": "bigram"},
                                "trigram": {"transitions": "trigram"}})
    write_json(tmp_path / "system.json", {})
    with pytest.raises(UserError, match="has no seal.json"):
        load_folder(tmp_path)
    system = hmm.HiddenMarkovModel(settings, SPEC)
    system.transitions = {name: hmm.np.zeros((3,) * order) for name, order in hmm.ORDERS.items()}
    system.spelling = hmm.SuffixModel([""], hmm.np.ones((1, 2)))
    system.counts = hmm.np.zeros((2, 2))
    system.save(tmp_path)
    assert load_folder(tmp_path).variant == settings.variants["bigram"]
    assert load_folder(tmp_path, "trigram").variant == settings.variants["trigram"]
    with pytest.raises(UserError, match="no variant 'trigam'.*'trigram'"):
        load_folder(tmp_path, "trigam")


def test_a_row_of_the_suite_is_corrected_or_says_how_it_is_trained(root: Path,
                                                                   tmp_path: Path) -> None:
    suite = load(root / "params.yaml").placed(tmp_path)
    with pytest.raises(UserError, match="no row 'lm-lstn'.*lm-lstm"):
        load_row(suite, "lm-lstn")
    with pytest.raises(UserError, match="lm-lstm is not trained here: 'unrolled repro --track"):
        load_row(suite, "lm-lstm")


def test_rows_are_written_as_text_a_table_or_json() -> None:
    rows = [{"file": "a", "line": 1, "tags": 'X "Y", Z', "sure": 0.5},
            {"file": "a", "line": 2, "tags": "\u00e9", "sure": None}]
    shown = ("tags", "sure", "absent")
    assert list(formatted(iter(rows), "text", shown)) == ['X "Y", Z\t0.5', "\u00e9\t"]
    assert list(formatted(iter(rows), "csv", shown)) == [
        "file,line,tags,sure", 'a,1,"X ""Y"", Z",0.5', "a,2,\u00e9,"]
    assert [json.loads(line) for line in formatted(iter(rows), "json", shown)] == rows
    assert list(formatted(iter([]), "csv", shown)) == []


def test_a_table_is_read_back_as_it_was(tmp_path: Path) -> None:
    texts = ["a\rb", "a\nb", 'a"b', "a,b", "\u2028", " a ", ""]
    lines = list(formatted(iter({"text": text, "n": 1} for text in texts), "csv", ()))
    (tmp_path / "out.csv").write_text("".join(f"{line}\n" for line in lines), newline="")
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [row["text"] for row in csv.DictReader(file)] == texts


def test_the_record_names_task_and_model(model: Path) -> None:
    record = read_json(model / "system.json")
    assert record["task"] == "tagging" and record["spec"] == SPEC
