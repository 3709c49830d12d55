"""How tests are shared out among the processes of `make test`, so that all end at about one time.

A file is one process's, since its tests share fixtures. What tests of all systems share lies on the
disk, so there a system's tests of a file are a part of their own. Processes take the next part as
they become free: were a long one the last, the others would wait for it.
"""

from pathlib import PurePosixPath

# Minutes of one core, most of them spent in few tests; without them here all would be right, later.
LONGEST = (
    "verification/test_tampering.py", "commands/test_stopping.py", "workflow/test_repro.py",
    "commands/test_ui.py", "verification/test_reproduction.py",
    "verification/test_real_reproduction.py", "commands/test_stopping_commands.py",
    "provenance/test_inputs.py", "tracking/test_postgres.py", "results/test_wrong_shapes.py",
    "forecast/test_scoring.py", "forecast/test_esrnn.py", "scoring/test_effects.py",
    "tracking/test_publish.py", "commands/test_spread.py", "commands/test_outs.py")
# Where each part is a parameter's.
BY_PARAMETER = "systems"


def part_of(nodeid: str) -> str:
    """The tests that one process runs, one after the other, with this one."""
    file, _, name = nodeid.partition("::")
    if BY_PARAMETER in PurePosixPath(file).parts[:-1]:
        return f"{file}[{name.partition('[')[2]}"
    return file


def ordered(nodeids: list[str]) -> list[int]:
    """Places of tests in the order in which they begin.

    The longest files, the others by how many tests they have, and last what has many small parts;
    each part's tests stay together and in their order.
    """
    parts = [part_of(nodeid) for nodeid in nodeids]
    files = [nodeid.partition("::")[0] for nodeid in nodeids]
    sizes = {file: 0 for file in files}
    first: dict[str, int] = {}
    for place, (part, file) in enumerate(zip(parts, files, strict=True)):
        sizes[file] += 1
        first.setdefault(part, place)

    def begins(place: int) -> tuple[int, int, int, int]:
        file, part = files[place], parts[place]
        long = next((rank for rank, end in enumerate(LONGEST) if file.endswith(f"/{end}")),
                    len(LONGEST))
        return long, part != file, -sizes[file] if part == file else 0, first[part]

    return sorted(range(len(nodeids)), key=begins)
