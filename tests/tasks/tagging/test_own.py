"""A tagger tags a file: as it tags its test text, and whatever the file looks like."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.systems.base import Run, System
from pipeline.tasks.tagging import own
from tests.tasks.answers import predictions, rows_of, without_ids
from tests.tasks.tagging.raw import sentences, write_raw
from tests.tasks.tagging.test_systems import BILSTM, MODELS, new

WORD = "{}\t{}\t_\t_\t_\t_\t_\t_\t_\t_\n"


@pytest.fixture(scope="module")
def fitted(extracted: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, System]:
    training = {"training": BILSTM["training"] | {"epochs": 2}}
    found = {model: new(model, extracted, **(training if "bilstm" in model else {}))
             for model in MODELS}
    for model, system in found.items():
        system.fit(extracted / "fit", Run(seed=1, work=tmp_path_factory.mktemp(model)))
    return found


@pytest.mark.parametrize("model", list(MODELS))
def test_a_file_is_tagged_as_the_test_text(fitted: dict[str, System], extracted: Path, model: str,
                                           tmp_path: Path) -> None:
    system = fitted[model]
    files = write_raw(extracted / "test", tmp_path, extracted)
    for variant in system.settings.variants.values() or [None]:
        found = predictions(own, system, variant, extracted, files, tmp_path)
        assert found == without_ids(system.predict(extracted / "test", variant))


@pytest.mark.parametrize("model", list(MODELS))
@pytest.mark.parametrize("content", ["\n", "\n\n\n", "dog\n", "the dog " * 2000,
                                     "\N{SNOWMAN} \U0001f600\U0001f600 e\u0301\n"])
def test_odd_text_is_tagged(fitted: dict[str, System], extracted: Path, model: str, content: str,
                            tmp_path: Path) -> None:
    for row, line in zip(rows_of(own, fitted[model], extracted, content, tmp_path / "own.txt"),
                         content.removesuffix("\n").split("\n"), strict=True):
        assert row["text"].split(" ") == (line.split() or [""])
        tags = row["tags"].split()
        assert len(tags) == len(line.split()) and set(tags) <= set(fitted[model].spec["tags"])


@pytest.mark.parametrize("content", [
    b"\xef\xbb\xbfthe  dog barks\r\n\r\n milk helps\r\n", b"the dog barks\n\nmilk helps"])
def test_rows_stay_with_their_lines(fitted: dict[str, System], extracted: Path, content: bytes,
                                    tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    assert rows_of(own, fitted["most_frequent"], extracted, content, file) == [
        {"file": str(file), "line": 1, "text": "the dog barks", "tags": "DT NN VBZ",
         "tagged": "the/DT dog/NN barks/VBZ"},
        {"file": str(file), "line": 2, "text": "", "tags": "", "tagged": ""},
        {"file": str(file), "line": 3, "text": "milk helps", "tags": "NN VBZ",
         "tagged": "milk/NN helps/VBZ"}]


def test_forms_of_a_treebank_are_tagged(fitted: dict[str, System], extracted: Path,
                                        tmp_path: Path) -> None:
    text = ("# text = the dog\r\n" + WORD.format("1-2", "thedog") + WORD.format(1, "the")
            + WORD.format(2, "dog") + "\n# sent_id = 2\n" + WORD.format(1, "10 000"))
    found = rows_of(own, fitted["most_frequent"], extracted, text, tmp_path / "own.CONLLU")
    assert [(row["line"], row["text"], row["tags"]) for row in found] == [
        (3, "the dog", "DT NN"), (7, "10\N{NO-BREAK SPACE}000", "NN")]
    assert found[1]["tagged"] == "10\N{NO-BREAK SPACE}000/NN"


@pytest.mark.parametrize("content, message", [
    (b"the \xffdog\n", "own.conllu, line 1: byte 5 of the line is not UTF-8"),
    (b"the dog\n", "own.conllu, line 1: expected 10 columns apart by tabs, got 1"),
    (b"\n", "own.conllu holds no sentences"), (b"", "own.conllu is empty")])
def test_what_is_no_treebank_is_named(fitted: dict[str, System], extracted: Path, content: bytes,
                                      message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        rows_of(own, fitted["most_frequent"], extracted, content, tmp_path / "own.conllu")


def test_what_is_written_raw_is_what_is_tested(extracted: Path) -> None:
    assert sentences(extracted / "test") == [
        ["the", "horse", "can", "walk", "."], [], ["oh", "dear"], ["Peter", "barks"]]


@pytest.mark.parametrize("model", ["hmm", "crf"])
def test_what_is_text_is_saved_as_text(fitted: dict[str, System], model: str,
                                       tmp_path: Path) -> None:
    fitted[model].save(tmp_path)
    assert list(read_json(tmp_path / "texts.json")) == [
        {"hmm": "endings", "crf": "features"}[model]]
    weights = load_file(tmp_path / "weights.safetensors")
    assert torch.uint8 not in {tensor.dtype for tensor in weights.values()}
