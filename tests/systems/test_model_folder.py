"""A model's folder says what it is and whether it is whole."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.files import read_json, sha256, write_json
from pipeline.storage.seal import seal, sealing
from pipeline.systems import model_folder
from pipeline.tasks.language_model.systems import kneser_ney
from pipeline.tasks.tagging.systems import most_frequent

TENSORS = {"table": torch.arange(12.0).reshape(3, 4), "numbers": torch.tensor([1, 2])}
TEXTS = {"lexicon": ["a", "\u00e9\u2028"], "empty": []}
SPEC = {"forms": ["a", "b"], "tags": ["X", "Y"]}


def saved(folder: Path, tensors: dict[str, Tensor] | None = None) -> Path:
    artefacts = folder / "artefacts-of-features"
    (artefacts / "inner").mkdir(parents=True, exist_ok=True)
    (artefacts / "pieces.model").write_bytes(b"\x00\xffpieces")
    (artefacts / "inner" / "notes.json").write_text("{}\n")
    model = folder / "model"
    with sealing(model):
        model_folder.write(model, "t", {"model": "m"}, SPEC, tensors or TENSORS, TEXTS, artefacts)
    return model


def test_everything_comes_back(tmp_path: Path) -> None:
    model = saved(tmp_path)
    shutil.rmtree(tmp_path / "artefacts-of-features")
    shutil.move(model, tmp_path / "elsewhere")
    found = model_folder.read(tmp_path / "elsewhere")
    assert (found.settings, found.spec, found.texts) == ({"model": "m"}, SPEC, TEXTS)
    assert set(found.tensors) == set(TENSORS)
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in TENSORS.items())
    copied = tmp_path / "elsewhere" / ARTEFACTS
    assert (copied / "pieces.model").read_bytes() == b"\x00\xffpieces"
    assert (copied / "inner" / "notes.json").read_text() == "{}\n"


def test_variants_come_back_in_their_order(tmp_path: Path) -> None:
    """The first of them is how a system answers unless told otherwise."""
    settings = {"model": "m", "variants": {"greedy": {}, "beam": {}, "a": {}}}
    with sealing(tmp_path / "model"):
        model_folder.write(tmp_path / "model", "t", settings, SPEC, TENSORS, TEXTS)
    found = model_folder.read(tmp_path / "model").settings["variants"]
    assert list(found) == ["greedy", "beam", "a"]


def test_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    first, second = saved(tmp_path / "1"), saved(tmp_path / "2")
    for path in first.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()


def test_what_an_older_system_left_goes(tmp_path: Path) -> None:
    model = saved(tmp_path)
    model_folder.write(model, "t", {}, SPEC, TENSORS, TEXTS)
    assert not (model / ARTEFACTS).exists()
    assert {path.name for path in model.iterdir()} == {
        "weights.safetensors", "texts.json", "system.json", "seal.json"}


def test_a_system_can_be_saved_where_its_artefacts_lie(tmp_path: Path) -> None:
    model = saved(tmp_path)
    with sealing(model):
        model_folder.write(model, "t", {}, SPEC, TENSORS, TEXTS, model / ARTEFACTS)
    assert (model / ARTEFACTS / "pieces.model").exists()
    model_folder.read(model)


@pytest.mark.parametrize("name", ["weights.safetensors", "texts.json", "artefacts/pieces.model"])
def test_a_flipped_bit_is_found(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path) / name
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"{name} is damaged: it is not the file that was written"):
        model_folder.read(tmp_path / "model")


@pytest.mark.parametrize("name", ["weights.safetensors", "texts.json", "artefacts/pieces.model"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (saved(tmp_path) / name).unlink()
    with pytest.raises(UserError, match=f"{name} is missing"):
        model_folder.read(tmp_path / "model")


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    model = saved(tmp_path, {"table": torch.tensor([1.0, float("nan")])})
    with pytest.raises(UserError, match="table holds values that are no numbers"):
        model_folder.read(model)
    # The logarithm of an impossible event is a number that a model may hold.
    model_folder.read(saved(tmp_path, {"table": torch.tensor([1.0, -float("inf")])}))


def changed(model: Path, change: Callable[[dict], None]) -> Path:
    record = read_json(model / "system.json")
    change(record)
    write_json(model / "system.json", record)
    seal(model)
    return model


@pytest.mark.parametrize("change, message", [
    (lambda record: record.update(format=99), "has format 99, and this version reads format 2"),
    (lambda record: record.pop("format"), "system.json, format: field required"),
    (lambda record: record.update(spec=[]), "system.json, spec: input should be a valid dict")])
def test_a_record_of_another_form_is_refused(tmp_path: Path, change: Callable[[dict], None],
                                             message: str) -> None:
    with pytest.raises(UserError, match=message):
        model_folder.read(changed(saved(tmp_path), change))


def test_a_folder_without_a_record_is_no_system(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no trained system: it has no system.json"):
        model_folder.read(tmp_path)


def test_links_into_a_cache_are_files(tmp_path: Path) -> None:
    """DVC may link an output's files to its cache."""
    model = saved(tmp_path)
    for path in list(model.rglob("*")):
        if path.is_file():
            cached = tmp_path / "cache" / sha256(path)
            cached.parent.mkdir(exist_ok=True)
            shutil.move(path, cached)
            path.symlink_to(cached)
    assert model_folder.read(model).texts == TEXTS


def test_weights_of_another_system_or_shape_are_refused(tmp_path: Path) -> None:
    settings = most_frequent.Settings(track="t", model="most_frequent")
    system = most_frequent.MostFrequentTag(settings, SPEC)
    system.save(tmp_path)
    assert most_frequent.MostFrequentTag.load(tmp_path).spec == SPEC
    with pytest.raises(UserError, match="holds another system, or one of another version"):
        kneser_ney.KneserNey.load(tmp_path)
    changed(tmp_path, lambda record: record["spec"].update(forms=["a", "b", "c"]))
    with pytest.raises(UserError, match="holds another system, .*expected 4 tags, got 3"):
        most_frequent.MostFrequentTag.load(tmp_path)
