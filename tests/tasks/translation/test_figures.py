"""Figures are files that open, and are the same bytes each time."""

import pytest

from pipeline.drawing.items import read_items
from pipeline.storage.files import read_json
from pipeline.storage.sequences import Sequences
from pipeline.tasks.translation.figures import READABLE_PIECES, draw
from tests.lettering import lettering


@pytest.mark.parametrize(("model", "maps"), [("attention", 2), ("fixed_vector", 0)])
def test_figures_and_samples(make_system, toy, tmp_path, monkeypatch, model, maps):
    written = lettering(monkeypatch)
    system = make_system(model, read_json(toy / "fit" / "spec.json")).eval()
    system.artefacts = toy / "fit" / "artefacts"
    items = read_json(toy / "test" / "items.json")
    predictions = {
        "greedy": [{"id": item["id"], "hypothesis": "uno dos"} for item in reversed(items)],
        "beam": [{"id": item["id"], "hypothesis": item["reference"]} for item in items]}
    for folder in ("1", "2"):
        draw(system, predictions, toy / "test", tmp_path / folder / "row")
    names = sorted(path.name for path in (tmp_path / "1" / "row").iterdir())
    assert names == sorted([f"attention_{n + 1}.png" for n in range(maps)]
                           + ["items.json"] * bool(maps) + ["samples.txt"])
    for name in names:
        content = (tmp_path / "1" / "row" / name).read_bytes()
        assert content == (tmp_path / "2" / "row" / name).read_bytes()
        assert content.startswith(b"\x89PNG") == name.endswith(".png")

    samples = (tmp_path / "1" / "row" / "samples.txt").read_text()
    first = items[0]
    assert samples.startswith(f"{first['id']}\nsource:    {first['source']}\n"
                              f"reference: {first['reference']}\ngreedy:    uno dos\n"
                              f"beam:      {first['reference']}\n")

    lengths = Sequences(toy / "test", "source").lengths
    readable = [item["id"] for item, length in zip(items, lengths, strict=True)
                if length in READABLE_PIECES]
    assert len(readable) > 2
    assert read_items(tmp_path / "1" / "row") == {
        f"attention_{n + 1}": readable[n] for n in range(maps)}
    for n in range(maps):
        assert f"ittranslates{readable[n]}" in written[f"attention_{n + 1}"]
