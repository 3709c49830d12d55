"""Each system has the figures that it can have, the same ones on every run."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.storage.files import read_json
from pipeline.tasks.sentence.figures import draw


class Attentive:
    def attention_weights(self, sentence: list[int]) -> torch.Tensor:
        return torch.arange(1, len(sentence) + 1).float().softmax(dim=0)


class Stepwise:
    def answers_along(self, sentence: list[int]) -> torch.Tensor:
        return torch.zeros(len(sentence), 2)


@pytest.mark.parametrize(("system", "figure"), [
    (Attentive(), "attention.png"), (Stepwise(), "accuracy_along.png"), (None, None)])
def test_figures(system: object, figure: str | None, extracted: Path, tmp_path: Path) -> None:
    answers = [{"id": item["id"], "probabilities": {"A": 0.6, "B": 0.4}}
               for item in read_json(extracted / "test/items.json")]
    for folder in ("one", "two"):
        (tmp_path / folder / "row").mkdir(parents=True)
        draw(system, {"plain": answers}, extracted / "test", tmp_path / folder / "row")
    written = {path.name: path.read_bytes() for path in (tmp_path / "one" / "row").iterdir()}
    assert set(written) == {"confusion-plain.png", "classes-plain.txt",
                            *filter(None, [figure])}
    for name, content in written.items():
        assert (tmp_path / "two" / "row" / name).read_bytes() == content
        assert name.endswith(".txt") or content.startswith(b"\x89PNG")
    lines = written["classes-plain.txt"].decode().splitlines()
    right = np.mean([item["label"] == "A" for item in read_json(extracted / "test/items.json")])
    assert lines[1].split() == ["A", f"{100 * right:.1f}", "100.0",
                                f"{200 * right / (1 + right):.1f}", str(round(40 * right))]
    assert lines[2].split()[:3] == ["B", "nan", "0.0"]
