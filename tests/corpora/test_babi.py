"""bAbI's file format, and stories whose answers follow from them and from nothing less."""

from itertools import combinations
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.corpora import babi
from pipeline.errors import UserError

OPTIONS = {"seed": 5, "train": 150, "valid": 20, "test": 40, "people": 4, "places": 5,
           "objects": 3, "facts": 10}
SPLITS = ("train", "valid", "test")
EXCERPT = """\
1 Ann went to the attic.
2 Bob took the key there.
3 Where is Ann? \tattic\t1
4 Ann's cat left.
5 What is Bob carrying?\tkey,lamp\t2
1 Bob journeyed to the cellar.
2 Bob moved to the attic.
3 Where was Bob before the attic? \tcellar\t1 2
"""


def settings(**options: int) -> babi.Settings:
    return babi.Settings(module="babi", **{**OPTIONS, **options})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("babi")
    babi.prepare(settings(), directory, None)
    return directory


@pytest.fixture
def excerpt(tmp_path: Path) -> Path:
    for kind in (1, 2, 3):
        (tmp_path / f"qa{kind}_test.txt").write_text(EXCERPT)
    return tmp_path


def stories(path: Path) -> list[list[str]]:
    """Lines of each story, their numbers checked and removed."""
    found: list[list[str]] = []
    for line in path.read_text().splitlines():
        number, _, text = line.partition(" ")
        if number == "1":
            found.append([])
        found[-1].append(text)
        assert int(number) == len(found[-1])
    return found


def solve(question: str, facts: list[str]) -> str | None:
    """The answer from the path of every person and thing, None where the facts leave it open."""
    places: dict[str, list[str]] = {}
    holder: dict[str, str] = {}
    for fact in facts:
        person, verb, *_, last = fact.rstrip(".").split()
        if verb in ("went", "moved", "journeyed", "travelled"):
            for body in (person, *(thing for thing, by in holder.items() if by == person)):
                places.setdefault(body, []).append(last)
        elif verb in ("took", "got", "grabbed"):
            assert holder.setdefault(last, person) == person
            if places.get(person) and places.get(last, [None])[-1] != places[person][-1]:
                places.setdefault(last, []).append(places[person][-1])
        else:
            assert verb in ("dropped", "discarded", "left")
            holder.pop(last, None)
            if person in places and not places.get(last):
                places[last] = places[person][-1:]
    words = question.rstrip("?").split()
    if words[1] == "is":
        return places.get(words[-1], [None])[-1]
    path = places.get(words[3], [])
    return path[-2] if len(path) > 1 and path[-1] == words[-1] else None


def test_a_story_begins_where_numbers_restart(excerpt: Path) -> None:
    found = babi.labelled(excerpt, "test")[:3]
    assert [(item.id, " ".join(item.words), item.label, item.group) for item in found] == [
        ("qa1_test-00001", "Ann went to the attic . Bob took the key there . Where is Ann ?",
         "attic", "one"),
        ("qa1_test-00002", "Ann went to the attic . Bob took the key there . Ann ' s cat left . "
                           "What is Bob carrying ?", "key,lamp", "one"),
        ("qa1_test-00003", "Bob journeyed to the cellar . Bob moved to the attic . Where was Bob "
                           "before the attic ?", "cellar", "two")]


@pytest.mark.parametrize(("old", "new", "message"), [
    ("2 Bob took", "3 Bob took", "line 2: expected number 2, or 1 for a new story, got 3"),
    ("2 Bob moved", "Bob moved", "line 7: expected a line number first"),
    ("1 Ann went", "2 Ann went", "line 1: expected number 1"),
    ("\tattic\t1\n", "\tattic\n", "line 3: expected question, answer and supporting facts"),
    ("\tattic\t1\n", "\t \t1\n", "line 3: expected question, answer and supporting facts"),
    ("\tattic\t1\n", "\tattic\t3\n", "line 3: '3' is no fact of the story so far"),
    ("\tcellar\t1 2", "\tcellar\t1 4", "line 8: '4' is no fact"),
    ("\tkey,lamp\t2", "\tkey,lamp\t3", "line 5: '3' is no fact"),
    ("\tattic\t1\n", "\tattic\t\n", "line 3: 'nothing' is no fact"),
    ("4 Ann's cat left.", "4 ", "line 4: the line has no words"),
    ("4 Ann's cat left.", "", "line 4: expected a line number first, got ''"),
])
def test_a_line_that_breaks_the_format_is_named(excerpt: Path, old: str, new: str,
                                                message: str) -> None:
    assert old in EXCERPT
    (excerpt / "qa2_test.txt").write_text(EXCERPT.replace(old, new, 1))
    with pytest.raises(UserError, match=f"qa2_test.txt, {message}"):
        babi.labelled(excerpt, "test")


def test_a_file_without_questions_is_named(excerpt: Path) -> None:
    (excerpt / "qa3_test.txt").write_text("1 Ann left.\n")
    with pytest.raises(UserError, match="qa3_test.txt has no question"):
        babi.labelled(excerpt, "test")
    with pytest.raises(UserError, match="qa1_valid.txt does not exist"):
        babi.labelled(excerpt, "valid")


def test_each_task_has_as_many_questions_as_asked_for(corpus: Path) -> None:
    for split in SPLITS:
        groups = [item.group for item in babi.labelled(corpus, split)]
        assert {group: groups.count(group) for group in groups} == dict.fromkeys(
            ("one", "two", "three"), OPTIONS[split])


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_supporting_facts_give_the_answer_and_fewer_do_not(corpus: Path, kind: int) -> None:
    for story in stories(corpus / f"qa{kind}_train.txt"):
        for place, line in enumerate(story):
            if "\t" not in line:
                continue
            question, answer, supporting = line.split("\t")
            before = [fact for fact in story[:place] if "\t" not in fact]
            assert solve(question.strip(), before) == answer
            facts = [story[int(number) - 1] for number in supporting.split()]
            assert solve(question.strip(), facts) == answer
            assert len(facts) == kind
            for fewer in combinations(facts, kind - 1):
                assert solve(question.strip(), list(fewer)) != answer


def test_no_question_with_its_facts_is_in_two_splits(corpus: Path) -> None:
    texts = [{" ".join(item.words) for item in babi.labelled(corpus, split)} for split in SPLITS]
    assert all(first.isdisjoint(second) for first, second in combinations(texts, 2))


def test_the_same_seed_writes_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    babi.prepare(settings(), tmp_path, None)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 9
    assert all((tmp_path / name).read_bytes() == (corpus / name).read_bytes() for name in names)


def test_a_world_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="too few stories: enlarge it"):
        babi.prepare(settings(people=2, places=2, facts=4, train=5000), tmp_path, None)
    with pytest.raises(ValidationError, match="people"):
        settings(people=7)
