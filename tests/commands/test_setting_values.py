"""Values that a command compares are read as params.yaml's are, or refused."""

from typing import Any

import pytest

from pipeline.commands.setting_values import named_values
from pipeline.errors import UserError
from pipeline.results.studies import same


@pytest.mark.parametrize(("listed", "values"), [
    ("4,8", [4, 8]),
    ("0.5,1e-3,-2.5", [0.5, 0.001, -2.5]),
    ("uniform,good", ["uniform", "good"]),
    ("true,1", [True, 1]),
    ("null,{probability: 0.5, least_snr: 5}", [None, {"probability": 0.5, "least_snr": 5}]),
    ("[0.0, 0.1],[0.5]", [[0.0, 0.1], [0.5]]),
])
def test_values_are_as_params_yaml_would_have_them(listed: str, values: list[Any]) -> None:
    name, found = named_values(f"training.rate={listed}")
    assert name == "training.rate"
    assert found == values and list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize(("text", "message"), [
    ("hidden", "expected SETTING=A,B"),
    ("hidden=", "expected SETTING=A,B"),
    ("hidden=4,,8", "cannot be read; write them as params.yaml has them"),
    ("noise={probability: 0.5", "cannot be read"),
    ("noise={1: 2}", "cannot be read"),
    ("hidden=4]\n- [8", "cannot be read"),
    ("hidden=2020-01-01", "means different things to readers of YAML"),
    ("hidden=012", "means different things to readers of YAML"),
    ("hidden=1:30", "cannot be read"),
    ("hidden=&a [*a]", "the anchor &a gives a value two owners"),
    ("hidden=!!python/object/apply:os.getcwd []", "the tag .* remove it"),
    ("rate=.inf", "value 1: inf; a number is finite"),
    ("rate=1,1e400", "value 2: inf; a number is finite"),
    ("hidden=8,99999999999999999999", "value 2: a number of 67 bits; a number is finite and"),
    ("lags=[1, .nan]", r"value 1\.1: nan; a number is finite"),
    ("noise={probability: [.inf]}", r"value 1\.probability\.0: inf; a number is finite"),
    ("noise={a: 1, a: 2}", "cannot be read"),
    ("hidden=4] # [8", "cannot be read"),
    ("hidden=" + "[" * 30 + "]" * 30, "no setting is so deep"),
    ("hidden=4,8,4", "stands there twice"),
    ("hidden=4,4.0", "stands there twice"),
    ("noise={a: 1},{a: 1}", "stands there twice"),
])
def test_what_is_no_list_of_values_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        named_values(text)


def test_one_is_not_true() -> None:
    assert same(1, 1.0) and not same(1, True) and not same(0, False)
    assert same([1], [1.0]) and not same([1], [True]) and not same([1], [1, 2])
    assert same({"a": 1}, {"a": 1.0}) and not same({"a": [0]}, {"a": [False]})
    assert not same({"a": 1}, {"b": 1}) and not same([], {})
