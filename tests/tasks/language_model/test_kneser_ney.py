"""The n-gram system: the published figure, and what is saved."""

import math
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.ngram.kneser_ney import estimate
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.language_model.features import encode, vocabulary
from pipeline.tasks.language_model.shared.stream import Stream
from pipeline.tasks.language_model.systems.kneser_ney import KneserNey, Settings


def settings(order: int) -> Settings:
    return Settings(track="lm-word", model="kneser_ney", order=order)


@pytest.fixture
def fitted(extracted: Path, tmp_path: Path) -> KneserNey:
    system = KneserNey(settings(3), read_json(extracted / "fit" / "spec.json"))
    curve = system.fit(extracted / "fit", Run(seed=1, work=tmp_path / "work"))
    assert len(curve) == 1 and math.isfinite(curve[0]["validation_loss"])
    return system


def test_penn_treebank_gives_the_published_perplexity(mirror: Path) -> None:
    """141.2: Mikolov et al. 2011, "Empirical Evaluation and Combination", for the 5-gram."""
    texts = {split: [line.split() for line in
                     (mirror / "ptb" / f"ptb.{split}.txt").read_text().splitlines()]
             for split in ("train", "test")}
    closed = {split: [[*words, "<eos>"] for words in found] for split, found in texts.items()}
    words = vocabulary(closed["train"], 1, "<eos>")
    train, test = (encode(closed[split], words).tokens for split in ("train", "test"))
    assert len(words) == 10_000 and len(test) == 82_430
    model = estimate(train, len(words), words.index("<eos>"), 5)
    assert np.exp(-model.score(test).mean()) == pytest.approx(141.19, abs=0.05)


def test_a_saved_model_predicts_the_same(fitted: KneserNey, extracted: Path,
                                         tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    found = list(fitted.predict(extracted / "test", None))
    assert list(KneserNey.load(tmp_path / "model").predict(extracted / "test", None)) == found
    assert [len(prediction["nll"]) for prediction in found] == [8, 3, 1, 4]
    assert (tmp_path / "model" / "model.arpa").read_text().startswith("\\data\\\nngram 1=8\n")


def test_a_model_of_another_order_is_refused(fitted: KneserNey, tmp_path: Path) -> None:
    other = KneserNey(settings(5), fitted.spec)
    other.model = fitted.model
    other.save(tmp_path / "model")
    with pytest.raises(UserError, match=r"holds another system.*keys\.5"):
        KneserNey.load(tmp_path / "model")


def test_an_unfitted_model_does_not_predict(extracted: Path) -> None:
    with pytest.raises(UserError, match="not been fitted"):
        KneserNey(settings(2), {"unit": "word", "vocabulary": ["<unk>", "<eos>"]}).predict(
            extracted / "test", None)


def test_characters_and_a_last_line_that_is_cut_off(characters: Path, tmp_path: Path) -> None:
    spec = read_json(characters / "fit" / "spec.json")
    system = KneserNey(settings(6), spec)
    system.fit(characters / "fit", Run(seed=1, work=tmp_path / "work"))
    tokens = Stream.read(characters / "fit", "valid").tokens
    whole = system.token_losses(tokens)
    assert np.array_equal(system.token_losses(tokens[:-3]), whole[:-3])
    system.save(tmp_path / "model")
    assert " t h e \\u0020 c\n" in (tmp_path / "model" / "model.arpa").read_text()
