"""Flickr8k's files as the publisher writes them, and the twin in the same files."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.corpora import flickr8k
from pipeline.corpora.twins.grammar.scenes import Thing, is_true
from pipeline.errors import UserError

TOKENS = """\
10_a.jpg#0\tA child in a pink dress is climbing up a set of stairs .
10_a.jpg#1\tA girl going into a wooden building .
22_b.jpg#1\tTwo dogs on pavement .
22_b.jpg#0\tA black dog and a spotted dog are fighting
2258_c.jpg.1#0\tPeople waiting for the subway
"""


def settings(**sizes: int) -> flickr8k.Settings:
    return flickr8k.Settings(module="flickr8k", twin=flickr8k.TwinSettings(
        **{"seed": 4, "train": 30, "valid": 5, "test": 8, **sizes}))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two pictures in two splits, and sentences about a third that no split has."""
    folder = tmp_path / "tree"
    (folder / "Flicker8k_Dataset").mkdir(parents=True)
    for number, name in enumerate(["10_a.jpg", "22_b.jpg"]):
        Image.new("RGB", (20 + number, 30), (200, 10, 10)).save(folder / "Flicker8k_Dataset" / name)
    (folder / "Flickr8k.token.txt").write_text(TOKENS)
    (folder / "Flickr_8k.trainImages.txt").write_text("22_b.jpg\n10_a.jpg\n")
    (folder / "Flickr_8k.devImages.txt").write_text("10_a.jpg")
    (folder / "Flickr_8k.testImages.txt").write_text("22_b.jpg\n")
    return folder


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("scenes")
    flickr8k.prepare(settings(), directory, None)
    return directory


def test_pictures_stand_in_the_order_of_their_list(tree: Path) -> None:
    first, second = flickr8k.captioned(tree, "train")
    assert (first.id, second.id) == ("22_b", "10_a")
    assert first.sentences == ["A black dog and a spotted dog are fighting",
                               "Two dogs on pavement ."]
    assert first.path == tree / "Flicker8k_Dataset/22_b.jpg"
    assert first.scene is None and first.likeliest is None
    assert [item.id for item in flickr8k.captioned(tree, "valid")] == ["10_a"]


@pytest.mark.parametrize(("name", "content", "message"), [
    ("Flickr_8k.trainImages.txt", "10_a.jpg\n33_d.jpg\n",
     r"trainImages.txt, line 2: 33_d.jpg has no sentence in Flickr8k.token.txt"),
    ("Flickr_8k.trainImages.txt", "2258_c.jpg.1\n",
     r"line 1: 2258_c.jpg.1 has sentences but no picture .*Flicker8k_Dataset.2258_c.jpg.1"),
    ("Flickr_8k.trainImages.txt", "10_a.jpg\n10_a.jpg\n",
     "line 2: 10_a.jpg is listed in line 1 already"),
    ("Flickr_8k.trainImages.txt", "\n", "trainImages.txt is empty"),
    ("Flickr8k.token.txt", TOKENS + "10_a.jpg#2 no tab\n", "token.txt, line 6: expected 'picture"),
    ("Flickr8k.token.txt", TOKENS + "10_a.jpg#2\t \n", "token.txt, line 6: expected 'picture"),
    ("Flickr8k.token.txt", TOKENS + "10_a.jpg#1\tagain\n", "line 6: a second sentence 1 of 10_a"),
])
def test_what_does_not_fit_is_named(tree: Path, name: str, content: str, message: str) -> None:
    (tree / name).write_text(content)
    with pytest.raises(UserError, match=message):
        flickr8k.captioned(tree, "train")


def test_the_publishers_archives_are_unpacked_from_the_mirror(tree: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mirror/flickr8k"
    folder.mkdir(parents=True)
    real = flickr8k.Settings(module="flickr8k", twin=None)
    with pytest.raises(UserError, match=r"(?s)given out on request.*Flickr8k_Dataset.zip and "
                                        r"Flickr8k_text.zip into .*mirror.flickr8k"):
        flickr8k.prepare(real, tmp_path / "data", tmp_path / "mirror")
    with pytest.raises(UserError, match="and set UNROLLED_MIRROR"):
        flickr8k.prepare(real, tmp_path / "data", None)
    for archive, inside in [("Flickr8k_Dataset.zip", "Flicker8k_Dataset/*"),
                            ("Flickr8k_text.zip", "*.txt")]:
        with zipfile.ZipFile(folder / archive, "w") as packed:
            for path in sorted(tree.glob(inside)):
                packed.write(path, path.relative_to(tree))
    flickr8k.prepare(real, tmp_path / "data", tmp_path / "mirror")
    assert len(flickr8k.captioned(tmp_path / "data", "train")) == 2
    (folder / "Flickr8k_text.zip").write_bytes(b"no archive")
    with pytest.raises(UserError, match="Flickr8k_text.zip is not a whole archive"):
        flickr8k.prepare(real, tmp_path / "data", tmp_path / "mirror")


def test_the_twin_has_five_true_sentences_a_picture(twin: Path) -> None:
    seen = set()
    for split, size in (("train", 30), ("valid", 5), ("test", 8)):
        items = flickr8k.captioned(twin, split)
        assert len(items) == size
        for item in items:
            scene = tuple(Thing(*thing) for thing in item.scene)
            assert len(item.sentences) == 5
            assert all(is_true(scene, text) for text in [*item.sentences, item.likeliest])
            assert scene not in seen
            seen.add(scene)


def test_the_twins_pictures_show_their_scenes(twin: Path) -> None:
    for item in flickr8k.captioned(twin, "train"):
        with Image.open(item.path) as image:
            pixels = np.asarray(image).astype(int)
        busy = {(row, column) for row in range(3) for column in range(3)
                if np.ptp(pixels[16 * row : 16 * row + 16, 16 * column : 16 * column + 16])}
        assert busy == {(thing[3], thing[4]) for thing in item.scene}


def test_the_same_seed_makes_the_same_twin(twin: Path, tmp_path: Path) -> None:
    flickr8k.prepare(settings(), tmp_path, None)
    names = sorted(path.relative_to(twin) for path in twin.rglob("*") if path.is_file())
    assert len(names) == 43 + 5
    assert all((tmp_path / name).read_bytes() == (twin / name).read_bytes() for name in names)


@pytest.mark.parametrize("scenes", [
    "[]", '{"a.png": 3}', '{"a.png": [["circle", "red", "small", 0, 0]]}',
    '{"a.png": [["circle", "red", "small", 0, 0], ["cross", "pink", "small", 0, 1]]}',
    '{"a.png": [["circle", "red", "small", 0, 0], ["cross", "red", "small", 0, 0]]}',
    '{"a.png": [["circle", "red", "small", 0, 0], ["cross", ["red"], "small", 0, 1]]}'])
def test_damaged_scenes_are_named(tmp_path: Path, scenes: str) -> None:
    (tmp_path / flickr8k.TOKENS).write_text("a.png#0\tone\n")
    (tmp_path / flickr8k.LISTS["test"]).write_text("a.png\n")
    (tmp_path / flickr8k.SCENES).write_text(scenes)
    with pytest.raises(UserError, match=r"Flickr8k\.scenes\.json: expected two things or more"):
        flickr8k.captioned(tmp_path, "test")
