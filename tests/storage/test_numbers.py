"""Numbers as text: one rule for what is read, and as many bits as count."""

import math
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage.numbers import decimals_of, on_grid, parse_number, shortened


@pytest.mark.parametrize(("text", "value"), [
    ("0", 0.0), ("-12", -12.0), ("+1.50", 1.5), (".5", 0.5), ("5.", 5.0), ("1e5", 1e5),
    ("-2.5E-3", -0.0025), ("007", 7.0), ("0e999", 0.0), ("-0", 0.0)])
def test_what_is_a_number(text: str, value: float) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", [
    "", " 1", "1 ", "1,234.5", "1,5", "1_000", "\uff11\uff12", "\u0661", "nan", "inf", "-Infinity",
    "0x10", "1e", "e5", ".", "--1", "\u22125", "1\u00a0000", "1e5.0", "1/2", "12%", "1\n", "True"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        parse_number(text)


@pytest.mark.parametrize("text", ["1e309", "-1e999", "1e-320", "4.9e-324", "0.1e-400"])
def test_what_a_float_cannot_hold(text: str) -> None:
    with pytest.raises(ValueError, match="too large or too near to zero"):
        parse_number(text)


@pytest.mark.fuzz
@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_what_python_writes_is_read_again(value: float) -> None:
    assert parse_number(repr(value)) == value


@pytest.mark.fuzz
@given(st.text(max_size=8) | st.from_regex(r"[-+0-9.,eE_ ]{0,8}", fullmatch=True))
def test_nothing_is_read_but_ascii_digits_with_a_point_sign_and_exponent(text: str) -> None:
    try:
        value = parse_number(text)
    except ValueError:
        return
    assert {*text} <= {*"0123456789+-.eE"} and value == float(text)


VALUES = st.floats(-1e22, 1e22, allow_subnormal=False)


@pytest.mark.fuzz
@given(VALUES, st.floats(1e-22, 1e22))
def test_half_a_unit_is_lost_at_most_and_six_digits_are_kept(value: float, unit: float) -> None:
    short = shortened(value, decimals_of(unit), 6)
    assert abs(short - value) <= unit / 2 + 2 * math.ulp(value)
    assert short == pytest.approx(value, rel=5.1e-6, abs=sys.float_info.min)


@pytest.mark.fuzz
@given(VALUES, VALUES, st.floats(1e-22, 1e22))
def test_order_stays(first: float, second: float, unit: float) -> None:
    low, high = sorted((first, second))
    decimals = decimals_of(unit)
    assert shortened(low, decimals, 6) <= shortened(high, decimals, 6)


def test_numbers_without_a_unit_keep_all_digits() -> None:
    for unit in (0.0, math.nan, math.inf):
        assert shortened(123456789.12345679, decimals_of(unit), 6) == 123456789.12345679
    assert shortened(123456789.12345679, decimals_of(0.03), 6) == 123456789.12
    assert shortened(123456789.12345679, decimals_of(3e7), 6) == 123457000.0


@pytest.mark.fuzz
@given(VALUES, st.floats(1e-22, 1e22))
def test_half_a_unit_is_lost_at_most_and_twenty_bits_are_kept(value: float, unit: float) -> None:
    short = on_grid(value, unit, 20)
    assert abs(short - value) <= min(unit / 2, abs(value) / 2**20)


@pytest.mark.fuzz
@given(VALUES, st.floats(1e-22, 1e22))
def test_what_is_given_has_no_more_bits_than_it_needs(value: float, unit: float) -> None:
    """A multiple of the power of two below the unit, or the value itself, or one of twenty bits."""
    numerator, denominator = on_grid(value, unit, 20).as_integer_ratio()
    multiple = Fraction(numerator, denominator) / Fraction(2.0 ** math.floor(math.log2(unit)))
    odd = numerator // (numerator & -numerator) if numerator else 0
    assert multiple.denominator == 1 or numerator / denominator == value or abs(odd) < 2**20


@pytest.mark.fuzz
@given(VALUES, VALUES, st.floats(1e-22, 1e22))
def test_order_stays_on_a_grid(first: float, second: float, unit: float) -> None:
    low, high = sorted((first, second))
    assert on_grid(low, unit, 20) <= on_grid(high, unit, 20)


def test_numbers_without_a_unit_keep_all_bits() -> None:
    for unit in (0.0, -1.0, math.nan, math.inf):
        assert on_grid(123456789.12345679, unit, 20) == 123456789.12345679
    for value in (0.0, -0.0, math.inf, 5e-324, 1.7e308):
        assert on_grid(value, 1e-9, 53) == value


def test_a_grid_by_hand() -> None:
    assert on_grid(123456789.12345679, 0.03, 20) == 123456789.125  # in 64ths
    assert on_grid(123456789.12345679, 3e7, 20) == 123456768.0  # twenty bits of 27: in 128s
    assert on_grid(-0.3, 0.25, 1) == -0.25
