"""Seals: what is not the file that was written is found before it is used."""

import json
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.storage.files import sha256, write_json
from pipeline.storage.seal import SEAL, check_seal, read_sealed, seal, write_sealed
from tests.damage import change_value, cut_byte, files_in, flip_bit
from tests.trials import trials

CONTENT = {"settings": {"rate": 0.1, "names": ["ä", "b"]}, "code": {"b": "1", "a": "2"}}


def folder(path: Path) -> Path:
    (path / "inner").mkdir(parents=True)
    write_json(path / "spec.json", {"classes": 3})
    (path / "inner" / "weights").write_bytes(bytes(range(256)))
    seal(path)
    return path


def test_what_was_sealed_passes_and_keeps_its_order(tmp_path: Path) -> None:
    check_seal(folder(tmp_path / "whole"), "again")
    write_sealed(tmp_path / "a.json", CONTENT)
    found = read_sealed(tmp_path / "a.json", "again")
    assert found == CONTENT and list(found["code"]) == ["b", "a"]


def test_a_seal_names_every_file_with_its_digest(tmp_path: Path) -> None:
    whole = folder(tmp_path / "whole")
    written = json.loads((whole / SEAL).read_text())
    assert written["files"] == {"inner/weights": sha256(whole / "inner" / "weights"),
                                "spec.json": sha256(whole / "spec.json")}


@pytest.mark.fuzz
def test_any_flipped_bit_and_any_lost_byte_is_found(tmp_path: Path) -> None:
    whole, chance = folder(tmp_path / "whole"), random.Random(0)
    for number in range(trials(50, 4000)):
        copy = Path(shutil.copytree(whole, tmp_path / "copy"))
        damaged = chance.choice(files_in(copy))
        (flip_bit, cut_byte)[number % 2](damaged, chance)
        with pytest.raises(UserError, match=f"{damaged}.*again$"):
            check_seal(copy, "again")
        shutil.rmtree(copy)


@pytest.mark.fuzz
@pytest.mark.parametrize("damage", [flip_bit, cut_byte, change_value])
def test_a_file_that_stands_alone_is_found_damaged(tmp_path: Path, damage: object) -> None:
    path, chance = tmp_path / "a.json", random.Random(0)
    for _ in range(trials(50, 4000)):
        write_sealed(path, CONTENT)
        damage(path, chance)  # type: ignore[operator]
        with pytest.raises(UserError, match="a.json"):
            read_sealed(path, "again")


def test_a_digest_exchanged_with_its_file_is_found(tmp_path: Path) -> None:
    """The seal carries a digest of itself, so no line of it can be changed alone."""
    whole = folder(tmp_path / "whole")
    before = sha256(whole / "spec.json")
    write_json(whole / "spec.json", {"classes": 4})
    text = (whole / SEAL).read_text()
    (whole / SEAL).write_text(text.replace(before, sha256(whole / "spec.json")))
    with pytest.raises(UserError, match=f"{SEAL} is damaged"):
        check_seal(whole, "again")


def test_files_and_seals_that_are_missing_or_too_many_are_named(tmp_path: Path) -> None:
    whole = folder(tmp_path / "whole")
    (whole / ".DS_Store").touch()
    check_seal(whole, "again")
    (whole / "inner" / "more").touch()
    with pytest.raises(UserError, match="inner/more is a file that the folder's seal.json does no"):
        check_seal(whole, "again")
    (whole / "inner" / "more").unlink()
    (whole / "inner" / "weights").unlink()
    with pytest.raises(UserError, match="inner/weights is missing; again"):
        check_seal(whole, "again")
    (whole / SEAL).unlink()
    with pytest.raises(UserError, match="whole has no seal.json.*; again"):
        check_seal(whole, "again")
    with pytest.raises(UserError, match="nowhere does not exist; again"):
        check_seal(tmp_path / "nowhere", "again")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_a_seal_of_any_shape_is_refused_plainly(tmp_path_factory: pytest.TempPathFactory,
                                                content: object) -> None:
    whole = tmp_path_factory.mktemp("whole")
    for value in (content, {"files": content}):
        (write_sealed if isinstance(value, dict) else write_json)(whole / SEAL, value)
        if value in ({"files": {}},):
            check_seal(whole, "again")
        else:
            with pytest.raises(UserError, match="again"):
                check_seal(whole, "again")
