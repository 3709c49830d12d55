"""Which Python a stage's command line finds: the one that runs this process.

Stages are written as `python -m stages.train ...`, so that a plain `dvc repro` runs them, and a
shell takes the first `python` on its path. Whoever calls the command of an environment by its path
has not put that environment there, and would have another Python run the stages, or none.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def path_to_this_python(variables: Mapping[str, str]) -> dict[str, str]:
    """`PATH` for a process whose shells shall run this interpreter as `python`.

    `variables` are those of the environment that it would have.
    """
    before = variables.get("PATH", os.defpath).split(os.pathsep)
    own = str(Path(sys.executable).parent)
    return {"PATH": os.pathsep.join([own, *(folder for folder in before if folder != own)])}
