"""Nothing committed can be altered unseen: each value, line and file of small suites is tried.

A verification must name the altered file. What is tried is found by walking the files, and so is
every further field or file that a suite may come to have.
"""

import itertools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.provenance.inputs import write_inputs
from pipeline.storage.parquet import read_table, write_table
from pipeline.suite.schema import Suite, load
from pipeline.verification.committed import check_committed
from pipeline.verification.comparison import Findings
from pipeline.verification.reproduction import check_embedded
from pipeline.verification.rescore import item_scores
from tests.trials import trials

# The name of what is altered, and the file's content afterwards.
Alteration = tuple[str, bytes]


def altered(value: Any) -> Iterator[Any]:
    """Other values of a kind: what a slip or a forger would write."""
    if isinstance(value, bool) or value is None:
        yield not value
    elif isinstance(value, int):
        yield value + 1
        yield float(value)
    elif isinstance(value, float):
        yield value * (1 + 1e-6) + 1e-9
    elif isinstance(value, str):
        yield f"{value}x"


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each place of a document and what may be put there; containers lose or gain an entry."""
    if isinstance(value, dict):
        yield path, {**value, "ghost": 1}
        for key, inner in value.items():
            yield path, {name: one for name, one in value.items() if name != key}
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        if value:
            yield path, value[:-1]
            yield path, [*value, value[-1]]
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield from ((path, new) for new in altered(value))


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at a place."""
    if not path:
        return value
    first, *rest = path
    if isinstance(document, dict):
        return {**document, first: put(document[first], tuple(rest), value)}
    return [put(one, tuple(rest), value) if number == first else one
            for number, one in enumerate(document)]


def in_json(path: Path) -> Iterator[Alteration]:
    document = json.loads(path.read_text())
    for place, value in leaves(document):
        text = json.dumps(put(document, place, value), indent=2, sort_keys=True,
                          ensure_ascii=False)
        yield f"{place} = {value!r}"[:200], f"{text}\n".encode()


def in_yaml(path: Path) -> Iterator[Alteration]:
    document = YAML(typ="safe").load(path)
    for place, value in leaves(document):
        yield f"{place} = {value!r}"[:200], json.dumps(put(document, place, value)).encode()


def in_lines(path: Path) -> Iterator[Alteration]:
    lines = path.read_text().splitlines(keepends=True)
    for number, line in enumerate(lines):
        for text in ("", line * 2, line.replace("\n", " \n"), line[1:]):
            if text != line:
                changed = [*lines[:number], text, *lines[number + 1:]]
                yield f"line {number + 1} = {text!r}", "".join(changed).encode()


def in_table(path: Path) -> Iterator[Alteration]:
    """Rows that lack, stand twice or end in another value, in a file that is sound as such."""
    table = read_table(path)
    rows = table.to_pylist()
    for number, row in enumerate(rows):
        (*_, last) = row
        nudged = {**row, last: other_value(row[last])}
        for instead in ([], [row, row], [nudged]):
            changed = [*rows[:number], *instead, *rows[number + 1:]]
            with tempfile.TemporaryDirectory() as folder:
                write_table(Path(folder, "table"), pa.Table.from_pylist(changed, table.schema))
                yield f"row {number} = {instead}"[:200], Path(folder, "table").read_bytes()


def other_value(value: Any) -> Any:
    """A value or a list's last one altered, of the same kind."""
    return [*value[:-1], other_value(value[-1])] if isinstance(value, list) else \
        next(altered(value))


def in_picture(path: Path) -> Iterator[Alteration]:
    text = path.read_text()
    for old, new in (("stroke", "strike"), ("fill", "full"), ("</svg>", "<g/></svg>")):
        yield f"{old} = {new!r}", text.replace(old, new, 1).encode()


KINDS: dict[str, Callable[[Path], Iterator[Alteration]]] = {
    ".json": in_json, ".lock": in_yaml, ".md": in_lines, ".parquet": in_table, ".svg": in_picture}


def committed(suite: Suite) -> list[Path]:
    places = suite.places
    folders = [places.all_metrics, places.all_curves, places.leaderboards, places.all_costs,
               places.all_predictions, places.all_seeds]
    return [places.lock, places.tests, *(path for folder in folders
                                         for path in sorted(folder.rglob("*")) if path.is_file())]


def noticed(check: Callable[[Findings], None], path: Path, quiet: Findings) -> bool:
    """Whether a verification names the file among what differs or what was not checked."""
    findings = Findings()
    try:
        check(findings)
    except UserError as error:
        findings.differences.append(str(error))
    named = [*findings.differences,
             *(text for text in findings.unchecked if text not in quiet.unchecked)]
    return any(path.name in text or path.parent.name in text or path.stem in text
               for text in named)


