"""Vectors name a word's neighbours: those of the probes, and whatever the file looks like."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.embeddings import own
from pipeline.tasks.embeddings.shared.answers import Space, WordVectors
from pipeline.tasks.embeddings.systems import bag_of_words, skip_gram
from tests.tasks.answers import predictions, rows_of
from tests.tasks.embeddings.raw import expected, write_raw
from tests.tasks.embeddings.test_systems import count, rank, word2vec

MODELS = {"pmi_svd": count, "ranking": rank,
          "skip_gram": lambda spec: word2vec(skip_gram, spec),
          "bag_of_words": lambda spec: word2vec(bag_of_words, spec)}


def made(model: str, extracted: Path) -> WordVectors:
    system = MODELS[model](read_json(extracted / "fit" / "spec.json"))
    if model == "pmi_svd":
        system.fit(extracted / "fit", Run(seed=1, work=extracted))
    return system


@pytest.mark.parametrize("model", list(MODELS))
def test_words_of_a_file_have_the_neighbours_of_the_probes(extracted: Path, model: str,
                                                           tmp_path: Path) -> None:
    system = made(model, extracted)
    files = write_raw(extracted / "test", tmp_path, extracted)
    found = predictions(own, system, None, extracted, files, tmp_path)
    probes = expected(list(system.predict(extracted / "test", None)))
    assert len(found) == len(probes) > 0
    for answer, probe in zip(found, probes, strict=True):
        near = answer["neighbours"]
        assert len(near) == len(system.spec["words"]) - 2  # all but the word itself and <unk>
        assert near == probe["neighbours"][: len(near)]


def test_a_row_is_a_neighbour_with_its_cosine(extracted: Path, tmp_path: Path) -> None:
    system, file = made("pmi_svd", extracted), tmp_path / "own.txt"
    found = rows_of(own, system, extracted / "fit", b"\xef\xbb\xbf dog \r\n", file)
    space = Space(system.spec["words"], system.vectors())
    points = dict(zip(space.words, space.points, strict=True))
    assert [row["rank"] for row in found] == list(range(1, len(found) + 1))
    for row in found:
        assert (row["file"], row["line"], row["word"]) == (str(file), 1, "dog")
        assert row["cosine"] == pytest.approx(
            float(np.dot(points["dog"], points[row["neighbour"]])), abs=1e-6)
    assert [row["cosine"] for row in found] == sorted(
        (row["cosine"] for row in found), reverse=True)


@pytest.mark.parametrize("word", ["unicorn", "the cat", "<unk>", "", "Dog", "\u2028", "x" * 9999])
def test_what_has_no_vector_has_one_row_without_a_neighbour(extracted: Path, word: str,
                                                            tmp_path: Path) -> None:
    found = rows_of(own, made("pmi_svd", extracted), extracted / "fit", f"dog\n{word}\ncat\n",
                    tmp_path / "own.txt")
    (row,) = [row for row in found if row["line"] == 2]
    assert (row["word"], row["rank"], row["neighbour"], row["cosine"]) == (
        word, None, None, None)
    assert {row["line"] for row in found} == {1, 2, 3}


def test_what_is_no_text_is_named(extracted: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="own.txt, line 1: byte 2 of the line is not UTF-8"):
        rows_of(own, made("pmi_svd", extracted), extracted / "fit", b"d\xff\n",
                tmp_path / "own.txt")
