"""Divisions: help of another kind pushes no row down, and pages say who competes with whom."""

from itertools import chain
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.errors import UserError
from pipeline.modules import model_module, models, tasks
from pipeline.results.boards import Board
from pipeline.results.divisions import WITHOUT, divisions_of, setting_of
from pipeline.results.leaderboard import build, render, restated, write_leaderboard
from pipeline.results.ranks import ranks
from pipeline.results.report import summary, write_report
from pipeline.scoring.effects import Effect, Resampled
from pipeline.storage.files import json_text, read_json
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite, load
from pipeline.tasks.asr import scoring as asr
from pipeline.tasks.forecast import scoring
from pipeline.workflow.progress import winner
from tests import toy_suite as toy
from tests.results.test_ranks import METRIC, row

# On each of twelve series every row is worse than the one above it, by an amount that varies.
ERRORS = {name: ([base + 0.1 * (series % 3) for series in range(12)], [base / 10] * 12)
          for name, base in (("network", 5.0), ("smooth:ses", 7.0), ("smooth:holt", 9.0))}


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Variants with a setting of their own and without; `network` has it on the system."""
    monkeypatch.setattr(scoring, "DIVISION", "language_model", raising=False)
    monkeypatch.setattr(toy, "ERRORS", ERRORS)
    systems = dict(toy.toy_suite().systems)
    systems["network"] = systems["network"] | {"language_model": "bigram"}
    systems["smooth"] = systems["smooth"] | {"variants": {
        "ses": {"method": "ses", "language_model": "uniform"},
        "holt": {"method": "holt", "language_model": "uniform"}}}
    found = toy.toy_suite(tmp_path, systems=systems)
    toy.write_results(found)
    return found


def edited(suite: Suite, key: str, **changes: Any) -> Suite:
    return suite.model_copy(update={"systems": suite.systems | {
        key: suite.systems[key] | changes}}).placed(suite.places.root)


def test_a_better_row_of_another_division_pushes_no_rank_down() -> None:
    rows = [row("a", 1.0), row("b", 2.0), row("c", 3.0), row("d", 4.0)]
    apart = {"a": "x", "b": "y", "c": "x", "d": "y"}
    assert ranks(rows, METRIC, 200, 1, apart).by_row == {"a": 1, "b": 1, "c": 2, "d": 2}
    assert ranks(rows, METRIC, 200, 1).by_row == {"a": 1, "b": 2, "c": 3, "d": 4}
    alone = dict(zip("abcd", "wxyz", strict=True))
    assert set(ranks(rows, METRIC, 200, 1, alone).by_row.values()) == {1}


def test_holms_family_are_the_compared_pairs_of_all_divisions() -> None:
    """A pair with a p between 1/40 and 1/20 is told apart if it is the only one of its track."""
    one, other = row("a", 1.0, same=True, seeds=1), row("b", 1.0, same=True, seeds=1)

    def found() -> Effect:
        return Resampled.of({"a": one, "b": other}, METRIC, 200, 1).effect({"a": 1.0, "b": -1.0})

    # Two errors and a bit above a.
    other.statistics[0].columns["errors"] += 2.1 * found().error - found().value
    assert 0.025 < found().p < 0.05
    equal = [row(name, 5.0, same=True, seeds=1) for name in ("c", "d")]
    for each in equal:
        each.statistics[0].columns["errors"] = equal[0].statistics[0].columns["errors"]
    apart = {"a": "x", "b": "x", "c": "y", "d": "z"}
    assert ranks([one, other], METRIC, 200, 1).by_row == {"a": 1, "b": 2}
    # Pairs of two divisions are not tested, so they cost nothing.
    assert ranks([one, other, *equal], METRIC, 200, 1, apart).by_row["b"] == 2
    assert ranks([one, other, *equal], METRIC, 200, 1, apart | {"d": "y"}).by_row["b"] == 1


def test_a_division_is_said_by_the_variant_or_else_by_the_system(suite: Suite) -> None:
    assert divisions_of(suite, "network") == {"network": "bigram"}
    assert divisions_of(suite, "smooth") == {"smooth:ses": "uniform", "smooth:holt": "uniform"}
    mixed = edited(suite, "smooth", language_model="unigram", variants={
        "ses": {"method": "ses"}, "holt": {"method": "holt", "language_model": "none"}})
    assert divisions_of(mixed, "smooth") == {"smooth:ses": "unigram", "smooth:holt": "none"}
    silent = edited(suite, "smooth", variants={"ses": {}, "holt": {"language_model": None}})
    assert set(divisions_of(silent, "smooth").values()) == {WITHOUT}


@pytest.mark.parametrize("value", [3, True, ["bigram"], {"order": 2}, " "])
def test_what_is_no_word_is_an_error_at_its_place(suite: Suite, value: object) -> None:
    with pytest.raises(UserError, match=r"systems\.network\.language_model: .* for example 'none'"):
        build(edited(suite, "network", language_model=value), "yearly")
    variants = {"ses": {"language_model": value}, "holt": {}}
    with pytest.raises(UserError, match=r"systems\.smooth\.variants\.ses\.language_model: "):
        build(edited(suite, "smooth", variants=variants), "yearly")


def test_json_and_page_have_the_division_and_ranks_within_it(suite: Suite) -> None:
    write_leaderboard(suite, "yearly")
    board = read_json(suite.places.board("yearly"))
    # The better network, of another division, would make these 2 and 3.
    assert {one["system"]: (one["division"], one["rank"]) for one in board["rows"]} == {
        "network": ("bigram", 1), "smooth:ses": ("uniform", 1), "smooth:holt": ("uniform", 2),
        "Oracle|X": (None, None)}
    text = suite.places.page("yearly").read_text()
    cells = [[cell.strip() for cell in line.split(" | ")][:3]
             for line in text.splitlines() if line.startswith("| ")]
    assert [line for line in cells if len(line) == 3][:6] == [
        ["| rank", "system", "language model"], ["| ---:", "-----------------------",
                                                 "--------------"],
        ["|    –", "*ceiling of the corpus*", "–"], ["|    1", "network", "bigram"],
        ["|    –", "Oracle\\|X", "–"], ["|    1", "smooth:ses", "uniform"]]
    for sentence in ("number of rows with the same language model that are significantly better "
                     "(two-sided, Holm's correction over all such pairs",
                     "Rows that differ in their language model had different help and share no "
                     "rank: each language model is a division, whose ranks begin at 1.",
                     "Alone in a division, so first there without a comparison: `network`.",
                     "Where rows with the same language model overlap"):
        assert sentence in text
    assert "Trained once" not in text  # the network was compared with nothing


def test_first_rows_are_told_of_each_division(suite: Suite) -> None:
    write_leaderboard(suite, "yearly")
    write_report(suite)
    lines = [[cell.strip() for cell in line.strip("|").split("|")]
             for line in suite.places.overview.read_text().splitlines()
             if line.startswith("| [yearly]")]
    assert [(line[0], line[2], line[5]) for line in lines] == [
        ("[yearly](yearly.md), language model bigram", "`network`", "–"),
        ("[yearly](yearly.md), language model uniform", "`smooth:ses`", "`smooth:holt`")]
    assert ("each language model has a line of its own; a published figure stands in all lines"
            in suite.places.overview.read_text())
    assert summary(suite).count("yearly   ") == 2
    assert "smooth:ses  owa 0.705, language model uniform" in summary(suite)
    assert winner(suite, "yearly") == (
        "yearly: best owa by network 0.505, language model bigram; smooth:ses 0.705 "
        "(next: smooth:holt 0.905), language model uniform")


def test_a_board_of_before_its_task_had_divisions_is_read(suite: Suite) -> None:
    write_leaderboard(suite, "yearly")
    board = read_json(suite.places.board("yearly"))
    for one in board["rows"]:
        del one["division"]
    suite.places.board("yearly").write_text(json_text(board))
    again = restated(build(suite, "yearly"), read_shaped(suite.places.board("yearly"), Board))
    assert [one["division"] for one in again["rows"]] == ["bigram", None, "uniform", "uniform"]
    assert winner(suite, "yearly").startswith("yearly: best owa by network 0.505 (next: smooth:")


@pytest.mark.parametrize("track", ["addition", "tagging"])
def test_a_committed_board_without_divisions_comes_out_in_the_same_bytes(
        root: Path, track: str) -> None:
    suite = load(root / "params.yaml")
    committed = read_shaped(suite.places.board(track), Board)
    again = restated(build(suite, track), committed)
    assert json_text(again) == suite.places.board(track).read_text("utf-8")
    assert render(suite, again) == suite.places.page(track).read_text("utf-8")
    assert "division" not in json_text(again)


def variant_classes(settings: type[BaseModel]) -> list[type[BaseModel]]:
    """The classes of a system's variants."""
    def held(annotation: Any) -> list[type[BaseModel]]:
        if isinstance(annotation, type) and issubclass(annotation, VariantSettings):
            return [annotation]
        return list(chain.from_iterable(held(inner) for inner in get_args(annotation)))

    return held(settings.model_fields["variants"].annotation)


