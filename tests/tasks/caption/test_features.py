"""Words, pictures and ceilings, and what cannot be used."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sacrebleu
from PIL import Image

from pipeline.corpora import flickr8k
from pipeline.corpora.kinds import CaptionedPicture
from pipeline.errors import UserError
from pipeline.storage.files import read_json, sha256
from pipeline.storage.sequences import Sequences
from pipeline.tasks.caption.features import Settings, extract
from pipeline.tasks.caption.shared.pictures import opened
from pipeline.tasks.caption.shared.words import words_of
from tests.tasks.caption.conftest import SETTINGS, captioned


def extracted(folder: Path, change=lambda split, items: items,
              settings: Settings = SETTINGS) -> Path:
    """The toy task's features, its pictures changed first."""
    folder.mkdir(exist_ok=True)
    reader = SimpleNamespace(
        captioned=lambda corpus, split: change(split, captioned(corpus, split)))
    extract(settings, folder, reader, folder / "fit", folder / "test")
    return folder


@pytest.mark.parametrize(("text", "words"), [
    ("It's a T-shirt, isn't it?", ["it's", "a", "t-shirt", "isn't", "it"]),
    ("Two dogs -- one 'black' .", ["two", "dogs", "one", "black"]),
    ("A café\n at 9:30", ["a", "café", "at", "9", "30"]), (" . ", [])])
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_words_are_numbered_by_frequency_in_training(toy: Path) -> None:
    words = read_json(toy / "fit/spec.json")["words"]
    assert words[:4] == ["<pad>", "<bos>", "<eos>", "<unk>"]
    assert words[4] == "square" and set(words[4:]) == {
        "a", "red", "blue", "square", "left", "right", "is", "one", "on", "the"}
    first = captioned(toy, "train")[0]
    sentences = Sequences(toy / "fit", "train.sentences")
    assert len(sentences) == 300
    assert np.load(toy / "fit/train.first.npy").tolist() == list(range(0, 301, 5))
    assert [[words[number] for number in sentences[row]] for row in range(5)] == [
        [*words_of(text), "<eos>"] for text in first.sentences]


def test_rare_and_unseen_words_are_unknown(tmp_path: Path) -> None:
    def change(split: str, items: list[CaptionedPicture]) -> list[CaptionedPicture]:
        extra = ["a zebra"] if split == "train" else ["a lynx"] if split == "valid" else []
        return [replace(items[0], sentences=[*items[0].sentences, *extra]), *items[1:]]
    folder = extracted(tmp_path / "f", change, Settings(side=8, min_count=2))
    words = read_json(folder / "fit/spec.json")["words"]
    assert "zebra" not in words and "lynx" not in words
    for split in ("train", "valid"):
        assert Sequences(folder / "fit", f"{split}.sentences")[5] == [words.index("a"), 3, 2]


def test_a_picture_of_the_right_size_keeps_every_pixel(toy: Path) -> None:
    for split, part in (("train", "fit"), ("test", "test")):
        stored = np.load(toy / part / f"{split}.pictures.npy", mmap_mode="r")
        assert stored.dtype == np.uint8 and stored.shape[1:] == (8, 8, 3)
        for pixels, item in zip(stored, captioned(toy, split), strict=True):
            with Image.open(item.path) as image:
                assert (pixels == np.asarray(image)).all()


def test_other_pictures_are_cut_around_their_middle(tmp_path: Path) -> None:
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = [10, 200, 30]
    for mode in ("RGB", "RGBA", "P"):
        Image.fromarray(pixels).convert(mode, palette=Image.Palette.ADAPTIVE).save(
            tmp_path / "wide.png")
        found = opened(tmp_path / "wide.png", 10, "wide")
        assert np.abs(found[1:-1, 1:-1].astype(int) - [10, 200, 30]).max() <= 3
    Image.fromarray(pixels).convert("L").save(tmp_path / "grey.jpg")
    assert opened(tmp_path / "grey.jpg", 10, "grey").shape == (10, 10, 3)


def test_the_ceiling_is_sacrebleus_score_of_the_likeliest_sentences(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    flickr8k.prepare(flickr8k.Settings(module="flickr8k", twin=flickr8k.TwinSettings(
        seed=1, train=4, valid=1, test=12)), corpus, None)
    extract(Settings(side=48, min_count=1), corpus, flickr8k, tmp_path / "fit", tmp_path / "test")
    items = flickr8k.captioned(corpus, "test")
    expected = sacrebleu.corpus_bleu(
        [item.likeliest.removesuffix(" .") for item in items],
        [[item.sentences[n].removesuffix(" .") for item in items] for n in range(5)]).score
    assert 50 < expected < 100
    assert read_json(tmp_path / "test/ceiling.json") == {
        "bleu_4": pytest.approx(expected, abs=1e-9), "truth": 100.0}


def test_without_a_grammar_there_is_no_ceiling(toy: Path) -> None:
    assert read_json(toy / "test/ceiling.json") == {}
    first = read_json(toy / "test/items.json")[0]
    assert first["scene"] is None
    assert first["references"] == [" ".join(words_of(text))
                                   for text in captioned(toy, "test")[0].sentences]


def test_test_pictures_change_nothing_that_training_reads(toy: Path, tmp_path: Path) -> None:
    other = extracted(tmp_path / "f",
                      lambda split, items: items[::-1] if split == "test" else items)
    for path in (toy / "fit").iterdir():
        assert sha256(path) == sha256(other / "fit" / path.name)
    assert not list((toy / "fit").glob("test*"))


@pytest.mark.parametrize(("content", "message"), [
    (b"", "cannot identify"), (b"no picture", "cannot identify"), (None, "truncated")])
def test_an_unreadable_picture_is_named_and_nothing_written(
        tmp_path: Path, content: bytes | None, message: str) -> None:
    def change(split: str, items: list[CaptionedPicture]) -> list[CaptionedPicture]:
        if split == "valid":
            path = items[3].path
            path.write_bytes(path.read_bytes()[:-60] if content is None else content)
        return items
    with pytest.raises(UserError, match=rf"valid-3.png cannot be read as a picture .*{message}"):
        extracted(tmp_path / "f", change)
    assert not (tmp_path / "f/fit/valid.pictures.npy").exists()
    assert not list((tmp_path / "f").rglob("*.part"))
    assert not (tmp_path / "f/fit/spec.json").exists()


@pytest.mark.parametrize(("wanted", "sentences", "message"), [
    ("train", ["Red.", " !"], "picture train-0: sentence 2 has no words"),
    ("test", ["red"] * 4, "test picture test-0 has 4 sentences, and 5 are references")])
def test_sentences_that_cannot_be_used_are_named(tmp_path: Path, wanted: str,
                                                 sentences: list[str], message: str) -> None:
    def change(split: str, items: list[CaptionedPicture]) -> list[CaptionedPicture]:
        if split != wanted:
            return items
        return [replace(items[0], sentences=sentences), *items[1:]]
    with pytest.raises(UserError, match=message):
        extracted(tmp_path / "f", change)
