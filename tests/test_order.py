"""In which order tests begin, and which of them one process runs."""

from types import SimpleNamespace

import pytest

from tests.conftest import ROOT, pytest_xdist_make_scheduler
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


class Process:
    """What the scheduler of pytest-xdist knows of a process, which notes what it is to run."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.given: list[int] = []
        self.shutting_down = False

    def send_runtest_some(self, places: list[int]) -> None:
        self.given += places

    def shutdown(self) -> None:
        self.shutting_down = True


def test_processes_are_given_whole_parts_in_this_order_as_they_become_free() -> None:
    pytest.importorskip("xdist")
    tests = [f"tests/{file}::test_{number}{end}" for number in range(4) for file, end in (
        ("nn/test_b.py", ""), ("nn/test_a.py", ""), ("systems/test_x.py", "[a]"),
        ("systems/test_x.py", "[b]"))] + [f"tests/{LONGEST[0]}::test_{number}" for number in (1, 2)]
    tests = [tests[place] for place in ordered(tests)]
    options = {"dist": "loadfile", "tx": ["2*popen"]}
    config = SimpleNamespace(getvalue=options.get, option=SimpleNamespace(loadscopereorder=True))
    schedule = pytest_xdist_make_scheduler(config, None)  # type: ignore[arg-type]
    processes = [Process("one"), Process("other")]
    for process in processes:
        schedule.add_node(process)
    for process in processes:
        schedule.add_node_collection(process, tests)
    schedule.schedule()
    one, other = processes
    assert [tests[place] for place in one.given[:2]] == [
        f"tests/{LONGEST[0]}::test_1", f"tests/{LONGEST[0]}::test_2"]
    assert {part_of(tests[place]) for place in other.given[:4]} == {"tests/nn/test_b.py"}
    done = [0, 0]
    while schedule.has_pending:
        for number, process in enumerate(processes):
            if done[number] < len(process.given):
                schedule.mark_test_complete(process, process.given[done[number]])
                done[number] += 1
    assert sorted(one.given + other.given) == list(range(len(tests)))
    assert not {part_of(tests[place]) for place in one.given} & {
        part_of(tests[place]) for place in other.given}
    assert part_of(tests[max(one.given)]) != part_of(tests[max(other.given)])


def test_another_way_of_sharing_tests_out_is_pytest_xdists_own() -> None:
    config = SimpleNamespace(getvalue={"dist": "load"}.get)
    assert pytest_xdist_make_scheduler(config, None) is None  # type: ignore[arg-type]
