"""Programs of the system that a command needs, asked for before it begins."""

import shutil

from pipeline.errors import UserError

# What a training has cost is kept with its commit. That is asked when the training has ended, and
# would be lost with it.
OF_TRAININGS = "every training notes the commit that it is of"


def require_git(why: str) -> None:
    """Raise UserError where there is no git; `why` says what it is needed for."""
    if shutil.which("git") is None:
        raise UserError("git is not installed: there is no program 'git' on the command path, and "
                        f"{why}; install git, or add its folder to PATH, and run again")
