"""The sentiment treebank: its published counts, the twin's grammar, every kind of damage."""

import re
from collections import Counter
from pathlib import Path

import pytest

from pipeline.corpora import sst
from pipeline.corpora.twins.grammar import sentiment
from pipeline.errors import UserError

OPTIONS = {"seed": 2, "train": 400, "valid": 50, "test": 200, "noise": 0.2}
SPLITS = ("train", "valid", "test")


def settings(**options: float) -> sst.Settings:
    return sst.Settings(module="sst", twin=sst.TwinSettings(**{**OPTIONS, **options}))


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sst")
    sst.prepare(settings(), directory, None)
    return directory


def test_the_real_corpus_has_its_published_counts(mirror: Path, tmp_path: Path) -> None:
    sst.prepare(sst.Settings(module="sst", twin=None), tmp_path, mirror)
    found = {split: sst.labelled(tmp_path, split) for split in SPLITS}
    assert {split: len(items) for split, items in found.items()} == {
        "train": 8_544, "valid": 1_101, "test": 2_210}
    # Without neutral sentences: the published sizes of the binary task.
    assert {split: sum(item.label != "2" for item in items)
            for split, items in found.items()} == {"train": 6_920, "valid": 872, "test": 1_821}
    first = found["train"][0]
    assert (first.id, first.label, first.words[:4]) == (
        "train-00001", "3", ["The", "Rock", "is", "destined"])
    assert sst.ceiling(tmp_path, "test") is None and first.group is None


# An interpreter of the reviews: it knows the adjectives, and reads everything else anew.
ADJECTIVES = {word: value for value, words in sentiment._ADJECTIVES.items()
              for word in words.split()}
CHANGES = {"is": {-2: -2, -1: -1, 1: 1, 2: 2}, "is truly": {-2: -2, -1: -2, 1: 2, 2: 2},
           "is a little": {-2: -1, -1: -1, 1: 1, 2: 1}, "is not": {-2: 1, -1: 1, 1: -1, 2: -1},
           "is anything but": {-2: 2, -1: 2, 1: -2, 2: -2}}
CHANGES |= {"is utterly": CHANGES["is truly"], "is somewhat": CHANGES["is a little"]}
CHANGES |= dict.fromkeys(["is never", "is hardly", "is not at all"], CHANGES["is not"])
AVERAGES = {(2, 2): 2, (2, 1): 2, (2, 0): 1, (2, -1): 1, (2, -2): 0, (1, 1): 1, (1, 0): 1,
            (1, -1): 0, (1, -2): -1, (0, 0): 0, (0, -1): -1, (0, -2): -1, (-1, -1): -1,
            (-1, -2): -2, (-2, -2): -2}
DENIAL = r"(?:nobody who saw|i do not think|it is not true|only a fool|no critic in)"
PREDICATE = re.compile(rf"({'|'.join(sorted(CHANGES, key=len, reverse=True))}) "
                       rf"({'|'.join(ADJECTIVES)})$")


def clause(text: str) -> int:
    found = PREDICATE.search(text)
    value = CHANGES[found[1]][ADJECTIVES[found[2]]] if found else 0
    return {0: 0, 1: -1, 2: -1, -1: 1, -2: 1}[value] if re.match(DENIAL, text) else value


def review(text: str) -> int:
    text = text.removesuffix(" .")
    if text.startswith("although "):
        # Other commas belong to asides.
        return clause(re.split(rf" , (?=the |{DENIAL})", text, maxsplit=1)[1])
    for mark, counts in ((" , but ", 1), (" , although ", 0)):
        if mark in text:
            return clause(text.split(mark)[counts])
    if " and " in text:
        first, second = (clause(part) for part in text.split(" and "))
        return AVERAGES[max(first, second), min(first, second)]
    return clause(text)


@pytest.mark.parametrize(("text", "expected"), [
    ("the film is good .", 1), ("the film is truly good .", 2), ("the film is not awful .", 1),
    ("the film is brilliant , but the plot is a little awful .", -1),
    ("although the film , like the book , is brilliant , the plot is not good .", -1),
    ("the film is brilliant , although the plot is awful .", 2),
    ("the film is brilliant and the plot is awful .", 0),
    ("i do not think that the film that won a prize in venice is awful .", 1),
    ("the film is anything but good and the plot runs for two hours .", -1),
])
def test_reviews_by_hand(text: str, expected: int) -> None:
    assert review(text) == expected


def test_the_structure_of_every_review_gives_its_value() -> None:
    for item in sentiment.generate(3000, seed=4):
        text = " ".join(item.words)
        assert review(text) == item.value, text
        assert item.composed == bool(re.search(
            rf"\b(but|although|not|never|hardly)\b|^{DENIAL}|(and|,) {DENIAL}", text)), text


def test_the_twin_is_read_as_the_corpus_is(twin: Path) -> None:
    found = {split: sst.labelled(twin, split) for split in SPLITS}
    assert {split: len(items) for split, items in found.items()} == {
        split: OPTIONS[split] for split in SPLITS}
    texts = [" ".join(item.words) for items in found.values() for item in items]
    assert len(set(texts)) == len(texts)
    assert {item.group for item in found["train"]} == {"simple", "composed"}
    assert re.match(r"[0-4] \|\|\| \w", (twin / "dev.txt").read_text())


