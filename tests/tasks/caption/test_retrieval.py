"""Baselines against loops over pixels, words and pictures."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.storage.files import read_json
from pipeline.tasks.caption.shared.words import words_of
from pipeline.tasks.caption.systems.retrieval import (
    Retrieval,
    _averaged,
    _histogram,
    _nearest,
)
from tests.tasks.caption.conftest import RETRIEVAL, captioned


def said(retrieval: Retrieval, toy: Path, name: str) -> list[str]:
    found = list(retrieval.predict(toy / "test", retrieval.settings.variants[name]))
    assert [item["id"] for item in found] == [
        item["id"] for item in read_json(toy / "test/items.json")]
    return [item["sentence"] for item in found]


def test_the_most_frequent_sentence(retrieval: Retrieval, toy: Path) -> None:
    counts = Counter(" ".join(words_of(text)) for item in captioned(toy, "train")
                     for text in item.sentences)
    answers = said(retrieval, toy, "frequent")
    assert len(set(answers)) == 1
    assert counts[answers[0]] == max(counts.values())


def test_the_nearest_picture_has_the_square_where_it_is(retrieval: Retrieval, toy: Path) -> None:
    train = np.load(toy / "fit/train.pictures.npy")
    test = np.load(toy / "test/test.pictures.npy")
    known = captioned(toy, "train")
    for picture, text in zip(test, said(retrieval, toy, "pixels"), strict=True):
        distances = [sum((float(a[2 * y : 2 * y + 2, 2 * x : 2 * x + 2, c].mean())
                          - float(b[2 * y : 2 * y + 2, 2 * x : 2 * x + 2, c].mean())) ** 2
                         for y in range(4) for x in range(4) for c in range(3))
                     for a in train for b in [picture]]
        nearest = known[int(np.argmin(distances))]
        # Two of its five sentences are the same, and resemble the others most.
        assert text == " ".join(words_of(nearest.sentences[0]))


def test_colours_do_not_say_where(retrieval: Retrieval, toy: Path) -> None:
    answers = said(retrieval, toy, "colours")
    for item, text in zip(captioned(toy, "test"), answers, strict=True):
        assert ("red" in text.split()) == ("red" in words_of(item.sentences[0]))


def test_equally_near_pictures_do_not_change_places_in_company() -> None:
    """Rounding alone would order them."""
    generator = np.random.default_rng(0)
    known = np.tile(generator.random((40, 48), np.float32), (3, 1))
    wanted = generator.random((64, 48), np.float32)
    alone = [_nearest(row[None], known, 5)[0] for row in wanted]
    assert np.array_equal(_nearest(wanted, known, 5), alone)


def test_averages_and_histograms_by_hand() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 9, 9, 3), np.uint8)
    found = _averaged(pictures, 3).reshape(2, 3, 3, 3)
    assert found[1, 2, 0, 1] == pytest.approx(pictures[1, 6:9, 0:3, 1].mean() / 255)
    flat = np.zeros((1, 2, 2, 3), np.uint8)
    flat[0, 0, 0] = [255, 128, 0]
    shares = _histogram(flat, 2) ** 2
    assert shares[0].tolist() == pytest.approx([0.75, 0, 0, 0, 0, 0, 0.25, 0])


def test_a_saved_system_answers_as_before(retrieval: Retrieval, toy: Path, tmp_path: Path) -> None:
    retrieval.save(tmp_path)
    loaded: Any = Retrieval.load(tmp_path)
    assert all(said(loaded, toy, name) == said(retrieval, toy, name) for name in RETRIEVAL)
    assert loaded.parameters_count == 60 * (4 * 4 * 3 + 4**3)
    assert isinstance(retrieval.tensors()["of"], torch.Tensor)
