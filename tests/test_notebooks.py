"""The course's notebooks: each runs as a reader runs it, and each of its checks can fail.

A notebook is executed once, in a kernel of its own. After its last cell the same kernel gets each
exercise's solution with the check behind it, and for every check something wrong, which the check
has to find.
"""

import ast
import functools
import importlib
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tests.conftest import ROOT
from tests.test_course import LINK, PAGES, QUOTED, slug

FOLDER = ROOT / "docs/notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))
UNANSWERED = "Not answered yet"
SECONDS = 600  # for a cell, in case it hangs; a whole notebook takes 10 to 20

# What makes a check fail: statements that spoil a result, or (cell, what, by what else) for a
# mistake in a cell; of an exercise, a mistake in its solution.
Break = str | tuple[str, str, str]
BREAKS: dict[str, dict[str, Break]] = {
    "1-recurrent-networks": {
        "check-backward": ("backward", "1 - states[t] ** 2", "1 - states[t]"),
        "check-sigmoids": ("sigmoids", 'unit(1.0, -0.5, "sigmoid")', 'unit(1.0, 0.0, "sigmoid")'),
        "check-clipping": ("clipping", "max(1.0, ", "(1.0 * "),
        "check-lstm": ("lstm-by-hand", "sigmoid(f) * memory", "sigmoid(o) * memory"),
        "check-cells-over-lag": "over_lag['Elman'], over_lag['LSTM, bias 5'] = "
                                "over_lag['LSTM, bias 5'], over_lag['Elman']",
        "check-gru": ("gru", "z * h + (1 - z) * n", "(1 - z) * h + z * n"),
        "check-remember": ("remember", "updates=150", "updates=2")},
    "2-language-models": {
        "check-counting": ("counting", "/ before[pair[0]]", "/ len(read)"),
        "check-ngrams": "scores = {**scores, '4-gram': 0 * scores['4-gram']}",
        "check-at-the-verb": "far = {**far, 'LSTM': far['4-gram']}",
        "check-uniform": ("uniform", "np.log2", "np.log"),
        "check-corners": "apart = apart**2",
        "check-neighbours": "space.points[:] = space.points[0]",
        "check-temperature": ("temperature", "/ temperature", "* temperature")},
    "3-order-and-ctc": {
        "check-expansion": ("expansion", "[2, 4, 3, 3]", "[2, 4, 4, 2]"),
        "check-viterbi": ("viterbi", "np.maximum(best", "np.minimum(best"),
        "check-paths": ("paths", "length - 1", "length"),
        "check-hello": "def string_of(path): return ''.join(dict.fromkeys(path))",
        "check-forward": ("forward", "(0, padded[place - 2])", "(0,)"),
        "check-fewest": ("fewest", "a == b", "a != b"),
        "check-best-string": "by_string = by_path",
        "check-listening": "right = 0.3"},
    "4-attention": {
        "check-attention": ("attention", "h[:4] @ W.T @ s", "h[:4, :3] @ s"),
        "check-lengths": "right = {**right, 'attention': right['fixed vector']}",
        "check-map": "looked = looked[:, ::-1]",
        "check-search": ("search", "0.5 * 0.4", "0.5"),
        "check-beam-of-network": "by_width[8] = by_width[1] - 1",
        "check-bleu": ("bleu", "min(0.0, 1 - wanted / length)", "min(0.0, 1 - length / wanted)"),
        "check-brevity": ("brevity", "min(0.0, ", "(0.0 + ")},
    "5-hidden-markov-models-and-speech": {
        "check-viterbi": ("viterbi", "best[:, None] * after", "best[:, None] * after.T"),
        "check-coins": "summed *= 1 + 1e-8",
        "check-baum-welch": "likelihoods[5] -= 100",
        "check-sound": "heard = heard + 0.1 * (heard > heard.mean())",
        "check-edits": ("edits", "row[-1] + 1", "row[-1]"),
        "check-effect": "error = error / 1.2",
        "check-verdict": "p_adjusted = tested.p",
        "check-seeds": ("seeds", "/ len(theirs)", "/ 1")}}

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@functools.cache
def read(path: Path) -> NotebookNode:
    return jupytext.read(path)


