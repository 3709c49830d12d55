"""Figures are files that open, and are the same bytes each time."""

import pytest

from pipeline.storage.files import read_json
from pipeline.tasks.translation.figures import draw


@pytest.mark.parametrize(("model", "maps"), [("attention", 2), ("fixed_vector", 0)])
def test_figures_and_samples(make_system, toy, tmp_path, model, maps):
    system = make_system(model, read_json(toy / "fit" / "spec.json")).eval()
    system.artefacts = toy / "fit" / "artefacts"
    items = read_json(toy / "test" / "items.json")
    predictions = {
        "greedy": [{"id": item["id"], "hypothesis": "uno dos"} for item in reversed(items)],
        "beam": [{"id": item["id"], "hypothesis": item["reference"]} for item in items]}
    for folder in ("1", "2"):
        draw(system, predictions, toy / "test", tmp_path / folder / "row")
    names = sorted(path.name for path in (tmp_path / "1" / "row").iterdir())
    assert names == sorted([f"attention_{n + 1}.png" for n in range(maps)] + ["samples.txt"])
    for name in names:
        content = (tmp_path / "1" / "row" / name).read_bytes()
        assert content == (tmp_path / "2" / "row" / name).read_bytes()
        assert content.startswith(b"\x89PNG") == name.endswith(".png")

    samples = (tmp_path / "1" / "row" / "samples.txt").read_text()
    first = items[0]
    assert samples.startswith(f"{first['id']}\nsource:    {first['source']}\n"
                              f"reference: {first['reference']}\ngreedy:    uno dos\n"
                              f"beam:      {first['reference']}\n")
