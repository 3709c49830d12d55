"""Is this Python one that the project can be installed with? `make` asks before it installs.

    PYTHON check_python.py [FOLDER]

An unfit Python ends with exit code 2 and what to do. FOLDER is the virtual environment: one that is
broken or of another Python than this is removed, so that it is made anew. The file is run by path
and by any Python, as old as it may be, hence neither imports of the project, nor annotations, nor
f-strings.
"""

import os
import re
import subprocess
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The environment must have pip, which some systems' Pythons come without.
_ASK = "import sys, pip; print('%d.%d' % sys.version_info[:2])"


def bounds(pyproject):
    """The oldest Python that will do, and the first that is too new, from requires-python."""
    with open(pyproject) as file:
        found = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', file.read())
    return (3, int(found.group(1))), (3, int(found.group(2)))


def problem(oldest, beyond):
    """Why this Python will not do, in words that say what to do; None when it will."""
    version = ".".join(map(str, sys.version_info[:3]))
    latest = "3." + str(beyond[1] - 1)
    if not oldest <= sys.version_info[:2] < beyond:
        return ("this project needs Python 3." + str(oldest[1]) + " to " + latest + ", and "
                + sys.executable + " is " + version + ". Name another one: make repro PYTHON="
                + (_others(oldest, beyond) or "python" + latest
                   + " (none was found here; python.org and your system's packages have one)"))
    for module in ("venv", "ensurepip"):
        try:
            __import__(module)
        except ImportError:
            name = "python" + str(sys.version_info[0]) + "." + str(sys.version_info[1])
            return (sys.executable + " lacks '" + module + "', so it cannot make an environment "
                    "with pip. On Debian and Ubuntu 'apt install " + name + "-venv' brings it; or "
                    "name another Python: make repro PYTHON=COMMAND")
    return None


def _others(oldest, beyond):
    """The newest fitting Python on the command path; empty when there is none."""
    for minor in range(beyond[1] - 1, oldest[1] - 1, -1):
        name = "python3." + str(minor)
        try:
            tried = subprocess.Popen([name, "-c", ""], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
            tried.communicate()
        except OSError:
            continue
        if tried.returncode == 0:
            return name
    return ""


def unfit(environment):
    """Why a virtual environment cannot stay; None when it can, or when there is none."""
    if not os.path.lexists(environment):
        return None
    wanted = ".".join(map(str, sys.version_info[:2]))
    try:
        asked = subprocess.Popen([os.path.join(environment, "bin", "python"), "-c", _ASK],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        found = asked.communicate()[0].decode().strip()
    except OSError:
        found = ""
    if not found:
        return "its Python does not run or has no pip"
    return None if found == wanted else "it is of Python " + found + ", wanted is " + wanted


def main():
    said = problem(*bounds(os.path.join(_ROOT, "pyproject.toml")))
    if said:
        sys.stderr.write("error: " + said + "\n")
        sys.exit(2)
    reason = unfit(sys.argv[1]) if len(sys.argv) > 1 else None
    if reason:
        import shutil

        print(sys.argv[1] + " is made anew: " + reason)
        shutil.rmtree(sys.argv[1])


if __name__ == "__main__":
    main()