def test_the_annotator_moves_labels_to_neighbours_and_the_ceiling_counts_them(twin: Path) -> None:
    steps = Counter(int(item.label) - (review(" ".join(item.words)) + 2)
                    for item in sst.labelled(twin, "test"))
    assert set(steps) == {-1, 0, 1}
    assert sst.ceiling(twin, "test") == pytest.approx(100 * steps[0] / 200)
    assert 74 <= sst.ceiling(twin, "test") <= 86


def test_the_same_seed_writes_the_same_bytes(twin: Path, tmp_path: Path) -> None:
    sst.prepare(settings(), tmp_path, None)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 6
    assert all((tmp_path / name).read_bytes() == (twin / name).read_bytes() for name in names)


@pytest.mark.parametrize(("content", "message"), [
    (b"3 ||| good film\n5 ||| bad film\n", "train.txt, line 2: expected a label from 0 to 4.*'5'"),
    (b"3 ||| good film\ngood film\n", "train.txt, line 2: expected 'label ||| text'"),
    (b"3 |||  \n", "train.txt, line 1: the sentence is empty"),
    (b"3 ||| good film\n\n", "train.txt, line 2: expected 'label ||| text', got ''"),
    (b"3 ||| a caf\xe9\n", "train.txt, line 1: byte 12 of the line is not UTF-8"),
    (b"", "train.txt is empty"),
])
def test_damage_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "train.txt").write_bytes(content)
    with pytest.raises(UserError, match=message.replace("|||", r"\|\|\|")):
        sst.labelled(tmp_path, "train")


@pytest.mark.parametrize(("notes", "message"), [
    ("3 simple\n", "has 1 lines, train.txt 2"), ("3 simple\n3\n", "line 2: expected a label"),
    ("3 simple\n7 composed\n", "line 2: expected a label")])
def test_notes_that_do_not_fit_are_named(tmp_path: Path, notes: str, message: str) -> None:
    (tmp_path / "train.txt").write_text("3 ||| good film\n1 ||| bad film\n")
    (tmp_path / "train.notes.txt").write_text(notes)
    with pytest.raises(UserError, match=f"train.notes.txt.*{message}"):
        sst.labelled(tmp_path, "train")


def test_the_phrases_of_the_real_corpus_have_their_published_counts(mirror: Path,
                                                                    tmp_path: Path) -> None:
    """Independent reference: brackets counted in the file, labels beside each of its words."""
    sst.prepare(sst.Settings(module="sst", twin=None), tmp_path, mirror)
    found = sst.phrases(tmp_path)
    text = (tmp_path / "trees/train.txt").read_text("utf-8")
    assert text.count("(") == 318_582  # as Tai et al. 2015 count them
    assert len(found) == len({tuple(item.words) for item in found}) == 159_274
    by_words = {tuple(item.words): item.label for item in found}
    leaves = set(re.findall(r"\((\d) ([^() ]+)\)", text))
    assert all(by_words[word,] == label for label, word in leaves)
    assert all(by_words[tuple(item.words)] == item.label
               for item in sst.labelled(tmp_path, "train"))


def with_trees(folder: Path, *trees: str) -> Path:
    (folder / "trees").mkdir()
    (folder / "train.txt").write_text("3 ||| a good film\n1 ||| film\n")
    (folder / "trees/train.txt").write_text("".join(f"{tree}\n" for tree in trees))
    return folder


TREES = ["(3 (2 a) (4 (3 good) (2 film)))", "(1 film)"]


def test_phrases_by_hand(tmp_path: Path) -> None:
    """Each once, where it stands first: the second sentence is a word of the first."""
    trees = ["(3 (2 a) (4 (3 good) (1 film)))", "(1 film)"]
    assert [(item.id, item.label, " ".join(item.words))
            for item in sst.phrases(with_trees(tmp_path, *trees))] == [
        ("train-00001-1", "2", "a"), ("train-00001-2", "3", "good"), ("train-00001-3", "1", "film"),
        ("train-00001-4", "4", "good film"), ("train-00001-5", "3", "a good film")]


@pytest.mark.parametrize(("trees", "message"), [
    (TREES[:1], "has 1 lines, train.txt 2"),
    ([TREES[0], "(2 film)"], "line 2: this is not the tree of the sentence"),
    (["(3 (2 a) (4 (3 bad) (2 film)))", TREES[1]], "line 1: this is not the tree"),
    ([TREES[0][:-1], TREES[1]], "line 1: expected a tree"),
    ([TREES[0] + ")", TREES[1]], "line 1: expected a tree"),
    ([TREES[0] + " (2 x)", TREES[1]], "line 1: expected a tree"),
    (["(3 (2 a) (7 (3 good) (2 film)))", TREES[1]], "line 1: expected a tree"),
    (["(3 a good film)x", TREES[1]], "line 1: expected a tree"),
    (["a good film", TREES[1]], "line 1: expected a tree"),
    (["(3 (2 ) (4 a good film))", TREES[1]], "line 1: expected a tree"),
])
def test_damaged_trees_are_named(tmp_path: Path, trees: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        sst.phrases(with_trees(tmp_path, *trees))


def test_the_twin_says_that_it_has_no_labels_of_phrases(twin: Path) -> None:
    with pytest.raises(UserError, match="set phrases: false"):
        sst.phrases(twin)
