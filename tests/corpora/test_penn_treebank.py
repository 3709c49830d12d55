"""Penn Treebank text: Mikolov's counts, the twin's files, lines, every kind of damage."""

from collections import Counter
from pathlib import Path

import pytest

from pipeline.corpora import penn_treebank
from pipeline.corpora.twins.grammar import english
from pipeline.errors import UserError

TWIN = penn_treebank.Settings(module="penn_treebank", twin=penn_treebank.TwinSettings(
    seed=5, train=60, valid=20, test=30))


@pytest.fixture
def twin(tmp_path: Path) -> Path:
    penn_treebank.prepare(TWIN, tmp_path, None)
    return tmp_path


def test_the_real_text_has_its_published_counts(mirror: Path, tmp_path: Path) -> None:
    penn_treebank.prepare(penn_treebank.Settings(module="penn_treebank", twin=None), tmp_path,
                          mirror)
    found = {split: penn_treebank.sentences(tmp_path, split)
             for split in ("train", "valid", "test")}
    assert len(found["train"]) == 42_068
    assert {split: sum(len(item.words) + 1 for item in items) for split, items in found.items()
            } == {"train": 929_589, "valid": 73_760, "test": 82_430}
    assert len({word for item in found["train"] for word in item.words}) + 1 == 10_000
    assert found["test"][0].words[:3] == ["no", "it", "was"]
    assert found["test"][0].marked is None and found["test"][0].log_probability is None
    text = "".join(line.text for line in penn_treebank.lines(tmp_path, "train"))
    raw = (mirror / "ptb" / "ptb.train.txt").read_text()
    assert text == raw[1:].replace("\n ", "\n") and len(set(text)) == 50


def test_the_real_text_has_the_symbols_and_blocks_of_published_results(mirror: Path,
                                                                      tmp_path: Path) -> None:
    """446,184 symbols: the file's 449,945 bytes without the space that begins its 3,761 lines."""
    penn_treebank.prepare(penn_treebank.Settings(module="penn_treebank", twin=None), tmp_path,
                          mirror)
    lines = penn_treebank.lines(tmp_path, "test")
    assert sum(len(line.text) for line in lines) == 446_184
    assert lines[0].text.startswith("no it was n't black monday \n")
    blocks = Counter(item.cluster for item in penn_treebank.sentences(tmp_path, "test"))
    assert sorted(blocks.values()) == [11] + [50] * 75
    assert [line.cluster for line in lines][48:52] == ["test-block-0001"] * 2 + [
        "test-block-0002"] * 2


def test_the_twin_is_written_as_mikolov_wrote(twin: Path, mirror: Path) -> None:
    published = (mirror / "ptb" / "ptb.valid.txt").read_text().splitlines(keepends=True)
    lines = (twin / "ptb.valid.txt").read_text().splitlines(keepends=True)
    for line in (*published, *lines):
        assert line == f" {' '.join(line.split())} \n"
    assert len(lines) == 20


def test_the_twin_comes_back_as_the_grammar_made_it(twin: Path) -> None:
    drawn = english.generate(110, 5)
    splits = {"train": drawn[:60], "valid": drawn[60:80], "test": drawn[80:]}
    for split, expected in splits.items():
        found = penn_treebank.sentences(twin, split)
        assert [(item.words, item.marked, item.log_probability) for item in found] == [
            (item.words, item.marked, item.log_probability) for item in expected]
        assert [line.split() for line in (twin / f"ptb.{split}.tags.txt").read_text().splitlines()
                ] == [item.tags for item in expected]
    ids = [item.id for split in splits for item in penn_treebank.sentences(twin, split)]
    assert len(set(ids)) == 110 and ids[0] == "train-00001"


def test_lines_are_sentences_without_the_space_before_them(twin: Path) -> None:
    lines = penn_treebank.lines(twin, "test")
    assert [f" {line.text}" for line in lines] == (
        twin / "ptb.test.txt").read_text().splitlines(keepends=True)
    sentences = penn_treebank.sentences(twin, "test")
    for line, sentence in zip(lines, sentences, strict=True):
        assert (line.id, line.log_probability, line.cluster) == (
            sentence.id, sentence.log_probability, sentence.cluster)
        marked = [word for word, mark in zip(sentence.words, sentence.marked, strict=True) if mark]
        assert "".join(line.text[place] for place in line.marked) == "".join(marked)
    assert any(line.marked for line in lines)


def test_the_same_seed_writes_the_same_bytes(twin: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    penn_treebank.prepare(TWIN, other, None)
    names = sorted(path.name for path in other.iterdir())
    assert len(names) == 12
    assert all((other / name).read_bytes() == (twin / name).read_bytes() for name in names)


@pytest.mark.parametrize(("name", "content", "message"), [
    ("ptb.test.txt", b" fine \n caf\xe9 \n", "ptb.test.txt, line 2"),
    ("ptb.test.txt", b"", "ptb.test.txt is empty"),
    ("ptb.test.txt", b" \n \n", "ptb.test.txt holds no words"),
    ("ptb.test.marks.txt", b"0 1\n", "ptb.test.marks.txt has 1 lines"),
    ("ptb.test.logprob.txt", b"-1.5\n" * 31, "ptb.test.logprob.txt has 31 lines"),
    ("ptb.test.marks.txt", b"0\n" * 30, "ptb.test.marks.txt, line 1: expected [0-9]+ marks"),
    ("ptb.test.logprob.txt", b"-1.5\nlow\n" * 15, "ptb.test.logprob.txt, line 2"),
    ("ptb.test.logprob.txt", b"-1.5\n" * 29 + b"nan\n", "ptb.test.logprob.txt, line 30"),
    ("ptb.test.logprob.txt", b"0.5\n" * 30, "ptb.test.logprob.txt, line 1"),
], ids=["not UTF-8", "empty", "blank", "few marks", "many probabilities", "marks of other words",
        "no number", "NaN", "above one"])
def test_damage_is_named(twin: Path, name: str, content: bytes, message: str) -> None:
    (twin / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        penn_treebank.sentences(twin, "test")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ptb.train.txt does not exist"):
        penn_treebank.sentences(tmp_path, "train")
