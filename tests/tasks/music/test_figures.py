"""Each system has the figures that it can have, the same ones on every run."""

from pathlib import Path

import pytest

from pipeline.storage.files import read_json
from pipeline.tasks.music.figures import draw
from tests.tasks.music.models import new


@pytest.mark.parametrize("model", [None, "recurrent", "time_note"])
def test_figures(model: str | None, extracted: Path, tmp_path: Path) -> None:
    items = read_json(extracted / "test/items.json")
    answers = [{"id": item["id"], "nll": [1.0] * item["predicted"]} for item in items]
    system = model and new(model, read_json(extracted / "fit/spec.json"))
    for folder in ("one", "two"):
        (tmp_path / folder / "row").mkdir(parents=True)
        draw(system, {"plain": answers}, extracted / "test", tmp_path / folder / "row")
    written = {path.name: path.read_bytes() for path in (tmp_path / "one" / "row").iterdir()}
    composed = {"expected.png", "compositions.png", *(
        f"composition-{number}.{ending}" for number in (1, 2) for ending in ("mid", "wav"))}
    assert set(written) == {"nll_by_step.png", *(composed if model else ())}
    kinds = {".png": b"\x89PNG", ".mid": b"MThd", ".wav": b"RIFF"}
    for name, content in written.items():
        assert (tmp_path / "two" / "row" / name).read_bytes() == content
        assert content.startswith(kinds[Path(name).suffix])
