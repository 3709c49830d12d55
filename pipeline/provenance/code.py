"""Which of the project's own files a piece of code uses, and what identifies each of them.

What a stage uses and is not told to watch goes stale in silence. This walk finds every used file by
reading imports, not by running: `pipeline.provenance.inputs` lists them, with their identities, for
DVC and for a system's version. It takes a superset: an import inside a function counts as well.
What a name in params.yaml selects at run time (see `pipeline.modules`) cannot be read from the code
and is given as a further entry point.

A file's identity is that of what Python executes, as text: docstrings, comments and layout are cut
out by their positions. Prose then trains nothing again, and the identity is the same on every
version of Python, which a printed syntax tree is not.
"""

import ast
import hashlib
import io
import token
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.errors import UserError

# They tell where files lie, what a run has cost and what it was made from, or show it: none can
# change a result, so that a new chart trains nothing again.
OBSERVERS = frozenset({"pipeline.tracking", "pipeline.provenance", "pipeline.suite.places",
                       "pipeline.running.costs"})

_SILENT = {token.COMMENT, token.NL, token.ENCODING, token.ENDMARKER}
_LAYOUT = {token.NEWLINE: "\n", token.INDENT: "\t", token.DEDENT: "\b"}
# A formatted string is one token before Python 3.12 and many since.
_STRING_BEGINS = getattr(token, "FSTRING_START", None)
_STRING_ENDS = getattr(token, "FSTRING_END", None)
Position = tuple[int, int]


class Code:
    """The code below `root`, of which each file is read once, for many questions at one time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._imported: dict[Path, list[Path]] = {}
        self._identities: dict[Path, str] = {}

    def used(self, entry_points: Sequence[str]) -> set[Path]:
        """Files that the entry points import, directly or through others, relative to `root`.

        An entry point is a dotted module ('pipeline.systems.training'). Entry points and the
        `__init__.py` of every package on the way are included, observers are not. Raises UserError
        for an entry point that does not exist and for a file that does not parse.
        """
        waiting = [path for entry in entry_points for path in self._entry_point(entry)]
        found: set[Path] = set()
        while waiting:
            path = waiting.pop()
            if path in found:
                continue
            found.add(path)
            if path not in self._imported:
                self._imported[path] = [file for module in self._imports(path)
                                        if not _observes(module)
                                        for file in self._files_of(module)]
            waiting.extend(self._imported[path])
        return found

    def identity(self, path: Path) -> str:
        """16 hexadecimal digits that change when, and only when, the file's statements do."""
        if path not in self._identities:
            text = statements((self.root / path).read_text("utf-8"))
            self._identities[path] = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
        return self._identities[path]

    def _entry_point(self, entry: str) -> list[Path]:
        files = self._files_of(entry)
        path = Path(*entry.split("."))
        if not {path.with_suffix(".py"), path / "__init__.py"}.intersection(files):
            raise UserError(f"{entry} is no module below {self.root}")
        return files

    def _files_of(self, module: str) -> list[Path]:
        """The module's file and its packages' `__init__.py`, where they are the project's own."""
        parts = module.split(".")
        packages = [Path(*parts[:length], "__init__.py") for length in range(1, len(parts) + 1)]
        candidates = [*packages, Path(*parts).with_suffix(".py")]
        return [path for path in candidates if (self.root / path).is_file()]

    def _imports(self, path: Path) -> frozenset[str]:
        try:
            return imports_in((self.root / path).read_text("utf-8"), path.parts[:-1])
        except (SyntaxError, UnicodeDecodeError) as error:
            raise UserError(f"{path} cannot be read as Python: {error}") from None


def statements(source: str) -> str:
    """What of a module's source is executed: no docstring, no comment, one form of layout."""
    lines = io.StringIO(source).readlines()  # str.splitlines knows more ends than Python does
    silent = set(_docstrings(source, lines))
    # The end of a block has no extent and begins where the next token does.
    kept = [text for begin, text in _tokens(source, lines)
            if begin not in silent or text == _LAYOUT[token.DEDENT]]
    # A docstring leaves the end of its line behind.
    found = [text for text, before in zip(kept, ["\n", *kept], strict=False)
             if not (text == "\n" and before in ("\n", "\t", "\b"))]
    return "\0".join(found)


def _docstrings(source: str, lines: Sequence[str]) -> Iterator[Position]:
    """Where strings begin that stand as statements of their own, and so do nothing."""
    for node in ast.walk(ast.parse(source)):
        if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)):
            # The syntax tree counts bytes, the tokens count characters.
            before = lines[node.lineno - 1].encode("utf-8")[: node.col_offset]
            yield node.lineno, len(before.decode("utf-8"))


def _tokens(source: str, lines: Sequence[str]) -> Iterator[tuple[Position, str]]:
    """Tokens with their beginnings; a formatted string, as it is written, is one of them."""
    opened: list[Position] = []
    for found in tokenize.generate_tokens(io.StringIO(source).readline):
        if found.type == _STRING_BEGINS:
            opened.append(found.start)
        elif opened and found.type == _STRING_ENDS:
            begin = opened.pop()
            if not opened:
                yield begin, _between(lines, begin, found.end)
        elif not opened and found.type not in _SILENT:
            yield found.start, _LAYOUT.get(found.type, found.string)


def _between(lines: Sequence[str], begin: Position, end: Position) -> str:
    if begin[0] == end[0]:
        return lines[begin[0] - 1][begin[1] : end[1]]
    return "".join([lines[begin[0] - 1][begin[1] :], *lines[begin[0] : end[0] - 1],
                    lines[end[0] - 1][: end[1]]])


def imports_in(source: str, package: tuple[str, ...]) -> frozenset[str]:
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


def _observes(module: str) -> bool:
    return any(f"{module}.".startswith(f"{observer}.") for observer in OBSERVERS)
