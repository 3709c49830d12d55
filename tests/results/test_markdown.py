"""Numbers for people: rounded, but never so that a small one is another."""

import pytest

from pipeline.results.markdown import decimal


@pytest.mark.parametrize("value, decimals, shown", [
    (None, 2, "–"), (0.0, 4, "0.0000"), (12345.678, 2, "12,345.68"), (0.16012, 4, "0.1601"),
    (5, 0, "5"), (0.4, 0, "0"),
    (0.00101, 4, "0.0010"), (0.00049, 4, "0.00049"), (-0.0125, 2, "-0.013"), (0.4, 1, "0.40"),
    (0.0000583, 4, "0.000058"), (0.000996, 3, "0.00100"),
    # No more than three decimals beyond the column's.
    (0.00031, 2, "0.00031"), (0.000031, 2, "3.1e-05"), (0.00000123, 2, "1.2e-06")])
def test_a_small_number_keeps_two_digits(value: float | None, decimals: int, shown: str) -> None:
    assert decimal(value, decimals) == shown
