"""Trials of damaged, odd or random input: few in `make test`, many in `make fuzz`."""

from hypothesis import settings


def trials(short: int, long: int) -> int:
    """`short` in `make test`, `long` in `make fuzz`, which names the profile of that name.

    For tests that draw their own trials; those of hypothesis follow the profile by themselves, as
    long as they do not set `max_examples` to a number of their own instead of to this one's.
    """
    return long if settings.get_current_profile_name() == "long" else short
