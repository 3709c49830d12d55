"""What the project shows first: pictures that exist, are small and have words, and a true sentence.
"""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.corpora.twins.espeak import Voice
from pipeline.errors import UserError
from pipeline.site.drawing_showpieces import aligned_sentence, with_colours
from pipeline.site.showpieces import FOLDER, showpieces
from tests.conftest import ROOT

LARGEST = 60_000  # bytes
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")


def test_the_readmes_pictures_exist_are_small_and_are_described() -> None:
    found = PICTURE.findall((ROOT / "README.md").read_text("utf-8"))
    assert {"carry.png", "attention.png", "aligned-sentence.svg", "intervals.svg"} <= {
        Path(name).name for _, name in found}
    for told, name in found:
        path = ROOT / name
        assert path.is_file() and path.stat().st_size < LARGEST, name
        assert len(told.split()) >= 8, name


def test_the_sites_pictures_exist_are_small_and_are_described() -> None:
    found = showpieces(ROOT)
    assert len(found.pictures) >= 4
    for picture in found.pictures:
        assert len(picture.content) < LARGEST, picture.file
        assert len(picture.about["alt"].split()) >= 8 and picture.about["caption"].endswith(".")
    assert len({picture.file for picture in found.pictures}) == len(found.pictures)


def test_the_voice_says_the_sentence_when_the_recogniser_heard_it() -> None:
    sentence = showpieces(ROOT).sentence
    assert sentence is not None and sentence.sound is not None
    said, heard = sentence.sound.words, sentence.heard
    assert [word for word, _, _ in said] == [word for word, _, _ in heard]
    assert " ".join(word for word, _, _ in heard) == sentence.about["text"]
    apart = [abs(one - other) for spoken, understood in zip(said, heard, strict=True)
             for one, other in zip(spoken[1:], understood[1:], strict=True)]
    assert max(apart) < 0.1 and np.mean(apart) < 0.03


def test_the_sentences_picture_has_its_words_twice_and_in_time() -> None:
    sentence = showpieces(ROOT).sentence
    assert sentence is not None
    drawn = (ROOT / FOLDER / "aligned-sentence.svg").read_text("utf-8")
    texts, boxes = [], []

    class Parts(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "rect" and ("stroke", "#555") in attrs:
                boxes.append(float(str(dict(attrs)["x"])))

        def handle_data(self, data: str) -> None:
            texts.append(data.strip())

    Parts().feed(drawn)
    words = sentence.about["text"].split()
    assert [text for text in texts if text.isupper()] == words * 2
    assert boxes[: len(words)] == sorted(boxes[: len(words)])
    silence = np.full(16_000, 0.1, np.float32)
    again = aligned_sentence({**sentence.about, "words": ["<B>"], "begins": [0.5], "ends": [0.75]},
                             silence, 16_000)
    assert "&lt;B&gt;" in again and "<B>" not in again
    assert Voice(**sentence.about["voice"]).accent.startswith("en")


def test_a_picture_keeps_its_size_with_fewer_colours(tmp_path: Path) -> None:
    values = np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)
    Image.fromarray(values).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(with_colours(tmp_path / "a.png", 8))
    with Image.open(tmp_path / "b.png") as image:
        assert image.size == (64, 64) and len(image.convert("RGB").getcolors() or []) <= 8
    with pytest.raises(UserError, match="unrolled repro"):
        with_colours(tmp_path / "none.png", 8)


def test_a_project_without_pictures_shows_none(tmp_path: Path) -> None:
    found = showpieces(tmp_path)
    assert not found.pictures and found.sentence is None
