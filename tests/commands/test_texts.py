"""What is said about files: on the command line, in a list, beside each, or not at all."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.commands.texts import Texts
from pipeline.errors import UserError
from pipeline.modules import task_module
from pipeline.tasks.contract import OwnFile, Trained

TRAINED = Trained({}, Path("artefacts"))


def needs_text() -> Any:
    """A task's `own` that tells which files it was given."""
    return SimpleNamespace(TAKES="a recording", NEEDS_TEXT="the words in it",
                           prepare=lambda files, trained, folder: list(files))


def given(texts: Texts, *paths: Path) -> list[str | None]:
    files = [OwnFile(str(path), path) for path in paths]
    found: Any = texts.told(needs_text()).prepare(files, TRAINED, Path())
    assert [file.path for file in found] == list(paths)
    return [file.text for file in found]


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    found = [tmp_path / name for name in ("one.wav", "two.b.flac", "my own.wav")]
    for path in found:
        path.write_bytes(b"")
    return found


def test_one_text_is_for_one_file(recordings: list[Path]) -> None:
    assert given(Texts(text="is that so?"), recordings[0]) == ["is that so?"]
    with pytest.raises(UserError, match="--text: these are 3 files, and each needs the words in"):
        given(Texts(text="is that so?"), *recordings)


def test_a_list_has_a_text_for_each_in_any_order(recordings: list[Path]) -> None:
    listed = recordings[0].parent / "texts"
    listed.write_text("two.b yes  no\n\none\tgo\n other not asked for\nmy own\ta b\n")
    assert given(Texts(listed=listed), *recordings) == ["go", "yes  no", "a b"]


@pytest.mark.parametrize(("content", "message"), [
    ("one go\ntwo.b\n", "texts, line 2: 'two.b' is no name and text"),
    ("one go\none stay\n", "texts, line 2: a second text of 'one'"),
    ("one go\n", "two.b.flac: .*texts has no line that begins with 'two.b'")])
def test_a_list_that_lacks_something_is_refused_with_its_place(
        content: str, message: str, recordings: list[Path]) -> None:
    listed = recordings[0].parent / "texts"
    listed.write_text(content)
    with pytest.raises(UserError, match=message):
        given(Texts(listed=listed), *recordings)


def test_there_has_to_be_a_list(recordings: list[Path]) -> None:
    with pytest.raises(UserError, match="--texts nowhere: there is no such file"):
        given(Texts(listed=Path("nowhere")), recordings[0])


def test_without_options_a_text_lies_beside_each(recordings: list[Path]) -> None:
    for path, text in zip(recordings, ("go\n", "\ufeffyes\r\nno\r\n", "a\n\nb"), strict=True):
        path.with_suffix(".txt").write_text(text, "utf-8", newline="")
    assert given(Texts(), *recordings) == ["go", "yes no", "a b"]
    recordings[1].with_suffix(".txt").unlink()
    with pytest.raises(UserError, match="two.b.flac: the system needs the words in it; give it by"):
        given(Texts(), *recordings)


def test_two_ways_at_once_are_one_too_many() -> None:
    with pytest.raises(UserError, match="two ways to say the same"):
        Texts("a", Path("b")).told(needs_text())


def test_a_task_that_needs_no_text_takes_none() -> None:
    own: Any = task_module("tagging", "own")
    assert Texts().told(own) is own
    for texts, option in ((Texts(text="a"), "--text"), (Texts(listed=Path("a")), "--texts")):
        with pytest.raises(UserError, match=f"^{option}: this system answers .*needs no text"):
            texts.told(own)
