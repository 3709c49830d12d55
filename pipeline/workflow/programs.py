"""Programs of the system that a training needs, asked for before it begins."""

import shutil

from pipeline.errors import UserError


def require_git() -> None:
    """Raise UserError where there is no git: what a training has cost is kept with its commit.

    That is asked when the training has ended, and would be lost with it.
    """
    if shutil.which("git") is None:
        raise UserError("there is no program 'git' on the command path, and every training notes "
                        "the commit that it is of; install git, or add its folder to PATH, and run "
                        "again")
