"""Which Python runs a command, and what it lacks of what this project needs.

A shell that has not chosen the project's environment has another Python run the command: too old a
one, one without the project's packages, or with packages of other versions. What then fails is an
import or a call anywhere in the code, and says nothing of the reason. Here the reason is found and
told, with what to do about it.

Too old a Python cannot even import the project, so it is turned away when this module is imported,
which `pipeline.ending` does before any other. Hence nothing here is newer than Python 3.6.
"""

import linecache
import os
import re
import sys
from types import TracebackType

OLDEST = (3, 11)

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(_PACKAGE)
_OWN = ("pipeline", "stages", "benchmarks", "tests")
_IMPORT = re.compile(r"\s*(?:from|import)\s+(\w+)")
_LONGEST = 300
_LONGEST_FOLDER = 65  # Python puts a folder and a file with names of its own into it
_UNMAPPED = "failed to map segment"  # the system's words, of a library that it does not load


def lack(error: BaseException) -> str:
    """What this Python lacks where an error comes from that, and the remedy; else nothing.

    So is an import that fails, of whatever is not this project's own.
    """
    name = _not_imported(error)
    if not name:
        return ""
    python = _this_python()
    if not _is_absent(error):
        lines = str(error).strip().splitlines()
        said = lines[0][:_LONGEST] if lines else type(error).__name__
        if _UNMAPPED in said:
            return (f"{python} cannot load '{name}': {said}; see that there is memory for it "
                    "('ulimit -v'), and that its folder is not mounted 'noexec'")
        return f"{python} cannot import '{name}': {said}. {remedy()}"
    if name in sys.stdlib_module_names:
        return (f"{python} was built without '{name}', a part of Python itself; take another "
                f"Python, for example by 'make install PYTHON=python3.{OLDEST[1] + 1}'")
    return f"{python} has no '{name}', which this project needs. {remedy()}"


def tell_what_is_lacking(kind: type, error: BaseException, trace: TracebackType) -> None:
    """Python's hook for an error that ends a script, where what it imports may be lacking."""
    said = lack(error)
    if said:
        sys.stderr.write(f"error: {said}\n")
        sys.stderr.flush()
        os._exit(2)  # a hook has no other way to choose the code
    sys.__excepthook__(kind, error, trace)


def unlike() -> str:
    """Which packages are of other versions than the project asks for, and the remedy, if any."""
    from importlib import metadata

    found = []
    try:
        from packaging.requirements import Requirement

        for line in _asked_for():
            asked = Requirement(line)
            if asked.marker is not None and not asked.marker.evaluate({"extra": ""}):
                continue
            try:
                version = metadata.version(asked.name)
            except metadata.PackageNotFoundError:
                found.append(f"{asked.name} is missing")
                continue
            if not asked.specifier.contains(version, prereleases=True):
                found.append(f"{asked.name} is {version} and not {asked.specifier}")
    except (ImportError, OSError, ValueError):
        return ""
    return "{} has not what this project asks for: {}. {}".format(
        _this_python(), "; ".join(found), remedy()) if found else ""


def leaves_room(folder: str) -> bool:
    """Whether the address of a socket may lie in a folder: the system takes 107 bytes of it."""
    return len(os.fsencode(folder)) <= _LONGEST_FOLDER


def shorten_temporary_folder() -> None:
    """Put temporary files into /tmp where the path of the named folder is too long for sockets.

    Python's worker processes have theirs there, and end with an error otherwise.
    """
    for name in ("TMPDIR", "TEMP", "TMP"):
        if not leaves_room(os.environ.get(name, "")) and os.access("/tmp", os.W_OK | os.X_OK):
            os.environ[name] = "/tmp"


def remedy() -> str:
    """How to come by a Python with all that the project needs."""
    own = os.path.join(_ROOT, ".venv")
    if not os.path.isfile(os.path.join(_ROOT, "Makefile")):
        return "Install this project's package anew, with all that it requires"
    if os.path.realpath(sys.prefix) == os.path.realpath(own):
        return f"'make -B install' in {_ROOT} installs all that the project needs anew"
    if _was_moved(own):
        return (f"{own} was made for another folder and cannot be chosen here: 'rm -r .venv', then "
                f"'make install', both in {_ROOT}")
    if os.path.exists(os.path.join(own, "bin", "python")):
        return ("Call 'make', or choose the project's own Python for this shell by 'source "
                f".venv/bin/activate', both in {_ROOT}")
    return (f"'make install' in {_ROOT} brings all that it needs into .venv; 'source "
            ".venv/bin/activate' then chooses that Python for a shell")


def _was_moved(environment: str) -> bool:
    """Whether a virtual environment lies where it does not think that it does."""
    try:
        with open(os.path.join(environment, "bin", "activate"), encoding="utf-8",
                  errors="replace") as file:
            named = re.findall(r"""(?m)^\s*(?:export )?VIRTUAL_ENV=["']?(/[^"'\n]*)""", file.read())
    except OSError:
        return False
    # What holds quotes is written in ways that this does not read.
    whole = bool(named) and named[-1].endswith("/" + os.path.basename(environment))
    return whole and os.path.realpath(named[-1]) != os.path.realpath(environment)


def _this_python() -> str:
    return "this Python ({}, {})".format(sys.executable or "without a path",
                                         ".".join(map(str, sys.version_info[:3])))


def _not_imported(error: BaseException) -> str:
    """The package that an error says could not be imported, unless it is the project's own."""
    name = (getattr(error, "name", None) or "").partition(".")[0]
    if isinstance(error, ImportError) and name in _OWN:
        return ""
    if isinstance(error, ModuleNotFoundError) and name:
        return name
    return _statement_of(error) if isinstance(error, Exception) else ""


def _statement_of(error: BaseException) -> str:
    """What the innermost line of the project imports, if it was importing when an error came."""
    found = ""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        folder = os.path.relpath(file, _ROOT).split(os.sep)[0] if os.path.isabs(file) else ""
        if folder in _OWN:
            match = _IMPORT.match(linecache.getline(file, trace.tb_lineno))
            found = match.group(1) if match else ""
        trace = trace.tb_next
    return "" if found in _OWN else found


def _is_absent(error: BaseException) -> bool:
    """Whether a package is not there at all, rather than another one than it should be."""
    from importlib.util import find_spec

    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return False
    try:
        return find_spec(error.name.partition(".")[0]) is None
    except (ImportError, ValueError):
        return True


def _asked_for() -> list:
    """The project's requirements, as its pyproject.toml has them, or as it was installed."""
    from importlib import metadata

    path = os.path.join(_ROOT, "pyproject.toml")
    if os.path.isfile(path):
        import tomllib

        with open(path, "rb") as file:
            return tomllib.load(file)["project"]["dependencies"]
    try:
        return metadata.requires("unrolled") or []
    except metadata.PackageNotFoundError:
        return []


if sys.version_info[:2] < OLDEST:
    sys.stderr.write(f"error: {_this_python()} is too old for this project, which needs Python "
                     f"{OLDEST[0]}.{OLDEST[1]} at least. {remedy()}\n")
    sys.exit(2)
