"""What stands behind a system as code: its model's module, and the building blocks it is made of.

A module's docstring says what it computes, by which equation and from which paper, so pages quote
it and show the module below.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.errors import UserError
from pipeline.modules import corpus_name, model_name
from pipeline.provenance.code import imports_in
from pipeline.storage.files import read_text
from pipeline.suite.schema import Suite

# Folders of pipeline/ whose modules are methods of their own, not plumbing.
_METHODS = ("nn", "ngram", "hmm", "audio", "decoding")


@dataclass(frozen=True)
class Module:
    """A module of the project, `name` as Python has it: 'pipeline.nn.attention'."""

    name: str
    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Raises UserError for what is no Python."""
        try:
            return ast.parse(self.text)
        except (SyntaxError, ValueError) as error:
            line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
            raise UserError(f"{self.path}{line}: this is no Python ({error}); put the code right"
                            ) from None

    @cached_property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree) or ""

    @cached_property
    def imports(self) -> frozenset[str]:
        """What it may import of the project, as dotted names."""
        _ = self.tree  # told in words where it is none
        found = imports_in(self.text, tuple(Path(self.path).parts[:-1]))
        return frozenset(name for name in found if name.startswith("pipeline."))

    @property
    def short(self) -> str:
        """'nn.attention', and of a task's model 'translation.attention'."""
        return self.name.removeprefix("pipeline.").removeprefix("tasks.").replace(".systems.", ".")

    @property
    def page(self) -> str:
        """Where its page lies in the site."""
        return f"_code/{self.name}.html"

    @property
    def anchor(self) -> str:
        return self.name.removeprefix("pipeline.").replace(".", "-")

    @property
    def definitions(self) -> list[tuple[str, int, str]]:
        """Name, line and first line of the docstring of each public class and function."""
        return [(node.name, node.lineno, (ast.get_docstring(node) or "").partition("\n")[0])
                for node in self.tree.body
                if isinstance(node, ast.ClassDef | ast.FunctionDef)
                and not node.name.startswith("_")]


class Library:
    """The modules of the project whose folder is `root`, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, Module | None] = {}
        self._made: dict[str, list[Module]] = {}

    def module(self, name: str) -> Module | None:
        """None for what is no module of this project."""
        if name not in self._known:
            path = self._root.joinpath(*name.split(".")).with_suffix(".py")
            self._known[name] = Module(name, path.relative_to(self._root).as_posix(),
                                       read_text(path)) if path.is_file() else None
        return self._known[name]

    def model(self, suite: Suite, key: str) -> Module | None:
        """The module of a system's model."""
        return self.module(model_name(suite.task_of(key), suite.systems[key]["model"]))

    def corpus(self, suite: Suite, track: str) -> Module | None:
        """The module that reads a track's corpus."""
        return self.module(corpus_name(suite.reader_of(track)))

    def methods(self, suite: Suite, key: str) -> list[Module]:
        """The building blocks that a system's model is made of, nearest first."""
        model = self.model(suite, key)
        if model is None:
            return []
        if model.name not in self._made:
            self._made[model.name] = list(self._methods(model))
        return self._made[model.name]

    def _methods(self, model: Module) -> Iterator[Module]:
        """What a model imports of methods, also by way of its own task's modules."""
        task = model.name.rpartition(".systems.")[0] + "."
        seen: set[str] = set()
        waiting = [model]
        while waiting:
            for name in sorted(waiting.pop(0).imports - seen):
                seen.add(name)
                found = self.module(name)
                if found is not None and name.startswith(task):
                    waiting.append(found)
                elif found is not None and name.split(".")[1] in _METHODS:
                    yield found
