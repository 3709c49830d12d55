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


def shortened(value: float, unit: float, bits: int) -> float:
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
