"""The figures exist, are the same on every run, and show the largest surprise."""

from pathlib import Path
from types import SimpleNamespace

from pipeline.files import read_json
from pipeline.tasks.language_model.figures import draw


def test_surprises_and_positions(extracted: Path, tmp_path: Path) -> None:
    system = SimpleNamespace(spec=read_json(extracted / "fit" / "spec.json"))
    answers = [{"id": "test-0", "nll": [1.0] * 8}, {"id": "test-1", "nll": [1.0, 7.5, 0.5]},
               {"id": "test-2", "nll": [2.0]}, {"id": "test-3", "nll": [1.0] * 4}]
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        draw(system, {"plain": answers}, extracted / "test", tmp_path / folder)
    first = (tmp_path / "one" / "surprises-plain.txt").read_text().split("\n\n")[0]
    assert first == "test-1  perplexity 20.1\nthe [dog: 7.50 nats] <eos>"
    image = (tmp_path / "one" / "perplexity_by_position.png").read_bytes()
    assert image.startswith(b"\x89PNG") and len(image) > 5000
    assert image == (tmp_path / "two" / "perplexity_by_position.png").read_bytes()
