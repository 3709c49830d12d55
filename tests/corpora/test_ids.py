"""Ids are taken as they are written, and one that stands in a corpus twice is named with both."""

from pathlib import Path

import pytest

from pipeline.corpora import an4, flickr8k, librispeech, ud_ewt, word_vectors
from pipeline.errors import UserError

TOKEN = "1\tgo\t_\tVERB\tVB\t_\t_\t_\t_\t_\n"
DIFFERENT = ["A", "A ", " A", "a", "\xa0A", "A\u2028", "\xe9", "e\u0301"]


def written(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8", newline="")
    return path


def test_ids_that_differ_in_a_space_a_case_or_an_accent_are_two(tmp_path: Path) -> None:
    written(tmp_path / "en_ewt-ud-dev.conllu",
            "".join(f"# newdoc id = {identity}\n# sent_id = {identity}\n{TOKEN}\n"
                    for identity in DIFFERENT))
    found = ud_ewt.tagged(tmp_path, "dev", "xpos")
    assert [item.id for item in found] == [item.cluster for item in found] == DIFFERENT


def test_pictures_whose_names_differ_in_a_space_are_two(tmp_path: Path) -> None:
    written(tmp_path / "Flickr_8k.testImages.txt", "".join(f"{name}\n" for name in DIFFERENT))
    written(tmp_path / "Flickr8k.token.txt",
            "".join(f"{name}#0\tabout it\n" for name in DIFFERENT))
    for name in DIFFERENT:
        written(tmp_path / flickr8k.PICTURES / name, "")
    assert [item.id for item in flickr8k.captioned(tmp_path, "test")] == DIFFERENT


def test_a_sentence_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "en_ewt-ud-dev.conllu",
                   f"# newdoc\n# sent_id = A \n{TOKEN}\n# sent_id = A\n{TOKEN}\n"
                   f"# sent_id = A \n{TOKEN}\n")
    with pytest.raises(UserError, match=rf"{path}: .* lines 3 and 9 have one id, 'A '"):
        ud_ewt.tagged(tmp_path, "dev", "xpos")


def test_a_picture_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    written(tmp_path / "Flickr8k.token.txt", "a.jpg#0\tone\na.png#0\tother\n")
    written(tmp_path / flickr8k.PICTURES / "a.jpg", "")
    for names in ("a.jpg\n\na.jpg\n", "a.jpg\n\na.png\n"):
        path = written(tmp_path / "Flickr_8k.testImages.txt", names)
        with pytest.raises(UserError, match=rf"{path}, line 3: .* in line 1 already"):
            flickr8k.captioned(tmp_path, "test")


def test_an_utterance_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    etc = tmp_path / "an4" / "etc"
    names = written(etc / "an4_test.fileids", "f/s/an1-s-b\nf/s/an2-s-b\nf/t/an1-s-b\n")
    texts = written(etc / "an4_test.transcription", "NO (an1-s-b)\nYES (an2-s-b)\n")
    with pytest.raises(UserError, match=rf"{names}, line 3: .*'an1-s-b' stands in line 1 already"):
        an4.utterances(tmp_path, "test")
    written(names, "f/s/an1-s-b\n")
    written(texts, "NO (an1-s-b)\nYES (an1-s-b)\n")
    with pytest.raises(UserError, match=rf"{texts}, line 2: .* in line 1"):
        an4.utterances(tmp_path, "test")


def test_an_utterance_of_two_speakers_is_named_with_both_files(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    for speaker in ("1", "2"):
        folder = tmp_path / "LibriSpeech" / "test" / speaker / "1"
        written(folder / "1-1.trans.txt", "1-1-0000 GO HOME\n")
        soundfile.write(folder / "1-1-0000.flac", [0.0] * 160, 16_000)
    with pytest.raises(UserError, match=r"1/1/1-1-0000\.flac are two utterances of one id"):
        librispeech.utterances(tmp_path, "test")


def test_a_question_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "questions-words.txt", ": c\na b c d\n: e\na b c d\nA b c d\n")
    written(tmp_path / "word-classes.txt", "c a b\n")
    with pytest.raises(UserError, match=rf"{path}, line 5: the question of line 4"):
        word_vectors.word_tests(tmp_path)
