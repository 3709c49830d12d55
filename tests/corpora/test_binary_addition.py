"""Sums that are right, in splits that share none, and long carries where they are promised."""

from collections import Counter
from itertools import combinations
from pathlib import Path
from random import Random

import pytest

from pipeline.corpora import binary_addition
from pipeline.errors import UserError

OPTIONS = {"seed": 3, "trained": 4, "longer": [9, 20], "train": 60, "valid": 10, "test": 15,
           "runs": 5}
SPLITS = ("train", "valid", "test")


def settings(**options: object) -> binary_addition.Settings:
    return binary_addition.Settings(module="binary_addition", **{**OPTIONS, **options})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sums")
    binary_addition.prepare(settings(), directory, None)
    return directory


def carries(first: str, second: str) -> list[int]:
    """How far each carry is passed on, from the numbers below each place."""
    one, other, bits = int(first, 2), int(second, 2), len(first)
    found, length = [], 0
    for place in range(bits):
        below = 2 ** (place + 1)
        carried = (one % below + other % below) >= below
        made = one >> place & other >> place & 1
        length = 0 if made or not carried else length + 1
        found.append(length)
    return found


def test_the_files_are_sums_as_people_write_them(corpus: Path) -> None:
    for split in SPLITS:
        for line in (corpus / f"{split}.txt").read_text().splitlines():
            numbers, total = line.split(" = ")
            first, second = numbers.split(" + ")
            assert int(first, 2) + int(second, 2) == int(total, 2)
            assert len(first) == len(second) == len(total) - 1


def test_no_pair_is_in_two_splits_and_lengths_are_those_asked_for(corpus: Path) -> None:
    sums = {split: binary_addition.additions(corpus, split) for split in SPLITS}
    pairs = [{(item.first, item.second) for item in sums[split]} for split in SPLITS]
    assert all(one.isdisjoint(other) for one, other in combinations(pairs, 2))
    lengths = {split: Counter(len(item.first) for item in sums[split]) for split in SPLITS}
    # Of 1 and 2 bits there are 4 and 16 pairs, shared out 60 : 10 : 15 with one each at least.
    assert lengths == {"train": {1: 2, 2: 13, 3: 46, 4: 60}, "valid": {1: 1, 2: 1, 3: 7, 4: 10},
                       "test": {1: 1, 2: 2, 3: 11, 4: 15, 9: 20, 20: 20}}
    assert len(pairs[0]) == 121


def test_the_first_training_pairs_have_all_lengths(corpus: Path) -> None:
    first = binary_addition.additions(corpus, "train")[:30]
    assert {len(item.first) for item in first} >= {2, 3, 4}


def test_each_longer_length_has_long_carries(corpus: Path) -> None:
    for bits in (9, 20):
        found = [item for item in binary_addition.additions(corpus, "test")
                 if len(item.first) == bits]
        assert all(max(carries(item.first, item.second)) >= bits // 2 for item in found[-5:])


@pytest.mark.parametrize("bits", [2, 3, 16])
def test_a_long_carry_runs_half_of_the_numbers(bits: int) -> None:
    random = Random(bits)
    made = set()
    for _ in range(200):
        first, second = (f"{number:0{bits}b}"
                         for number in binary_addition.with_long_carry(bits, random))
        assert len(first) == len(second) == bits
        assert max(carries(first, second)) >= bits // 2
        made.add((first, second))
    assert len(made) >= bits


def test_sums_are_read_as_written(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("1 + 1 = 10\n011 + 110 = 1001\n")
    assert [(item.id, item.first, item.second, item.sum)
            for item in binary_addition.additions(tmp_path, "test")] == [
        ("test-000001", "1", "1", "10"), ("test-000002", "011", "110", "1001")]


@pytest.mark.parametrize(("line", "message"), [
    ("01 + 10", "expected 'bits \\+ bits = bits'"),
    ("01 - 10 = 011", "expected 'bits \\+ bits = bits'"),
    ("", "expected 'bits \\+ bits = bits', got ''"),
    ("01 + 12 = 011", "digits other than 0 and 1"),
    (" + 1 = 01", "expected|digits other"),
    ("01 + 1 = 010", "numbers of 2, 1 and 3 bits"),
    ("01 + 10 = 11", "numbers of 2, 2 and 2 bits"),
    ("01 + 10 = 111", "the sum is wrong"),
])
def test_a_line_that_is_no_sum_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "train.txt").write_text(f"1 + 0 = 01\n{line}\n")
    with pytest.raises(UserError, match=f"train.txt, line 2: .*({message})"):
        binary_addition.additions(tmp_path, "train")


def test_a_longer_length_that_is_trained_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="longer has 4 bits"):
        binary_addition.prepare(settings(longer=[9, 4]), tmp_path, None)
    assert not list(tmp_path.iterdir())


def test_the_same_seed_writes_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    binary_addition.prepare(settings(), tmp_path, None)
    for split in SPLITS:
        written = (tmp_path / f"{split}.txt").read_bytes()
        assert written == (corpus / f"{split}.txt").read_bytes()
    binary_addition.prepare(settings(seed=4), tmp_path, None)
    assert (tmp_path / "train.txt").read_bytes() != (corpus / "train.txt").read_bytes()
