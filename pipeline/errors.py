"""The error that a user can mend, which every module may raise.

It names the file, the place in it and the remedy, and ends a command with exit code 2 and no
traceback (`pipeline/ending.py`); anything else is a defect of this project and keeps its traceback.
"""


class UserError(Exception):
    """Something outside the code is wrong: a parameter, a corpus file, an address, a checkpoint."""
