"""Errors that a user can mend.

Every such error names the file, the place in it and the remedy, and ends a command with exit
code 2 and no traceback; anything else is a defect of this project and keeps its traceback.
"""

import sys
from collections.abc import Callable


class UserError(Exception):
    """Something outside the code is wrong: a parameter, a corpus file, an address, a checkpoint."""


def run_command(main: Callable[[], None]) -> None:
    """Run a command-line entry point; print a `UserError` plainly and exit with code 2."""
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
