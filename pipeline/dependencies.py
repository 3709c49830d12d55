"""Which of the project's own files a piece of code uses, found by reading imports, not by running.

What a stage uses and is not told to watch goes stale in silence. This walk finds every used file:
`pipeline.inputs` lists them for DVC, and a system's version hashes them. It takes a superset: an
import inside a function counts as well. What a name in params.yaml selects at run time cannot be
read from the code and is given as a further entry point.
"""

import ast
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import UserError

# They show results and cannot change them, so that a new chart trains nothing again.
OBSERVERS = frozenset({"pipeline.tracking", "pipeline.publish"})


def modules_used(root: Path, entry_points: Sequence[str]) -> set[Path]:
    """Files below `root` that the entry points import, directly or through others.

    An entry point is a module ('pipeline.training') or a file relative to `root`
    ('stages/train.py'). Paths are relative to `root`, entry points and the `__init__.py` of every
    package on the way included. Raises UserError for an entry point that does not exist and for
    a file that does not parse.
    """
    return Code(root).used(entry_points)


class Code:
    """The code below `root`, of which each file is read once, for many questions at one time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._imported: dict[Path, list[Path]] = {}

    def used(self, entry_points: Sequence[str]) -> set[Path]:
        """What `modules_used` says."""
        waiting = [path for entry in entry_points for path in self._entry_point(entry)]
        found: set[Path] = set()
        while waiting:
            path = waiting.pop()
            if path in found:
                continue
            found.add(path)
            if path not in self._imported:
                self._imported[path] = [file for module in self._imports(path) - OBSERVERS
                                        for file in self._files_of(module)]
            waiting.extend(self._imported[path])
        return found

    def _entry_point(self, entry: str) -> list[Path]:
        module = entry.removesuffix(".py").replace("/", ".") if entry.endswith(".py") else entry
        files = self._files_of(module)
        path = Path(*module.split("."))
        if not {path.with_suffix(".py"), path / "__init__.py"}.intersection(files):
            raise UserError(f"{entry} is neither a module nor a Python file below {self.root}")
        return files

    def _files_of(self, module: str) -> list[Path]:
        """The module's file and its packages' `__init__.py`, where they are the project's own."""
        parts = module.split(".")
        packages = [Path(*parts[:length], "__init__.py") for length in range(1, len(parts) + 1)]
        candidates = [*packages, Path(*parts).with_suffix(".py")]
        return [path for path in candidates if (self.root / path).is_file()]

    def _imports(self, path: Path) -> frozenset[str]:
        try:
            return _imports_in((self.root / path).read_text("utf-8"), path.parts[:-1])
        except (SyntaxError, UnicodeDecodeError) as error:
            raise UserError(f"{path} cannot be read as Python: {error}") from None


def _imports_in(source: str, package: tuple[str, ...]) -> frozenset[str]:
    """Dotted names of everything that the source of a file in `package` may import."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            # What follows `import` may be a module of the package or a name inside a module.
            names.update(base, *({f"{module}.{alias.name}" for module in base}
                                 for alias in node.names))
    return frozenset(names)


def _absolute(node: ast.ImportFrom, package: tuple[str, ...]) -> set[str]:
    above = package[: len(package) - node.level + 1] if node.level else ()
    return {".".join((*above, *([node.module] if node.module else [])))} - {""}
