"""AN4: the counts of its publisher, and every kind of damage."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from pipeline.corpora import an4
from pipeline.corpora.fetching.archives import place
from pipeline.entries import CorpusSettings
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
            path = tmp_path / "an4" / "wav" / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, [0.0] * 1600, 16_000)
    (etc / "an4.phone").write_text("AH\nEY\nSIL\n")
    (etc / "an4.dic").write_text("A  AH\nA(2)  EY\nEH EY\n")
    return tmp_path


def test_splits_are_sorted_cleaned_and_disjoint_by_speaker(corpus: Path) -> None:
    found = {split: [(item.id, item.speaker, item.text) for item in an4.utterances(corpus, split)]
             for split in ("train", "valid", "test")}
    assert found == {
        "train": [("an1-mdcs-b", "mdcs", "A B C"), ("an2-mdcs-b", "mdcs", "GO HOME")],
        "valid": [("an9-ffmm-b", "ffmm", "YES")], "test": [("an3-fcaw-b", "fcaw", "NO")]}


def test_a_word_has_all_its_pronunciations_in_order(corpus: Path) -> None:
    assert an4.lexicon(corpus) == {"A": [["AH"], ["EY"]], "EH": [["EY"]]}
    assert an4.phones(corpus) == ["AH", "EY", "SIL"]


def wav(etc: Path) -> Path:
    return etc.parent / "wav" / "an4test_clstk" / "fcaw" / "an3-fcaw-b.wav"


def remove_audio(etc: Path) -> None:
    wav(etc).unlink()


def empty_audio(etc: Path) -> None:
    soundfile.write(wav(etc), [], 16_000)


def no_bytes(etc: Path) -> None:
    wav(etc).write_bytes(b"")


def no_audio(etc: Path) -> None:
    wav(etc).write_bytes(b"RIFF, but not quite")


def no_speaker(etc: Path) -> None:
    soundfile.write(etc.parent / "wav" / "an3-fcaw-b.wav", [0.0] * 99, 16_000)
    (etc / "an4_test.fileids").write_text("an3-fcaw-b\n")


def leave_the_folder(etc: Path) -> None:
    (etc / "an4_test.fileids").write_text("../../an3-fcaw-b\n")


def remove_transcript(etc: Path) -> None:
    (etc / "an4_test.transcription").write_text("")


def rename_transcript(etc: Path) -> None:
    (etc / "an4_test.transcription").write_text("NO (an4-fcaw-b)\n")


def one_more_transcript(etc: Path) -> None:
    (etc / "an4_test.transcription").write_text("NO (an3-fcaw-b)\nYES (an4-fcaw-b)\n")


def transcript_twice(etc: Path) -> None:
    (etc / "an4_test.transcription").write_text("NO (an3-fcaw-b)\nYES (an3-fcaw-b)\n")


def name_twice(etc: Path) -> None:
    (etc / "an4_test.fileids").write_text("f/s/an3-fcaw-b\nf/t/an3-fcaw-b\n")


def other_encoding(etc: Path) -> None:
    (etc / "an4_test.transcription").write_bytes(b"N\xd6 (an3-fcaw-b)\n")


def break_line(etc: Path) -> None:
    (etc / "an4_test.transcription").write_text("NO an3-fcaw-b\n")


def empty_line(etc: Path) -> None:
    (etc / "an4_test.transcription").write_text("<s> </s> (an3-fcaw-b)\n")


@pytest.mark.parametrize("damage, message", [
    (remove_audio, r"an3-fcaw-b\.wav does not exist but has a transcript"),
    (empty_audio, r"an3-fcaw-b\.wav: empty audio"),
    (no_bytes, r"an3-fcaw-b\.wav: empty audio"),
    (no_audio, r"an3-fcaw-b\.wav cannot be read as audio"),
    (no_speaker, r"etc: 'an3-fcaw-b' names no folder and speaker"),
    (leave_the_folder, r"'../../an3-fcaw-b.wav' is no name of a file"),
    (remove_transcript, r"an4_test\.transcription is empty"),
    (rename_transcript, r"audio of '.*an3-fcaw-b' without a transcript"),
    (one_more_transcript, r"an4_test\.fileids lists 1 utterances, an4_test\.transcription 2"),
    (transcript_twice, r"an4_test\.transcription, line 2: a second transcript .* in line 1"),
    (name_twice, r"an4_test\.fileids, line 2: utterance 'an3-fcaw-b' stands in line 1 already"),
    (other_encoding, r"an4_test\.transcription, line 1: byte 2 of the line is not UTF-8"),
    (break_line, r"an4_test\.transcription, line 1: expected words and"),
    (empty_line, r"an4_test\.transcription, line 1: expected words and"),
])
def test_lists_that_disagree_are_named(
        corpus: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(corpus / "an4" / "etc")
    with pytest.raises(UserError, match=message):
        an4.utterances(corpus, "test")


@pytest.mark.parametrize("name, content, message", [
    ("an4.dic", "A\n", r"an4\.dic, line 1: expected a word and its phones"),
    ("an4.dic", "A  AH\nB  B\n", r"an4\.dic, line 2: 'B' is none of the corpus's 3 phones"),
    ("an4.phone", "AH\nAH\n", r"an4\.phone, line 2: expected one phone that stands in no line"),
    ("an4.phone", "AH EY\n", r"an4\.phone, line 1: expected one phone")])
def test_a_damaged_dictionary_is_named(
        corpus: Path, name: str, content: str, message: str) -> None:
    (corpus / "an4" / "etc" / name).write_text(content)
    with pytest.raises(UserError, match=message):
        an4.lexicon(corpus)


@pytest.fixture(scope="module")
def real(real_corpus: Callable[[CorpusSettings], Path]) -> Path:
    return real_corpus(an4.Settings(module="an4"))


def test_the_real_corpus_has_its_publishers_counts(real: Path) -> None:
    splits = {split: an4.utterances(real, split) for split in ("train", "valid", "test")}
    assert [len(items) for items in splits.values()] == [848, 100, 130]
    assert sum(len(item.text.split()) for item in splits["test"]) == 773
    speakers = [{item.speaker for item in items} for items in splits.values()]
    assert [len(each) for each in speakers] == [66, 8, 10] and len(set().union(*speakers)) == 84
    assert speakers[1] == an4.VALID_SPEAKERS
    found = [soundfile.info(item.path) for items in splits.values() for item in items]
    assert {(each.samplerate, each.channels, each.subtype) for each in found} == {
        (16_000, 1, "PCM_16")}
    assert sum(each.frames for each in found) / 16_000 / 60 == pytest.approx(48.4, abs=0.05)
    lexicon, phones = an4.lexicon(real), an4.phones(real)
    assert lexicon["A"] == [["AH"], ["EY"]] and (len(lexicon), len(phones)) == (101, 34)
    spoken = {word for items in splits.values() for item in items for word in item.text.split()}
    assert spoken <= lexicon.keys()


def test_only_what_is_listed_lies_there_and_a_damaged_recording_is_mended(
        real: Path, mirror: Path, tmp_path: Path) -> None:
    found = {path.relative_to(real / "an4").as_posix() for path in (real / "an4").rglob("*")
             if path.is_file()}
    assert found == an4.FILES[0].members().keys() and len(found) == 1088
    copy = Path(shutil.copytree(real, tmp_path / "copy"))
    path = an4.utterances(copy, "test")[0].path
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    place(an4.FILES[0], copy, mirror)
    assert path.read_bytes() == whole
