"""What is written can be read: letters that no font has, powers of ten, and the name of a row."""

import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from pipeline.drawing import letters, saving
from pipeline.drawing.letters import in_latin, readable
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import Styled
from tests.conftest import ROOT
from tests.drawn import faults


def test_letters_that_every_machine_has_stay() -> None:
    assert readable("¿dónde? ▁Straße – “ok” ␣") == "¿dónde? ▁Straße – “ok” ␣"


def test_others_are_written_by_their_sound_or_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [in_latin(letter) for letter in "かカ日가☃"] == ["ka", "ka", "⟨65E5⟩", "ga", "⟨2603⟩"]
    monkeypatch.setattr(letters, "_known", str.isascii)
    assert readable("a か日") == "a ka⟨65E5⟩"


def test_texts_and_names_of_ticks_are_no_empty_boxes(monkeypatch: pytest.MonkeyPatch,
                                                    tmp_path: Path) -> None:
    drawn: list[list[str]] = []
    monkeypatch.setattr(letters, "_known", str.isascii)
    monkeypatch.setattr(saving, "save_png", lambda figure, path, **how: drawn.append(
        [figure.axes[0].get_title(), *(label.get_text() for label in
                                       figure.axes[0].get_xticklabels())]))
    with Styled():
        figure = Figure()
        axes = figure.subplots()
        axes.set_title("の")
        axes.set_xticks([0, 1], ["を", "x"])
        save(figure, tmp_path, "name")
    assert drawn == [["no", "wo", "x"]]


def test_powers_of_ten_are_no_formulas(tmp_path: Path) -> None:
    with Styled():
        figure = Figure()
        axes = figure.subplots()
        axes.semilogy([1e-5, 1e3])
        axes.set(xlabel="x", ylabel="y", title="title")
        before = faults(figure)
        save(figure, tmp_path, "powers")
    assert any("formula" in fault for fault in before) and faults(figure) == []
    assert (tmp_path / "powers.png").read_bytes().startswith(b"\x89PNG")


def test_a_row_is_called_by_its_system_and_its_variant() -> None:
    assert row_of(Path("figures/track/system")) == "system"
    assert row_of(Path("figures/track/system"), "beam") == "system:beam"


def test_tasks_write_and_colour_pictures_in_no_other_way() -> None:
    """So what is looked at in tests of tasks (`tests/tasks/conftest.py`) is all that they draw."""
    modules = sorted((ROOT / "pipeline" / "tasks").rglob("*.py"))
    drawing = [path for path in modules if "matplotlib" in path.read_text("utf-8")]
    assert len(drawing) > 20
    for path in drawing:
        assert not re.search(r"save_png|savefig|tab:|jet", path.read_text("utf-8")), path
    for path in modules:
        if path.name == "figures.py":
            assert "@Styled()\ndef draw(" in path.read_text("utf-8"), path
