"""In which order tests begin, and which of them one process runs."""

from tests.conftest import ROOT
from tests.order import LONGEST, ordered, part_of


def test_every_file_that_begins_first_exists() -> None:
    assert all((ROOT / "tests" / name).is_file() or (ROOT / "tests/tasks" / name).is_file()
               for name in LONGEST)


def test_a_file_is_one_part_and_of_the_tests_of_systems_each_system_s_is() -> None:
    assert part_of("tests/nn/test_crf.py::test_a") == part_of("tests/nn/test_crf.py::test_b[1]")
    first, again, other, whole, elsewhere = (
        part_of(f"tests/systems/test_{name}") for name in (
            "company.py::test_a[real/an4]", "company.py::test_b[real/an4]",
            "company.py::test_a[asr]", "company.py::test_c", "training.py::test_a[asr]"))
    assert first == again and len({first, other, whole, elsewhere}) == 4


def test_the_longest_begin_then_large_files_and_last_systems_and_each_part_stays_together() -> None:
    given = ["tests/a/test_few.py::test_1", "tests/a/test_many.py::test_1",
             "tests/a/test_many.py::test_2", f"tests/{LONGEST[1]}::test_1",
             "tests/systems/test_x.py::test_1[a]", "tests/systems/test_x.py::test_1[b]",
             "tests/systems/test_x.py::test_2[a]", "tests/systems/test_x.py::test_2[b]",
             f"tests/{LONGEST[0]}::test_1", f"tests/{LONGEST[0]}::test_2"]
    assert ordered(given) == [8, 9, 3, 1, 2, 0, 4, 6, 5, 7]
