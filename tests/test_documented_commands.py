"""Every command that the documents show exists as shown; those that only look are run."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.main import app
from pipeline.commands.project import suite_file
from pipeline.running.trained import key_of
from pipeline.suite.schema import load
from tests.conftest import ROOT

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", "benchmarks/README.md",
             "real/leaderboards/README.md", "docs/COURSE.md",
             *sorted(f"docs/course/{page.name}" for page in (ROOT / "docs/course").glob("*.md"))]
FENCED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:unrolled|make) [^`]+)`")
# Words of a sentence about commands, not of a command.
PLACEHOLDERS = {"VERB", "FOLDER", "FILE", "ROW", "..."}
RUN = {"unrolled ls", "unrolled ls --track lm-word --costs", "make help"}


def documented() -> Iterator[tuple[str, str]]:
    """Document and command: every line of a fenced shell block, and what stands in backquotes."""
    for name in DOCUMENTS:
        text = (ROOT / name).read_text("utf-8")
        lines = [line.partition(" #")[0].strip() for block in FENCED.findall(text)
                 for line in block.splitlines()]
        prose = [" ".join(found.split()) for found in INLINE.findall(FENCED.sub("", text))]
        for command in dict.fromkeys([*lines, *prose]):
            if command:
                yield name, command


COMMANDS = list(documented())
OF_UNROLLED = [pair for pair in COMMANDS if pair[1].startswith("unrolled ")]
OF_MAKE = [pair for pair in COMMANDS if pair[1].startswith("make ")]


def test_commands_were_found() -> None:
    shown = {command for _, command in COMMANDS}
    assert len(OF_UNROLLED) > 10 and len(OF_MAKE) > 6
    assert shown >= RUN - {"make help"}
    assert any(command == "make help" for _, command in OF_MAKE)


@pytest.mark.parametrize("document, command", OF_UNROLLED)
def test_each_verb_option_row_and_track_exists(document: str, command: str) -> None:
    words = shlex.split(command.partition(" < ")[0])[1:]
    if len(words) == 1 or PLACEHOLDERS & set(words):
        words = [word for word in words if word not in PLACEHOLDERS]
        assert all(word in app or word == "--help" for word in words[:1])
        return
    verb, bound, _ = app.parse_args(words, print_error=False, exit_on_error=False)
    if "suite" in bound.signature.parameters:
        _names_exist(bound.arguments)


def _names_exist(given: dict[str, Any]) -> None:
    suite = load(suite_file(given.get("suite"), ROOT))
    if row := given.get("row"):
        key_of(suite, row)
    for system in given.get("systems", ()):
        key_of(suite, system)
    assert given.get("track") is None or given["track"] in suite.tracks


@pytest.mark.parametrize("document, command", OF_MAKE)
def test_each_target_and_variable_exists(document: str, command: str) -> None:
    _, *words = shlex.split(command)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for word in words:
        name, separator, value = word.partition("=")
        if separator:
            assert f"$({name})" in makefile
            if name == "SUITE":
                assert suite_file(value, ROOT).is_file()
        else:
            assert re.search(rf"^{name}:", makefile, re.MULTILINE), f"no target {name}"


def test_every_other_command_belongs_to_a_tool_of_the_project() -> None:
    tools = {"unrolled", "make", "dvc", "git", "export", "source", "python3", "python", "pip",
             ".venv/bin/pip", "OMP_NUM_THREADS=1",
             "mlflow", "curl"}  # of these two, tests/tracking/test_champions.py runs what is shown
    assert {command.split()[0] for _, command in COMMANDS} <= tools
    modules = [words[words.index("-m") + 1] for _, command in COMMANDS
               if "-m" in (words := command.split()) and "pip" not in words and "venv" not in words]
    for module in modules:
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file() or (
            ROOT / module / "__main__.py").is_file(), module


@pytest.mark.parametrize("command", sorted(RUN))
def test_commands_that_only_look_are_run(command: str) -> None:
    tool, *words = shlex.split(command)
    called = ["make", *words] if tool == "make" else [sys.executable, "-m", "pipeline", *words]
    done = subprocess.run(called, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 5


def test_completion_is_installed_for_the_users_shell(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "pipeline", "--install-completion"], cwd=ROOT,
                          capture_output=True, text=True,
                          env=os.environ | {"HOME": str(tmp_path), "SHELL": "/bin/bash"})
    assert done.returncode == 0, done.stderr
    assert any("unrolled" in path.read_text("utf-8") for path in tmp_path.rglob("*")
               if path.is_file())