def unseen(suite: Suite, check: Callable[[Findings], None], step: int,
           told: Callable[[Path, str], bool] = lambda path, name: False) -> tuple[list[str], int]:
    """The alterations of every `step`-th place that nobody notices, and how many were tried.

    Those are left out of which a verification always says that it cannot check them: `told`.
    """
    quiet = Findings()
    check(quiet)
    assert quiet.differences == []
    found, tried = [], 0
    for path in committed(suite):
        good = path.read_bytes()
        whole = [("emptied", b""), ("cut", good[:-2])]
        changes = [*whole, *KINDS[path.suffix](path)]
        for name, content in itertools.islice(changes, 0, None, step):
            if told(path, name):
                continue
            path.write_bytes(content)
            tried += 1
            if content != good and not noticed(check, path, quiet):
                found.append(f"{path.relative_to(suite.places.root)}: {name}")
        path.write_bytes(good)
    return found, tried


def verifying(suite: Suite, backup: Path) -> Callable[[Findings], None]:
    """The whole verification of an embedded suite, which leaves the suite as it was.

    What the files alone tell is asked first, since training takes longer.
    """
    def check(findings: Findings) -> None:
        alone = Findings()
        check_committed(suite, alone)
        if alone.differences:
            findings.differences += alone.differences
            return
        for folder in ("metrics", "leaderboards", "curves", "dvc.lock"):
            source = suite.places.root / folder
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            copy(source, backup / folder)
        try:
            check_embedded(suite, 3, findings)
        finally:
            for folder in ("metrics", "leaderboards", "curves", "costs", "predictions"):
                shutil.rmtree(suite.places.root / folder, ignore_errors=True)
            for folder in backup.iterdir():
                folder.rename(suite.places.root / folder.name)

    return check


@pytest.mark.fuzz
def test_no_alteration_of_an_embedded_suite_is_unseen(embedded: Suite, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    backup.mkdir()
    found, tried = unseen(embedded, verifying(embedded, backup), trials(11, 1), frame)
    assert found == [], "\n".join(found)
    assert tried > 50


def frame(path: Path, name: str) -> bool:
    """What stands in dvc.lock around its stages; DVC itself refuses another.

    And what a training with a seed says of itself that nothing else tells.
    """
    if "seeds" in path.parts:
        return name.startswith(tuple(f"('{said}'" for said in (
            "processor", "precision", "torch", "converged", "answers", "weights"))) \
            or "'ghost'" in name
    return path.suffix == ".lock" and name.startswith(("() =", "('schema',)"))


def unheld(suite: Suite) -> Callable[[Path, str], bool]:
    """What nothing committed tells of: other stages' entries of dvc.lock, costs on no page."""
    outs = YAML(typ="safe").load(suite.places.lock)["stages"]["evaluate@simple"]["outs"]
    held = {f"('stages', 'evaluate@simple', 'outs', {number}, '" for number, entry in
            enumerate(outs) if "figures" not in entry["path"]}

    def told(path: Path, name: str) -> bool:
        if path == suite.places.lock:
            return name != "emptied" and not any(map(name.startswith, held))
        return path.parent.parent == suite.places.all_costs and (
            name.startswith(("()", "('threads'", "('peak_memory_bytes'"))
            or ".evaluate" in path.name and name.startswith("('processor'"))

    return told


@pytest.mark.fuzz
def test_no_alteration_of_a_real_suite_is_unseen(project: Path) -> None:
    suite = load(project / "real" / "params.yaml")
    write_inputs(suite)

    def check(findings: Findings) -> None:
        check_committed(suite, findings)
        if not findings.differences:
            findings.note("item statistics scored again", item_scores(suite, "simple"))

    found, tried = unseen(suite, check, trials(19, 1), unheld(suite))
    assert found == [], "\n".join(found)
    assert tried > 50


@pytest.mark.parametrize("name", [
    "metrics/yearly/ghost.json", "metrics/other/network.json", "metrics/ghost.txt",
    "curves/yearly/ghost.json", "leaderboards/ghost.md", "leaderboards/yearly/ghost.json",
    "predictions/yearly/network/plain.parquet", "costs/yearly/network.train.json",
    "seeds/yearly/network/plain/fedcba9876543210/2.json", "seeds/yearly/ghost/plain/2.json"])
def test_a_file_that_belongs_to_nothing_is_found(embedded: Suite, name: str) -> None:
    path = embedded.places.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n")
    findings = Findings()
    check_committed(embedded, findings)
    assert any(text.startswith(f"{name} belongs to nothing in params.yaml")
               for text in findings.differences)


def test_each_file_that_lacks_is_found(project: Path, embedded: Suite) -> None:
    real = load(project / "real" / "params.yaml")
    write_inputs(real)
    for suite in (embedded, real):
        for path in committed(suite):
            if path.relative_to(suite.places.all_curves.parent).parts[0] == "curves":
                continue  # compared with those of the reproduction
            content = path.read_bytes()
            path.unlink()
            findings = Findings()
            try:
                check_committed(suite, findings)
            except UserError as error:
                findings.differences.append(str(error))
            assert any(path.name in text for text in findings.differences), path
            path.write_bytes(content)
