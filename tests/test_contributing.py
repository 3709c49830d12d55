"""CONTRIBUTING.md says of every task what it reads of a corpus, as the tasks themselves do."""

import re
from pathlib import Path

from pipeline import modules


def test_the_table_names_every_task_and_all_that_it_reads(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text("utf-8")
    table = dict(re.findall(r"^\| (\w+) \| (`.+) \|$", text, flags=re.M))
    assert sorted(table) == modules.tasks()
    for task, cell in table.items():
        settings = modules.task_module(task, "features").Settings
        named = set(re.findall(r"`(\w+)`", cell))
        assert named >= set(settings.READS), task
        # What depends on a track's settings stands in the table too, and nothing else does.
        source = (root / "pipeline" / "tasks" / task / "features.py").read_text("utf-8")
        assert all(re.search(rf'"{name}"|reader\.{name}\b', source) for name in named), task
