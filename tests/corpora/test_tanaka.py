"""Tanaka corpus: the counts of its publisher, Japanese without spaces, every kind of damage."""

from pathlib import Path

import pytest

from pipeline.corpora import tanaka
from pipeline.errors import UserError


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "dev.en").write_text("i can 't swim .\nhi .\n", "utf-8")
    (tmp_path / "dev.ja").write_text("私 は 泳げ な い 。\nやあ 。\n", "utf-8")
    return tmp_path


def test_the_real_corpus_has_its_published_counts(mirror: Path, tmp_path: Path) -> None:
    tanaka.prepare(tanaka.Settings(module="tanaka"), tmp_path, mirror)
    found = {split: tanaka.pairs(tmp_path, split, "en", "ja") for split in ("train", "dev", "test")}
    assert {split: len(pairs) for split, pairs in found.items()} == {
        "train": 50_000, "dev": 500, "test": 500}
    assert found["train"][3].source == "emi looks happy ."
    assert found["train"][3].target == "エミは幸せそうに見えます。"
    assert not any(" " in pair.target for pair in found["train"])


def test_japanese_is_joined_and_english_is_not(corpus: Path) -> None:
    found = tanaka.pairs(corpus, "dev", "ja", "en")
    assert [(pair.id, pair.source, pair.target) for pair in found] == [
        ("dev-00001", "私は泳げない。", "i can 't swim ."), ("dev-00002", "やあ。", "hi .")]


@pytest.mark.parametrize(("content", "message"), [
    ("一 。\n", "dev.en has 2 lines, .*dev.ja 1"), ("", "dev.ja is empty")])
def test_damage_is_named(corpus: Path, content: str, message: str) -> None:
    (corpus / "dev.ja").write_text(content, "utf-8")
    with pytest.raises(UserError, match=message):
        tanaka.pairs(corpus, "dev", "en", "ja")


def test_a_file_that_is_missing_or_not_utf8_is_named(corpus: Path) -> None:
    (corpus / "dev.ja").write_bytes("私\n".encode("shift_jis"))
    with pytest.raises(UserError, match="dev.ja.*UTF-8"):
        tanaka.pairs(corpus, "dev", "en", "ja")
    with pytest.raises(UserError, match="test.en does not exist"):
        tanaka.pairs(corpus, "test", "en", "ja")
