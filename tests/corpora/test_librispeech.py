"""LibriSpeech's tree through its reader: transcripts, a dictionary, times, all kinds of damage."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.audio.front_end import LogMel, frames_of
from pipeline.corpora import librispeech
from pipeline.corpora.kinds import Segment
from pipeline.corpora.librispeech import Settings, lexicon, prepare, utterances
from pipeline.errors import UserError
from pipeline.storage.files import write_json


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two utterances of one chapter; the folder of the chapter."""
    chapter = tmp_path / "LibriSpeech" / "dev" / "84" / "121123"
    chapter.mkdir(parents=True)
    for index in range(2):
        soundfile.write(chapter / f"84-121123-000{index}.flac", np.zeros(1600), 16_000)
    (chapter / "84-121123.trans.txt").write_text(
        "84-121123-0001 AND  THEN\n84-121123-0000 GO DO YOU HEAR\n")
    return chapter


def test_reader_sorts_by_id_and_takes_the_speaker_from_it(tree: Path) -> None:
    found = utterances(tree.parents[3], "dev")
    assert [(item.id, item.speaker, item.text) for item in found] == [
        ("84-121123-0000", "84", "GO DO YOU HEAR"), ("84-121123-0001", "84", "AND THEN")]
    assert [item.path for item in found] == sorted(tree.glob("*.flac"))


def without_audio(chapter: Path) -> None:
    (chapter / "84-121123-0001.flac").unlink()


