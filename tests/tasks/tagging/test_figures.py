"""The figures exist, are the same on every run, and name the errors."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from pipeline.storage.files import read_json
from pipeline.tasks.tagging.figures import draw
from pipeline.tasks.tagging.shared.tagger import Tagger


class Chain(Tagger):
    """A tagger that likes all pairs of tags but one."""

    def __init__(self, spec: dict) -> None:
        self.spec = spec

    def transition_scores(self) -> tuple[str, np.ndarray]:
        scores = np.ones((len(self.spec["tags"]) + 1,) * 2)
        scores[0, 1] = -3.0
        return "score", scores


ANSWERS = [{"id": "test-0", "tags": ["DT", "NN", "MD", "NN", "."]}, {"id": "test-1", "tags": []},
           {"id": "test-2", "tags": ["NN", "NN"]}, {"id": "test-3", "tags": ["NNP", "VBZ"]}]


def test_figures_and_errors(extracted: Path, tmp_path: Path) -> None:
    spec = read_json(extracted / "fit" / "spec.json")
    for folder in ("one", "two"):
        (tmp_path / folder / "row").mkdir(parents=True)
        draw(Chain(spec), {"plain": ANSWERS}, extracted / "test", tmp_path / folder / "row")
    names = {path.name for path in (tmp_path / "one" / "row").iterdir()}
    assert names == {"confusion-plain.png", "errors-plain.txt", "transitions.png"}
    for name in names:
        content = (tmp_path / "one" / "row" / name).read_bytes()
        assert content == (tmp_path / "two" / "row" / name).read_bytes()
        assert name.endswith("txt") or (content.startswith(b"\x89PNG") and len(content) > 4000)
    errors = (tmp_path / "one" / "row" / "errors-plain.txt").read_text().splitlines()
    assert errors[0] == "3 of 9 words have a wrong tag"
    assert errors[2] == "2 words have a tag that training never saw: UH"
    assert "     2  UH tagged as NN" in errors and "     1  VB tagged as NN" in errors
    assert "test-0  the/DT horse/NN can/MD walk/[NN, not VB] ./." in errors
    assert not any(line.startswith(("test-1", "test-3")) for line in errors)


def test_without_transitions_there_is_no_picture_of_them(extracted: Path, tmp_path: Path) -> None:
    system = SimpleNamespace(spec=read_json(extracted / "fit" / "spec.json"))
    draw(system, {"plain": ANSWERS}, extracted / "test", tmp_path)
    assert not (tmp_path / "transitions.png").exists()
