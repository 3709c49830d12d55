"""Numbers as text, and as far as they count: what is a number in a file, which digits are given.

A number is written in ASCII digits with a point, a sign and an exponent at most: `-12`, `.5`,
`1.2e6`. Python's own conversion takes digits of any script, underscores between digits, `nan` and
`inf` as well, each of which is a slip in a table and would go through without a word.

Digits that are given follow the spread of what is compared, and never the size of its level: a
series around a hundred million may move in steps of one.
"""

import math
import re
import sys

_NUMBER = re.compile(r"[+-]?(?P<digits>\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_MOST_DIGITS = 15  # a decimal number of so many is the same after it was read as a float


def parse_number(text: str) -> float:
    """The number that `text` writes, without white space around it.

    Raises ValueError where it writes none, or one so large or so near to zero that a float cannot
    hold it.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError("no number; write it like -1234.5 or 1.2e6, with no other sign in it")
    number = float(text)
    lost = abs(number) < sys.float_info.min and any(digit in "123456789" for digit in match[1])
    if lost or math.isinf(number):
        raise ValueError("too large or too near to zero to be computed with")
    return number


def on_grid(value: float, unit: float, bits: int) -> float:
    """`value` to the nearest multiple of a power of two: the largest that is not above `unit`.

    A value that is small beside its unit keeps `bits` significant bits. All digits stay where a
    float has no more, and where `unit` is no positive finite number. The order of two numbers
    stays. Bits beyond the unit are 0, which take no place in a file of `storage.parquet`.
    """
    if value == 0 or not math.isfinite(value) or not 0 < unit < math.inf:
        return value
    size = math.frexp(value)[1]  # value < 2^size
    exponent = min(math.frexp(unit)[1] - 1, size - bits)
    if size - exponent >= sys.float_info.mant_dig:
        return value
    return math.ldexp(round(math.ldexp(value, -exponent)), exponent)


def decimals_of(unit: float) -> int:
    """Decimal places in which steps of `unit` are seen; negative for the places before the point.

    So many that nothing is lost where `unit` is no positive finite number.
    """
    return -math.floor(math.log10(unit)) if 0 < unit < math.inf else sys.float_info.max_10_exp


def shortened(value: float, decimals: int, digits: int) -> float:
    """`value` with `decimals` decimal places, but with `digits` significant digits at least.

    Where that is more than a float holds, it stays as it is. The order of two numbers stays, too.
    """
    if value == 0 or not math.isfinite(value):
        return value
    wanted = max(digits, math.floor(math.log10(abs(value))) + 1 + decimals)
    return value if wanted > _MOST_DIGITS else float(f"{value:.{wanted}g}")
