"""The whole command line: every verb, every option and every operand, given nonsense.

The test walks the verbs. Each piece of nonsense ends as one plain line, which a process turns into
exit code 2, and nothing is done: no verb here gets as far as its work.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from cyclopts import Argument
from hypothesis import given
from hypothesis import strategies as st

from pipeline.commands.main import app, run
from pipeline.errors import UserError
from pipeline.tasks.tagging.systems.most_frequent import MostFrequentTag, Settings
from tests.conftest import ROOT
from tests.trials import trials

LONG = "x" * 300
NUMBERS = ["", "x", "-1", "9" * 30, "1_0x", "nan", "\udcff", "0x10"]
BY_KIND = {
    "int": [*NUMBERS, "1.5", "1e3"], "float": [*NUMBERS, "inf", "1e400", "-inf"],
    "bool": ["maybe", "", "2"]}
# Texts: what no suite, track, row, system, file or setting is called.
NAMES = ["", "none", LONG, "../x", "a\nb", "\udcff", "é", ".", "--none"]
BY_NAME = {
    # No folder of a suite is among these: a verb would begin its work.
    "--suite": [*(name for name in NAMES if name != "."), "docs", "README.md", "/dev/null",
                "none/params.yaml", "/", f"{LONG}/{LONG}"],
    "--format": ["", "xml", "TEXT", LONG, "srt"],
    "--track": NAMES, "--texts": NAMES,
    "ROW": [*NAMES, "none:x", "none/deep", "a:b:c", ":", "/", LONG + "/x"],
    "SYSTEM": [*NAMES, "asr-triphones:bigram", "none:x"], "SYSTEMS": [*NAMES, "lm-lstm:plain"],
    "SUITES": [name for name in NAMES if name not in (".", "--none")],
    "VALUES": ["", "=", "none=1", "least_posterior", "beam=", "beam=x", "beam=1e400", "alpha=nan",
               "decoding.beam=inf", "decoding.beam=x", "beam=2,,3", "beam=" + "9" * 5000, LONG,
               "--none"],
    "FILES": [name for name in NAMES if name != "."] + ["/dev/null", "nowhere/x"]}
# Any text can be gone on from; places to write to have tests of their own.
FREE = {"--prompt", "--text", "--out", "--output", "--keep"}
OPERANDS = {"ROW": "asr-bilstm-ctc:beam", "SYSTEM": "asr-triphones", "FILES": "x"}
VERBS = [verb for verb in app if not verb.startswith("-")]


def kind_of(argument: Argument) -> str:
    """`int` for int, `int | None` and `list[int]` alike."""
    kinds = [argument.hint, *get_args(argument.hint)]
    return next((name for name in ("int", "float", "bool", "str", "Path")
                 if any(name in str(kind) for kind in kinds)), "unknown")


def nonsense() -> Iterator[tuple[str, Argument, str]]:
    """A few pieces for each argument, others for the next; all for each in `make fuzz`."""
    number = 0
    for verb in VERBS:
        for argument in app[verb].assemble_argument_collection():
            if argument.name not in FREE:
                known = BY_KIND.get(kind_of(argument)) or BY_NAME.get(argument.name)
                assert known, f"{verb} {argument.name}: say here what is nonsense for it"
                for _ in range(min(trials(2, 100), len(known))):
                    yield verb, argument, known[number % len(known)]
                    number += 1


def command(verb: str, argument: Argument, value: str, tagger: Path) -> list[str]:
    operands = dict(OPERANDS)
    if argument.name == "FILES":
        operands["ROW"] = str(tagger)
    # A suite's name is looked at where the rest is right.
    words = [verb, f"--output={tagger.parent / 'site'}"] if argument.name == "SUITES" else [verb]
    for other in app[verb].assemble_argument_collection():
        if other.name == argument.name and not other.name.startswith("-"):
            words.append(value)
        elif other.name in operands and (other.required or verb == "predict"):
            words.append(operands[other.name])
    return [*words, f"{argument.name}={value}"] if argument.name.startswith("-") else words


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tagger"
    MostFrequentTag(Settings(track="t", model="most_frequent"),
                    {"forms": ["dog"], "counts": [1], "tags": ["NN"]}).save(folder)
    return folder


@pytest.mark.fuzz
def test_nonsense_for_every_option_and_operand_is_refused_in_one_line(
        tagger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    wrong, tried = [], 0
    for verb, argument, value in nonsense():
        words = command(verb, argument, value, tagger)
        tried += 1
        try:
            run(words)
            wrong.append((words, "was done"))
        except UserError as error:
            if len(str(error).splitlines()) != 1 and "\n" not in value:
                wrong.append((words, str(error)))
        except Exception as error:  # any other is what this test looks for
            wrong.append((words, repr(error)))
    assert wrong == []
    assert tried > 50


@pytest.mark.parametrize("verb", VERBS)
def test_an_option_without_its_value_is_refused(verb: str) -> None:
    for argument in app[verb].assemble_argument_collection():
        if argument.name.startswith("-") and kind_of(argument) != "bool":
            operands = [OPERANDS[other.name] for other in app[verb].assemble_argument_collection()
                        if other.name in OPERANDS and (other.required or verb == "predict")]
            with pytest.raises(UserError, match=argument.name):
                run([verb, *operands, argument.name])


@pytest.mark.fuzz
@given(st.sampled_from(VERBS), st.lists(st.one_of(
    st.text(), st.sampled_from(["-", "--", "=", "--jobs", "--out", "-x", "--suite=", "--seed=1"])),
    max_size=5))
def test_any_words_beside_an_option_that_there_is_not_are_refused(verb: str,
                                                                  words: list[str]) -> None:
    shown = {"-h", "--help", "--version"}
    with pytest.raises(UserError):
        run([verb, *(word for word in words if word not in shown and word != "--"), "--none"])
