"""AN4: the counts of its publisher, and every kind of damage."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora import an4
from pipeline.errors import UserError


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus in AN4's format: two training speakers, one of them for validation, one test."""
    etc = tmp_path / "an4" / "etc"
    etc.mkdir(parents=True)
    lists = {"train": ["an4_clstk/mdcs/an2-mdcs-b", "an4_clstk/ffmm/an9-ffmm-b",
                       "an4_clstk/mdcs/an1-mdcs-b"], "test": ["an4test_clstk/fcaw/an3-fcaw-b"]}
    texts = {"train": ["<s> GO ++NOISE++ HOME </s> (an2-mdcs-b)", "YES (an9-ffmm-b)",
                       "A B  C (an1-mdcs-b)"], "test": ["NO <sil> (an3-fcaw-b)"]}
    for split, names in lists.items():
        (etc / f"an4_{split}.fileids").write_text("\n".join(names) + "\n")
        (etc / f"an4_{split}.transcription").write_text("\n".join(texts[split]) + "\n")
        for name in names:
            path = tmp_path / "an4" / "feat" / f"{name}.mfc"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sphinx(np.arange(26)))
    return tmp_path


def sphinx(values: np.ndarray) -> bytes:
    """A Sphinx feature file, by its definition."""
    return len(values).to_bytes(4, "big") + values.astype(">f4").tobytes()


def test_splits_are_sorted_cleaned_and_disjoint_by_speaker(corpus: Path) -> None:
    found = {split: [(item.id, item.speaker, item.text) for item in an4.utterances(corpus, split)]
             for split in ("train", "valid", "test")}
    assert found == {
        "train": [("an1-mdcs-b", "mdcs", "A B C"), ("an2-mdcs-b", "mdcs", "GO HOME")],
        "valid": [("an9-ffmm-b", "ffmm", "YES")], "test": [("an3-fcaw-b", "fcaw", "NO")]}


def test_features_are_big_endian_frames(corpus: Path) -> None:
    values = an4.features(an4.utterances(corpus, "test")[0].path)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, np.arange(26).reshape(2, 13))


@pytest.mark.parametrize("content", [
    b"", b"\0\0", sphinx(np.arange(26))[:-4], sphinx(np.arange(26)) + b"more",
    sphinx(np.arange(25)), sphinx(np.arange(0)), np.array([26], "<i4").tobytes() + bytes(104),
    sphinx(np.array([np.nan] * 13)), sphinx(np.array([1.0] * 12 + [np.inf]))],
    ids=["empty", "no header", "short", "long", "half a frame", "no frames", "little-endian",
         "NaN", "infinity"])
def test_a_damaged_feature_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.mfc"
    path.write_bytes(content)
    with pytest.raises(UserError, match="damaged.mfc"):
        an4.features(path)


def remove_audio(etc: Path) -> None:
    (etc.parent / "feat/an4test_clstk/fcaw/an3-fcaw-b.mfc").unlink()


def remove_transcript(etc: Path) -> None:
    (etc / "an4_test.transcription").write_text("")


def rename_transcript(etc: Path) -> None:
    (etc / "an4_test.transcription").write_text("NO (an4-fcaw-b)\n")


def break_line(etc: Path) -> None:
    (etc / "an4_test.transcription").write_text("NO an3-fcaw-b\n")


def empty_line(etc: Path) -> None:
    (etc / "an4_test.transcription").write_text("<s> </s> (an3-fcaw-b)\n")


def other_encoding(etc: Path) -> None:
    (etc / "an4_test.transcription").write_bytes(b"N\xd6 (an3-fcaw-b)\n")


@pytest.mark.parametrize("damage, message", [
    (remove_audio, r"an3-fcaw-b\.mfc does not exist but has a transcript"),
    (remove_transcript, r"an4_test\.transcription is empty"),
    (rename_transcript, r"features of '.*an3-fcaw-b' without a transcript"),
    (break_line, r"an4_test\.transcription, line 1: expected words and"),
    (empty_line, r"an4_test\.transcription, line 1: expected words and"),
    (other_encoding, r"an4_test\.transcription, line 1: byte 2 of the line is not UTF-8"),
])
def test_lists_that_disagree_are_named(
        corpus: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(corpus / "an4" / "etc")
    with pytest.raises(UserError, match=message):
        an4.utterances(corpus, "test")


def test_the_real_corpus_has_its_publishers_counts(mirror: Path, tmp_path: Path) -> None:
    an4.prepare(an4.Settings(module="an4"), tmp_path, mirror)
    splits = {split: an4.utterances(tmp_path, split) for split in ("train", "valid", "test")}
    assert [len(items) for items in splits.values()] == [848, 100, 130]
    assert sum(len(item.text.split()) for item in splits["test"]) == 773
    speakers = [{item.speaker for item in items} for items in splits.values()]
    assert speakers[1] == an4.VALID_SPEAKERS and sum(map(len, speakers)) == len(set().union(
        *speakers)) == 84
    assert len(speakers[2]) == 10
    frames = sum(len(an4.features(item.path)) for items in splits.values() for item in items)
    assert frames / 6000 == pytest.approx(48.2, abs=0.05), "minutes of speech"
    lexicon, phones = an4.lexicon(tmp_path), set(an4.phones(tmp_path))
    assert lexicon["A"] == [["AH"], ["EY"]] and len(phones) == 34
    assert {phone for entry in lexicon.values() for each in entry for phone in each} <= phones
