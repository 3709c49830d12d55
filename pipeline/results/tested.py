"""Every score that a row ever had on its test set: `tests.json` beside a suite's params.yaml.

Whoever looks at a test score, changes something and looks again has chosen by test data, and a page
that shows the last score alone hides it. So each score is kept with the row's version that had it,
in the order in which they came. A score that the page would show as the same is no further look:
other code or another processor may give it with other last digits.

The file is no output of a stage, because DVC removes outputs before a stage runs; the report adds
to it and takes nothing away.
"""

from collections.abc import Mapping, Sequence

from pipeline.results.boards import Board, KnownScore
from pipeline.storage.files import write_json
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite

# By track and row.
Tests = Mapping[str, Mapping[str, list[KnownScore]]]


def read_tests(suite: Suite) -> Tests:
    """The scores as they were recorded; none before the first report.

    Raises UserError for a damaged file: to begin another one would lose what it held.
    """
    path = suite.places.tests
    remedy = f"take the committed file back (git checkout -- {path})"
    return read_shaped(path, dict[str, dict[str, list[KnownScore]]], remedy) \
        if path.exists() else {}


def record_tests(suite: Suite, boards: Sequence[Board]) -> None:
    """Add the boards' scores to the record, as far as they are new."""
    before = read_tests(suite)
    after = recorded(before, boards)
    if after != before:
        write_json(suite.places.tests, after)


def recorded(tests: Tests, boards: Sequence[Board]) -> Tests:
    """The record with what the rows of these boards, made from it, say of their tests."""
    return {**tests, **{
        board["track"]: {**tests.get(board["track"], {}),
                         **{row["system"]: row["tests"] for row in board["rows"] if row["tests"]}}
        for board in boards if any(row["tests"] for row in board["rows"])}}


def with_score(known: Sequence[KnownScore], now: KnownScore, decimals: int) -> list[KnownScore]:
    """The known scores, and `now` behind them where a page shows it as another than any."""
    return [*known] if any(same(one, now, decimals) for one in known) else [*known, now]


def same(one: KnownScore, other: KnownScore, decimals: int) -> bool:
    """Whether two scores are one on a page."""
    return (one["metric"] == other["metric"]
            and round(one["value"], decimals) == round(other["value"], decimals))