def named(path: Path, tag: str = "") -> dict[str, str]:
    """The sources of the cells that have a name, in order; those with a tag alone."""
    return {cell.metadata["name"]: cell.source for cell in read(path).cells
            if "name" in cell.metadata and (not tag or tag in cell.metadata.get("tags", []))}


def solution(path: Path, exercise: str) -> str:
    (code,) = re.findall(r"```python\n(.+?)```", named(path)[f"solution-{exercise}"], re.DOTALL)
    return str(code)


def replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, f"{old!r} is not there to be broken"
    return text.replace(old, new)


@dataclass(frozen=True)
class Run:
    """An executed notebook: its own cells, each check after its solution, each after its break."""

    cells: list[NotebookNode]
    solved: dict[str, NotebookNode]
    broken: dict[str, NotebookNode]


@functools.cache
def run(path: Path) -> Run:
    """Raises nbclient's CellExecutionError where a cell of the notebook, or a solution, does."""
    notebook = jupytext.read(path)
    own = len(notebook.cells)
    checks = named(path, "check")
    places: dict[tuple[str, str], int] = {}

    def add(kind: str, check: str, *before: str) -> None:
        notebook.cells += [new_code_cell(source) for source in before]
        places[kind, check] = len(notebook.cells)
        tags = ["raises-exception"] if kind == "broken" else []
        notebook.cells.append(new_code_cell(checks[check], metadata={"tags": tags}))

    for exercise in named(path, "exercise"):
        add("solved", f"check-{exercise}", solution(path, exercise))
    # The last first: what is broken early must not spoil what later checks need.
    for check, wrong in reversed(list(BREAKS[path.stem].items())):
        if isinstance(wrong, tuple):
            cell, old, new = wrong
            source = solution(path, cell) if cell in named(path, "exercise") else named(path)[cell]
            wrong = replaced(source, old, new)
        add("broken", check, wrong)
    _execute(notebook, FOLDER)
    return Run(notebook.cells[:own], *({check: notebook.cells[place] for (kind, check), place
                                        in places.items() if kind == wanted}
                                       for wanted in ("solved", "broken")))


def _execute(notebook: NotebookNode, folder: Path) -> None:
    client = NotebookClient(notebook, timeout=SECONDS, startup_timeout=SECONDS,
                            kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    # In the main thread nbclient would take over the signals, and keep them where a kernel fails.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(client.execute, env=os.environ | {
            "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}).result()


def printed(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def pictures(cell: NotebookNode) -> int:
    return sum("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


# What is executed.

@each
def test_a_notebook_runs_as_it_is_given_and_draws(path: Path) -> None:
    cells = run(path).cells
    assert sum(map(pictures, cells)) >= 2
    said = {cell.metadata["name"]: printed(cell) for cell in cells
            if cell.cell_type == "code" and "name" in cell.metadata}
    for exercise in named(path, "exercise"):
        assert said[f"check-{exercise}"].startswith(UNANSWERED)


@each
def test_solutions_are_right(path: Path) -> None:
    solved = run(path).solved
    assert len(solved) >= 1
    for check, cell in solved.items():
        assert printed(cell).startswith("Right."), check


@each
def test_every_check_finds_a_mistake(path: Path) -> None:
    assert BREAKS[path.stem].keys() == named(path, "check").keys()
    for check, cell in run(path).broken.items():
        raised = [output.ename for output in cell.outputs if output.output_type == "error"]
        assert raised == ["AssertionError"], f"{check}: {raised}"


# What is written.

def test_there_is_one_for_each_deck() -> None:
    assert [path.stem[0] for path in NOTEBOOKS] == sorted({page.stem[0] for page in PAGES})
    assert {path.stem for path in NOTEBOOKS} == BREAKS.keys()


@each
def test_each_deck_leads_to_its_notebook(path: Path) -> None:
    index = (ROOT / "docs/COURSE.md").read_text("utf-8")
    assert f"](notebooks/{path.name})" in index
    for page in PAGES:
        leads = f"](../notebooks/{path.name})" in page.read_text("utf-8")
        assert leads == (page.stem[0] == path.stem[0]), page.name


@each
def test_a_notebook_is_what_jupytext_would_write(path: Path) -> None:
    """So an edit in Jupyter, saved back as a script, changes nothing but that edit."""
    cells = read(path).cells
    names = [cell.metadata["name"] for cell in cells if "name" in cell.metadata]
    assert len(names) == len(set(names))
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith(f"# {path.stem[0]}. ")
    # Its header would name jupytext's version too.
    written = jupytext.writes(read(path), fmt="py:percent")
    assert written.split("# ---\n")[2] == path.read_text("utf-8").split("# ---\n")[2]


@each
def test_exercises_have_a_check_and_a_solution(path: Path) -> None:
    exercises = list(named(path, "exercise"))
    assert exercises
    assert [f"solution-{name}" for name in exercises] == list(named(path, "solution"))
    assert {f"check-{name}" for name in exercises} <= named(path, "check").keys()
    for cell in read(path).cells:
        if cell.cell_type == "code":
            asserts = any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(cell.source)))
            assert asserts == ("check" in cell.metadata.get("tags", [])), cell.source


@each
def test_links_and_names_lead_somewhere(path: Path) -> None:
    prose = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    prose = re.sub(r"```.*?```", "", prose, flags=re.DOTALL)
    code = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "code")
    targets = [match["target"] for match in LINK.finditer(prose)]
    assert targets
    for target in targets:
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve()
        assert file.is_file(), target
        headings = {slug(line.lstrip("# ")) for line in file.read_text("utf-8").splitlines()
                    if line.startswith("#")}
        assert not anchor or anchor in headings, target
    for name in QUOTED.findall(prose):
        if re.fullmatch(r"\w+(\.\w+)+", name):
            assert _exists(name), name
        else:
            words = re.findall(r"\w+", name)
            known = re.findall(r"\w+", code) + _vocabulary()
            assert words and set(words) <= set(known), name