def without_transcript(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").write_text("84-121123-0000 GO\n")


def without_transcripts_file(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").unlink()


def with_empty_file(chapter: Path) -> None:
    (chapter / "84-121123-0001.flac").write_bytes(b"")


def with_no_samples(chapter: Path) -> None:
    soundfile.write(chapter / "84-121123-0001.flac", np.zeros(0), 16_000)


def with_text_for_audio(chapter: Path) -> None:
    (chapter / "84-121123-0001.flac").write_bytes(b"not found" * 100)


def with_line_without_words(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").write_text("84-121123-0000 GO\n84-121123-0001 \n")


def with_line_of_another_chapter(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").write_text("84-121123-0000 GO\n84-99-0001 AND\n")


def with_two_transcripts(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").write_text("84-121123-0000 GO\n84-121123-0000 NO\n")


def with_other_encoding(chapter: Path) -> None:
    (chapter / "84-121123.trans.txt").write_bytes(b"84-121123-0000 G\xd6\n")


@pytest.mark.parametrize("damage, message", [
    (without_audio, r"84-121123-0001\.flac does not exist, but .* has a transcript of it"),
    (without_transcript, r"84-121123-0001\.flac: audio without a transcript"),
    (without_transcripts_file, r"84-121123-0000\.flac: audio without a transcript"),
    (with_empty_file, r"84-121123-0001\.flac: empty audio"),
    (with_no_samples, r"84-121123-0001\.flac: empty audio"),
    (with_text_for_audio, r"84-121123-0001\.flac cannot be read as audio"),
    (with_line_without_words, r"84-121123\.trans\.txt, line 2: expected an utterance of 84-121123"),
    (with_line_of_another_chapter, r"84-121123\.trans\.txt, line 2: expected an utterance of"),
    (with_two_transcripts, r"\.trans\.txt, line 2: a second transcript of 84-121123-0000.* line 1"),
    (with_other_encoding, r"84-121123\.trans\.txt, line 1: byte 17 of the line is not UTF-8"),
])
def test_damage_is_named(tree: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(tree)
    with pytest.raises(UserError, match=message):
        utterances(tree.parents[3], "dev")


def test_a_missing_subset_is_named_with_those_that_exist(tree: Path) -> None:
    with pytest.raises(UserError, match="test-clean does not exist; subsets here: dev"):
        utterances(tree.parents[3], "test-clean")


def test_all_seven_published_parts_have_address_size_and_checksum() -> None:
    published = {name: file for name, file in librispeech.FILES.items() if file.url}
    assert set(published) == {"dev-clean", "dev-other", "test-clean", "test-other",
                              "train-clean-100", "train-clean-360", "train-other-500"}
    for name, file in published.items():
        assert file.url == f"https://www.openslr.org/resources/12/{name}.tar.gz"
        assert file.size and file.sha256 and len(file.sha256) == 64


def test_the_published_dictionary_is_read_without_its_stress(tmp_path: Path) -> None:
    (tmp_path / "LibriSpeech").mkdir()
    path = tmp_path / "LibriSpeech" / "librispeech-lexicon.txt"
    path.write_text("A\tAH0\nA\tEY1\nA''S\tEY1 Z\nRECORD\tR AH0 K AO1 R D\n"
                    "RECORD\tR EH1 K ER0 D\nRECORD\tR EH1 K ER2 D\n")
    assert lexicon(tmp_path) == {
        "A": [["AH"], ["EY"]], "A''S": [["EY", "Z"]],
        "RECORD": [["R", "AH", "K", "AO", "R", "D"], ["R", "EH", "K", "ER", "D"]]}


@pytest.mark.parametrize("line, message", [
    ("THE", r"line 2: expected a word in capitals, a tab and its phones, got 'THE'"),
    ("", r"line 2: expected a word in capitals"),
    ("the\tDH AH0", r"line 2: expected a word in capitals"),
    ("THE\tDH AX0", r"line 2: 'AX0' is none of the phones AA, AE.*mend the line"),
    ("THE\tDH3 AH0", r"line 2: 'DH3' is none"),
    ("THE\tSIL", r"line 2: 'SIL' is none"),
    ("A\tAH0", r"line 2: 'A\\tAH0' stands in line 1 already; remove one"),
], ids=["no phones", "nothing", "small letters", "unknown", "stressed consonant", "pause", "twice"])
def test_damage_of_a_dictionary_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "LibriSpeech").mkdir()
    path = tmp_path / "LibriSpeech" / "librispeech-lexicon.txt"
    path.write_text(f"A\tAH0\n{line}\nZOO\tZ UW1\n")
    with pytest.raises(UserError, match=rf"librispeech-lexicon\.txt, {message}"):
        lexicon(tmp_path)


GOLD = {"84-121123-0000": {"words": [["GO", 0.0, 0.02], ["DO", 0.02, 0.04], ["YOU", 0.05, 0.06],
                                     ["HEAR", 0.06, 0.08]], "phones": [["SIL", 0.0, 0.1]]},
        "84-121123-0001": {"words": [["AND", 0.0, 0.04], ["THEN", 0.04, 0.08]],
                           "phones": [["AE", 0.0, 0.02], ["SIL", 0.02, 0.05], ["N", 0.05, 0.1]]}}


def test_times_of_a_chapter_come_with_its_utterances(tree: Path) -> None:
    write_json(tree / "84-121123.alignment.json", GOLD)
    assert utterances(tree.parents[3], "dev")[1].segments == (
        Segment("word", "AND", 0.0, 0.04), Segment("word", "THEN", 0.04, 0.08),
        Segment("phone", "AE", 0.0, 0.02), Segment("phone", "N", 0.05, 0.1))


@pytest.mark.parametrize("changes, message", [
    ({"words": [["AND", 0.0, 0.05], ["THEN", 0.04, 0.08]]}, "0001' needs 'words' and 'phones'"),
    ({"words": [["AND", 0.0, 0.0], ["THEN", 0.04, 0.08]]}, "in order of time"),
    ({"words": [["AND", 0.0], ["THEN", 0.04, 0.08]]}, r"each \[label, begin, end\] in seconds"),
    ({"phones": None}, "0001' needs 'words'"),
    ({"words": [["AND", 0.0, 0.04]]}, "0001' has other words than its transcript"),
], ids=["order", "no length", "no end", "no phones", "another word"])
def test_damaged_times_are_named(tree: Path, changes: dict[str, Any], message: str) -> None:
    write_json(tree / "84-121123.alignment.json",
               GOLD | {"84-121123-0001": GOLD["84-121123-0001"] | changes})
    with pytest.raises(UserError, match=rf"84-121123\.alignment\.json: .*{message}"):
        utterances(tree.parents[3], "dev")


def test_an_utterance_without_times_is_named(tree: Path) -> None:
    write_json(tree / "84-121123.alignment.json", {"84-121123-0000": GOLD["84-121123-0000"]})
    with pytest.raises(UserError, match=r"alignment\.json: no times of 84-121123-0001; fetch"):
        utterances(tree.parents[3], "dev")


def test_the_real_utterances_become_frames(
        mirror: Path, tmp_path: Path) -> None:
    """47 utterances of LibriSpeech's test-clean, 221 s by two speakers, as they were published."""
    prepare(Settings.model_validate({
        "module": "librispeech", "parts": ["test-clean-47"], "twin": None}), tmp_path, mirror)
    found = utterances(tmp_path, "test-clean")
    assert len(found) == 47 and {item.speaker for item in found} == {"237", "1089"}
    assert sum(soundfile.info(item.path).duration for item in found) == pytest.approx(221, abs=1)
    first = next(item for item in found if item.id == "1089-134686-0000")
    assert first.text.startswith("HE HOPED THERE WOULD BE STEW FOR DINNER")
    front_end = LogMel(kind="log-mel", sample_rate=16_000, window="hamming", frame_ms=25.0,
                       hop_ms=10.0, dft_points=400, mels=40, low_hz=20.0, high_hz=7600.0, deltas=0)
    frames = frames_of(front_end, first.path)
    assert frames.shape == (1 + (soundfile.info(first.path).frames - 400) // 160, 40)
    energies = frames.mean(axis=1)
    assert np.ptp(energies) > 5, "speech, and pauses in which the power is e^5 times less"
