"""The figures exist, are the same on every run, and show the largest surprise."""

from pathlib import Path
from types import SimpleNamespace

import torch

from pipeline.storage.files import read_json
from pipeline.tasks.language_model.figures import draw
from pipeline.tasks.language_model.systems.recurrent import RecurrentLanguageModel
from tests.tasks.language_model.test_recurrent import settings


def test_surprises_and_positions(extracted: Path, tmp_path: Path) -> None:
    system = SimpleNamespace(spec=read_json(extracted / "fit" / "spec.json"))
    answers = [{"id": "test-0", "nll": [1.0] * 8}, {"id": "test-1", "nll": [1.0, 7.5, 0.5]},
               {"id": "test-2", "nll": [2.0]}, {"id": "test-3", "nll": [1.0] * 4}]
    for folder in ("one", "two"):
        (tmp_path / folder / "row").mkdir(parents=True)
        draw(system, {"plain": answers}, extracted / "test", tmp_path / folder / "row")
    first = (tmp_path / "one" / "row" / "surprises-plain.txt").read_text().split("\n\n")[0]
    assert first == "test-1  perplexity 20.1\nthe [dog: 7.50 nats] <eos>"
    image = (tmp_path / "one" / "row" / "perplexity_by_position.png").read_bytes()
    assert image.startswith(b"\x89PNG") and len(image) > 5000
    assert image == (tmp_path / "two" / "row" / "perplexity_by_position.png").read_bytes()


def test_characters_are_shown_as_text_and_a_network_writes_some(characters: Path,
                                                                tmp_path: Path) -> None:
    torch.manual_seed(2)
    system = RecurrentLanguageModel(settings(), read_json(characters / "fit" / "spec.json"))
    answers = [{"id": f"test-{number}", "nll": [0.5] * (length - 1) + [2.0 + number]}
               for number, length in enumerate([33, 8, 1, 13])]
    draw(system, {"plain": answers}, characters / "test", tmp_path)
    first = (tmp_path / "surprises-plain.txt").read_text().split("\n\n")[0]
    assert first == "test-3  bits per character 1.2\na ho<unk>se sees[\\n: 5.00 nats]"
    assert (tmp_path / "bits_per_character_by_position.png").stat().st_size > 5000
    samples = (tmp_path / "samples.txt").read_text()
    assert samples.count("temperature 0.5") == samples.count("temperature 1.0") == 4
