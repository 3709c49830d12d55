"""A language model reads a file: as it reads its test text, and whatever the file looks like."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.corpora.line_breaks import BREAK
from pipeline.errors import UserError
from pipeline.storage.files import read_json, write_json
from pipeline.systems.base import Run, System
from pipeline.tasks.language_model import own
from pipeline.tasks.language_model.shared.stream import Stream
from pipeline.tasks.language_model.systems import kneser_ney, recurrent, time_delay
from tests.tasks.answers import predictions, rows_of, without_ids
from tests.tasks.language_model.raw import write_raw
from tests.tasks.language_model.test_recurrent import settings as recurrent_settings
from tests.tasks.language_model.test_time_delay import settings as time_delay_settings

CACHE = {"reading": "cache", "size": 9, "flatness": 0.3, "weight": 0.2}


def new(model: str, features: Path) -> System:
    spec = read_json(features / "fit" / "spec.json")
    torch.manual_seed(2)
    if model == "recurrent":
        return recurrent.RecurrentLanguageModel(recurrent_settings(variants={"cache": CACHE}), spec)
    if model == "time_delay":
        return time_delay.TimeDelayLanguageModel(time_delay_settings(), spec)
    system = kneser_ney.KneserNey(kneser_ney.Settings(
        track="lm-word", model=model, order=3), spec)
    system.fit(features / "fit", Run(seed=1, work=features))
    return system


@pytest.fixture(scope="module")
def system(extracted: Path) -> System:
    return new("recurrent", extracted)


@pytest.mark.parametrize("model", ["recurrent", "time_delay", "kneser_ney"])
@pytest.mark.parametrize("unit", ["extracted", "characters"])
def test_a_file_is_read_as_the_test_text(request: pytest.FixtureRequest, unit: str, model: str,
                                         tmp_path: Path) -> None:
    features = request.getfixturevalue(unit)
    system = new(model, features)
    variant = next(iter(system.settings.variants.values()), None)
    files = write_raw(features / "test", tmp_path, features)
    found = predictions(own, system, variant, features, files, tmp_path)
    assert found == without_ids(system.predict(features / "test", variant))


def test_a_line_is_scored_with_its_end(system: Any, extracted: Path, tmp_path: Path) -> None:
    (row,) = rows_of(own, system, extracted / "fit", "the zebra sees", tmp_path / "own.txt")
    ids = [system.spec["vocabulary"].index(word) for word in ("the", "<unk>", "sees", "<eos>")]
    nats = system.token_losses(torch.tensor(ids).numpy(), system.settings.variants["cache"])
    assert row["tokens"] == 4 and row["unknown"] == 1 and row["line"] == 1
    assert row["file"] == str(tmp_path / "own.txt") and row["text"] == "the zebra sees"
    assert row["nats"] == pytest.approx(nats.sum(), rel=1e-5)
    assert row["perplexity"] == pytest.approx(math.exp(nats.mean()), rel=1e-5)


def test_characters_are_scored_in_bits(characters: Path, tmp_path: Path) -> None:
    system = new("time_delay", characters)
    (row,) = rows_of(own, system, characters / "fit", "the", tmp_path / "own.txt")
    assert row["tokens"] == 4 and "perplexity" not in row
    assert row["bits_per_character"] == pytest.approx(row["nats"] / math.log(2) / 4, rel=1e-5)


def test_lines_are_read_in_their_order_as_one_text(system: Any, extracted: Path,
                                                   tmp_path: Path) -> None:
    fit = extracted / "fit"
    both = rows_of(own, system, fit, "the cat\nthe dog\n", tmp_path / "own.txt")
    (alone,) = rows_of(own, system, fit, "the dog\n", tmp_path / "own.txt")
    assert [row["line"] for row in both] == [1, 2]
    assert both[1]["nats"] != alone["nats"]


@pytest.mark.parametrize("content", [
    b"\xef\xbb\xbfthe cat\n\nthe dog\n", b"the cat\r\n\r\nthe dog\r\n", b"the cat\n\nthe dog"])
def test_marks_and_ends_of_lines_are_no_text(system: Any, extracted: Path, content: bytes,
                                             tmp_path: Path) -> None:
    fit = extracted / "fit"
    expected = rows_of(own, system, fit, "the cat\n\nthe dog\n", tmp_path / "own.txt")
    assert [row["tokens"] for row in expected] == [3, 1, 3]
    assert rows_of(own, system, fit, content, tmp_path / "own.txt") == expected


def test_a_long_line_and_lines_without_a_word_are_read(system: Any, extracted: Path,
                                                       tmp_path: Path) -> None:
    (row,) = rows_of(own, system, extracted / "fit", "the cat " * 3000, tmp_path / "own.txt")
    assert row["tokens"] == 6001 and math.isfinite(row["perplexity"])
    (row,) = rows_of(own, system, extracted / "fit", "\n", tmp_path / "own.txt")
    assert row["tokens"] == 1 and row["perplexity"] > 1


def test_the_mark_of_an_end_is_no_word(system: Any, extracted: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"own.txt, line 2 holds the word <eos>"):
        rows_of(own, system, extracted / "fit", "a cat\nthe <eos>\n", tmp_path / "own.txt")


CODE = """\
import math

LIMIT = 3


def first(a):
    return a


@cached
class Second:
    b = 1
"""


@pytest.fixture(scope="module")
def of_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features of a model of source code: its vocabulary has the character of line breaks."""
    fit = tmp_path_factory.mktemp("code") / "fit"
    write_json(fit / "spec.json", {"unit": "character", "vocabulary": ["<unk>", "\n", BREAK, *map(
        chr, range(32, 127))]})
    return fit


def test_a_model_of_code_reads_functions_and_classes_of_python(of_code: Path,
                                                               tmp_path: Path) -> None:
    system = new("time_delay", of_code.parent)
    found = rows_of(own, system, of_code, CODE, tmp_path / "own.py")
    assert [(row["line"], row["text"], row["unknown"]) for row in found] == [
        (6, f"def first(a):{BREAK}    return a", 0),
        (10, f"@cached{BREAK}class Second:{BREAK}    b = 1", 0)]
    assert found[0]["tokens"] == len(found[0]["text"]) + 1
    # The same as lines of text, with the line breaks written as the model knows them.
    lines = "".join(f"{row['text']}\n" for row in found)
    assert [row["nats"] for row in rows_of(own, system, of_code, lines, tmp_path / "own.txt")] == [
        row["nats"] for row in found]


@pytest.mark.parametrize("content, message", [
    ("import math\n", r"own.py: it has no function or class"),
    ("def f(:\n", r"own.py, line 1: this is no Python"),
    (f"def f():\n    return '{BREAK}'\n", r"own.py, line 2: it holds '⏎'")])
def test_python_that_cannot_be_read_is_named(of_code: Path, content: str, message: str,
                                             tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        rows_of(own, new("time_delay", of_code.parent), of_code, content, tmp_path / "own.py")


def test_a_model_of_prose_refuses_python(system: Any, extracted: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"own.py: this model has not been trained on source code"):
        rows_of(own, system, extracted / "fit", CODE, tmp_path / "own.py")


def test_nothing_of_the_features_is_needed(system: Any, extracted: Path, tmp_path: Path) -> None:
    assert rows_of(own, system, tmp_path / "nowhere", "a cat\n", tmp_path / "own.txt")
    assert Stream.read(extracted / "test", "test").lengths.tolist() == [8, 3, 1, 4]
