"""Neighbours, analogies and cosines of vectors that one can see."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora.kinds import Analogy, RatedPair
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.embeddings.figures import _groups, draw, principal_components
from pipeline.tasks.embeddings.shared.answers import Space
from pipeline.tasks.embeddings.shared.items import Items
from pipeline.tasks.embeddings.systems.pmi_svd import PmiSvd, Settings

WORDS = ["<unk>", "man", "woman", "king", "queen", "table", "nothing"]
VECTORS = np.array([[1.0, 1.0, 0.0], [2.0, 0.0, 0.0], [2.0, 2.0, 0.0], [1.0, 0.0, 1.0],
                    [1.0, 1.0, 0.9], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])


@pytest.fixture(scope="session")
def trained(extracted: Path) -> PmiSvd:
    system = PmiSvd(Settings(track="embeddings", model="pmi_svd", dimensions=3,
                             window=2, context_power=0.75, shift=1.0, value_power=0.5),
                    read_json(extracted / "fit" / "spec.json"))
    system.fit(extracted / "fit", Run(seed=1, work=extracted / "work"))
    return system


@pytest.fixture
def space() -> Space:
    return Space(WORDS, VECTORS)


def test_neighbours_are_ordered_by_cosine_without_the_word_and_the_unknown(space: Space) -> None:
    # Cosines with man: woman 0.71, king 0.71 (later in the vocabulary), queen 0.60, table -1.
    assert space.neighbours(["man"], 5) == [["woman", "king", "queen", "nothing", "table"]]
    assert space.neighbours(["queen", "table"], 1) == [["woman"], ["nothing"]]


def test_an_analogy_is_the_nearest_word_to_b_minus_a_plus_c(space: Space) -> None:
    questions = [Analogy("family", "man", "woman", "king", "queen"),
                 Analogy("family", "man", "unicorn", "king", "queen"),
                 Analogy("family", "king", "man", "queen", "woman")]
    assert space.analogies(questions) == ["queen", None, "woman"]
    assert space.analogies([]) == []


def test_a_questions_own_words_are_no_answers(space: Space) -> None:
    assert space.analogies([Analogy("x", "table", "table", "man", "woman")]) == ["woman"]


@pytest.mark.parametrize("dimensions", [32, 64, 100])
def test_equally_near_words_do_not_change_places_in_company(dimensions: int) -> None:
    """Words in the same contexts have one vector, and rounding alone would order them."""
    generator = np.random.default_rng(0)
    contexts = generator.normal(size=(150, dimensions))
    vectors = np.concatenate([contexts[:1], contexts, contexts, contexts[::-1]])
    words = ["<unk>", *map(str, range(1, len(vectors)))]
    space = Space(words, vectors)
    assert space.neighbours(words[1:], 10) == [space.neighbours([word], 10)[0]
                                               for word in words[1:]]
    questions = [Analogy("x", *generator.choice(words[1:], 4).tolist()) for _ in range(200)]
    assert space.analogies(questions) == [space.analogies([question])[0]
                                          for question in questions]


def test_cosines_are_of_directions(space: Space) -> None:
    pairs = [RatedPair("w", words, 0.0) for words in (
        ("man", "table"), ("man", "woman"), ("man", "unicorn"), ("man", "nothing"))]
    assert space.cosines(pairs) == [-1.0, round(0.5**0.5, 6), None, 0.0]


def test_principal_components_are_the_axes_of_largest_variance() -> None:
    generator = np.random.default_rng(0)
    plane = generator.normal(size=(500, 2)) * [5.0, 2.0]
    turn, _ = np.linalg.qr(generator.normal(size=(6, 6)))
    found = principal_components(np.pad(plane, ((0, 0), (0, 4))) @ turn.T + 3.0)
    variances = np.linalg.eigvalsh(np.cov(plane.T))[::-1]
    assert found.var(axis=0, ddof=1) == pytest.approx(variances)
    assert abs(np.corrcoef(found.T)[0, 1]) < 1e-9
    assert (np.abs(found).max(0) == found.max(0)).all()


def test_figures_are_the_same_on_every_run(extracted: Path, tmp_path: Path,
                                           trained: PmiSvd) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "row").mkdir(parents=True)
        draw(trained, {}, extracted / "test", tmp_path / folder / "row")
    lines = (tmp_path / "one" / "row" / "neighbours.txt").read_text().splitlines()
    assert [line.split(":")[0] for line in lines] == ["dog", "the", "cat", "horse"]
    assert "[see]" in lines[1] and " a" in lines[1] and "[a]" not in lines[1]
    image = (tmp_path / "one" / "row" / "vectors.png").read_bytes()
    assert image.startswith(b"\x89PNG") and len(image) > 5000
    assert image == (tmp_path / "two" / "row" / "vectors.png").read_bytes()


def test_without_classes_the_picture_shows_the_answers_of_sections() -> None:
    items = Items({"b", "d", "e"}, analogies=[
        Analogy("one", "a", "b", "c", "d"), Analogy("one", "a", "b", "c", "d"),
        Analogy("two", "a", "b", "c", "z"), Analogy("one", "a", "b", "c", "e")])
    assert _groups(items) == {"one": ["d", "e"]}