def says(settings: type[BaseModel], name: str) -> bool:
    """Whether every row of such settings has that setting in params.yaml: no default fills it in.
    """
    def required(one: type[BaseModel]) -> bool:
        return name in one.model_fields and one.model_fields[name].is_required()

    variants = variant_classes(settings)
    return required(settings) or bool(variants) and all(required(one) for one in variants)


class Silent(VariantSettings):
    pass


class Hidden(VariantSettings):
    language_model: str = "trigram"


class Said(VariantSettings):
    language_model: str


class OfSystem(SystemSettings):
    language_model: str


class OfAllVariants(SystemSettings):
    variants: dict[str, Said] = {}


class OfSomeVariants(SystemSettings):
    variants: dict[str, Said | Silent] = {}


class OfADefault(SystemSettings):
    variants: dict[str, Said | Hidden] = {}


@pytest.mark.parametrize(("settings", "expected"), [
    (OfSystem, True), (OfAllVariants, True), (OfSomeVariants, False), (OfADefault, False),
    (SystemSettings, False)])
def test_who_says_the_division(settings: type[BaseModel], expected: bool) -> None:
    assert says(settings, "language_model") is expected


def test_every_system_of_a_divided_task_says_which_help_it_had() -> None:
    """One that did not would stand among those that had none."""
    assert setting_of("asr") == asr.DIVISION == "language_model"
    for task in tasks():
        for model in models(task) if (setting := setting_of(task)) else []:
            assert says(model_module(task, model).Settings, setting or ""), f"{task}, {model}"
