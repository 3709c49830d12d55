"""Claims under their lectures, and the code that a lecture is about."""

import functools

import pytest

from pipeline.results.claims import read_claims
from pipeline.site.code import Library
from pipeline.site.lectures import Lecture, counts_in_words, lectures_of
from pipeline.suite.schema import load
from tests.conftest import ROOT


@functools.cache
def of_suite(params: str) -> list[Lecture]:
    return lectures_of(load(ROOT / params), Library(ROOT))


@pytest.mark.parametrize("params", ["params.yaml", "real/params.yaml"])
def test_every_claim_stands_once_under_its_lecture_with_its_verdict(params: str) -> None:
    suite, lectures = load(ROOT / params), of_suite(params)
    shown = [(lecture.name, one.claim) for lecture in lectures for one in lecture.claims]
    judged = read_claims(suite)
    assert sorted((claim["id"], claim["lecture"], claim["verdict"]) for claim in judged) == sorted(
        (claim["id"], name, claim["verdict"]) for name, claim in shown)
    waiting = [claim.id for lecture in lectures for claim in lecture.waiting]
    assert len(waiting) + len(judged) == len(suite.claims)
    verdicts = [claim["verdict"] for claim in judged]
    told = counts_in_words(lectures)
    assert told.startswith(f"Of {len(judged)} claims {verdicts.count('holds')} hold")
    assert [lecture.name for lecture in lectures] == sorted(lecture.name for lecture in lectures)


def test_a_lecture_leads_to_the_code_that_it_is_about() -> None:
    found = {lecture.name: [module.short for module in lecture.methods]
             for lecture in of_suite("params.yaml")}
    assert found["attention"][0] == "nn.attention"
    # A fixed vector beside attention: the better side has attention, the other has not.
    assert "nn.attention" in found["sequence-to-sequence models"]
    assert "nn.beam" in found["decoding"]
    assert all("nn.dropout" not in methods for methods in found.values())


def test_a_module_tells_its_equation_its_place_and_what_it_holds() -> None:
    module = Library(ROOT).module("pipeline.nn.attention")
    assert module is not None and module.path == "pipeline/nn/attention.py"
    assert "v tanh(W q + U m)" in module.docstring
    lines = module.text.splitlines()
    assert all(name in lines[line - 1] for name, line, _ in module.definitions)
    assert "AdditiveAttention" in [name for name, _, _ in module.definitions]
    assert Library(ROOT).module("pipeline.nn.none") is None