def _exists(name: str) -> bool:
    """Whether a dotted name is a module, or is defined in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found is not None
    return False


@functools.cache
def _vocabulary() -> list[str]:
    """Commands, and the metrics that boards have."""
    boards = "".join(board.read_text("utf-8") for board in (ROOT / "leaderboards").glob("*.json"))
    return ["s", "unrolled", "create", *re.findall(r'"(\w+)"', boards)]


# How a reader gets them.

@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone that is installed, with the first two notebooks."""
    needed = ["Makefile", "pyproject.toml", "requirements.lock",
              *(f"pipeline/installation/{name}.py" for name in
                ("check_python", "install", "fit_torchaudio")),
              *(str(path.relative_to(ROOT)) for path in NOTEBOOKS[:2])]
    for name in needed:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python(tmp_path, f'exec "{sys.executable}" "$@"')
    (tmp_path / ".venv/installed").touch()
    return tmp_path


def python(clone: Path, script: str) -> None:
    """What the clone's Python does, as a shell script."""
    path = clone / ".venv/bin/python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def make_notebooks(clone: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items()
            if name not in ("PYTHON", "MAKEFLAGS", "MAKELEVEL", "PATH_OUTSIDE")}
    return subprocess.run(["make", "notebooks"], cwd=clone, capture_output=True, text=True,
                          env=kept)


def test_make_writes_them_and_leaves_what_is_there(clone: Path) -> None:
    first, second = (path.with_suffix(".ipynb").name for path in NOTEBOOKS[:2])
    answered = clone / "docs/notebooks" / first
    answered.write_text("{}")
    done = make_notebooks(clone)
    assert done.returncode == 0, done.stderr
    assert answered.read_text() == "{}" and f"{first} stays" in done.stdout
    written = jupytext.read(answered.with_name(second))
    assert [cell.source for cell in written.cells] == [
        cell.source for cell in read(NOTEBOOKS[1]).cells]
    assert written.metadata["kernelspec"]["name"] == "python3"


def test_half_a_notebook_does_not_stay(clone: Path) -> None:
    """Whether jupytext writes by itself or to its output, it is stopped in the middle."""
    python(clone, f"""case "$*" in
*"--output -"*) echo '{{"cells": ['; exit 1;;
*jupytext*) for script; do :; done; echo '{{"cells": [' > "${{script%.py}}.ipynb"; exit 1;;
esac
exec "{sys.executable}" "$@\"""")
    done = make_notebooks(clone)
    assert done.returncode != 0
    assert {path.suffix for path in (clone / "docs/notebooks").iterdir()} == {".py"}


def test_what_is_made_of_them_is_not_committed() -> None:
    done = subprocess.run(["git", "check-ignore", "docs/notebooks/1.ipynb"], cwd=ROOT)
    assert done.returncode == 0
