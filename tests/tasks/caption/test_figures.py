"""Figures are files that open, and are the same bytes each time."""

import pytest

from pipeline.drawing.items import read_items
from pipeline.storage.files import read_json
from pipeline.tasks.caption.figures import draw
from tests.lettering import lettering


@pytest.mark.parametrize(("model", "maps"), [("attention", 3), ("start", 0), (None, 0)])
def test_figures_and_samples(make_system, toy, tmp_path, model, maps) -> None:
    system = make_system(model).eval() if model else None
    items = read_json(toy / "test/items.json")
    predictions = {
        "greedy": [{"id": item["id"], "sentence": "a red square left"} for item in items],
        "beam": [{"id": item["id"], "sentence": item["references"][1]} for item in items[::-1]]}
    for folder in ("1", "2"):
        draw(system, predictions, toy / "test", tmp_path / folder / "row")
    names = sorted(path.name for path in (tmp_path / "1" / "row").iterdir())
    assert names == sorted([f"attention_{n + 1}.png" for n in range(maps)]
                           + ["items.json"] * bool(maps) + ["samples.png", "samples.txt"])
    for name in names:
        content = (tmp_path / "1" / "row" / name).read_bytes()
        assert content == (tmp_path / "2" / "row" / name).read_bytes()
        assert content.startswith(b"\x89PNG") == name.endswith(".png")
    first = items[0]
    assert (tmp_path / "1/row/samples.txt").read_text().startswith(
        "\n".join([first["id"], *(f"reference: {text}" for text in first["references"]),
                   "greedy:    a red square left", f"beam:      {first['references'][1]}"]))


def test_an_empty_sentence_has_no_map(make_system, toy, tmp_path) -> None:
    items = read_json(toy / "test/items.json")
    draw(make_system("attention").eval(),
         {"plain": [{"id": item["id"], "sentence": ""} for item in items]}, toy / "test", tmp_path)
    assert not list(tmp_path.glob("attention*"))
    assert read_items(tmp_path) == {}


def test_maps_are_of_the_items_that_are_noted(make_system, toy, tmp_path, monkeypatch) -> None:
    """They are spread over the test set, and that in the middle has no sentence here."""
    ids = [item["id"] for item in read_json(toy / "test/items.json")]
    written = lettering(monkeypatch)
    silent = round((len(ids) - 1) / 2)
    draw(make_system("attention").eval(), {"plain": [
        {"id": identity, "sentence": "" if place == silent else "a red square left"}
        for place, identity in enumerate(ids)]}, toy / "test", tmp_path / "row")
    assert read_items(tmp_path / "row") == {"attention_1": ids[0], "attention_3": ids[-1]}
    for name, identity in read_items(tmp_path / "row").items():
        assert f"looksat{identity}asit" in written[name]
