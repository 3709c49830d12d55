"""Nothing in the project writes a file but by `pipeline.storage.files`.

The test reads every module. A call that opens, saves, renames, links or copies a file is another
writer, unless it saves into a file that `atomic_writer` or `growing` has opened, or into memory.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

WRITER = "pipeline/storage/files.py"
OPENED_BY = {"atomic_writer", "growing", "BytesIO", "StringIO"}
# Save into one of their arguments, a path or an open file.
SAVERS = {"save", "savez", "savez_compressed", "savetxt", "savefig", "tofile", "dump", "save_file",
          "save_model", "save_checkpoint", "to_csv", "to_json", "to_parquet", "imsave"}
# A system saves itself by the writer, and so are Lightning's checkpoints; safetensors' `save` gives
# bytes.
SAVES_ITSELF = {"save", "super().save", "system.save", "trainer.save_checkpoint",
                "save_model"}  # MLflow's, into a folder that is its own and removed afterwards
# The modules whose `write` makes a file of its first argument.
FILE_WRITERS = {"soundfile", "sf", "wavfile"}
ALWAYS = {"os.open": "opens", "os.fdopen": "opens", "os.rename": "renames", "os.replace": "renames",
          "os.link": "links", "os.symlink": "links", "os.mkfifo": "makes", "shutil.copy": "copies",
          "shutil.copy2": "copies", "shutil.copyfile": "copies", "shutil.copytree": "copies",
          "shutil.move": "moves", "shutil.make_archive": "writes", "tempfile.mkstemp": "makes",
          "tempfile.NamedTemporaryFile": "makes", "wave.open": "opens", "os.truncate": "cuts"}
METHODS = {"write_text", "write_bytes", "rename", "symlink_to", "hardlink_to", "link_to", "touch"}
# The last parts of all names that `_writes` looks for.
SEEN = {*SAVERS, *METHODS, *(name.rpartition(".")[2] for name in ALWAYS), "open", "GzipFile",
        "ZipFile", "fdopen", "replace", "write", "to_json"}
# Only read: to send what a closed pipe would get nowhere, and to give a child an empty input.
NO_FILE = {"os.devnull"}


def writers(source: str) -> Iterator[str]:
    """Each call that writes a file without the one writer, as its line and text."""
    tree = ast.parse(source)
    opened = set(_opened(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _writes(node, opened):
            yield f"{node.lineno}: {ast.unparse(node)}"


def _opened(tree: ast.AST) -> Iterator[str]:
    """Names that are given to files that the writer has opened and to files in memory."""
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name) and \
                _name(node.context_expr).rpartition(".")[2] in OPENED_BY:
            yield node.optional_vars.id
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and \
                _name(node.value).rpartition(".")[2] in OPENED_BY:
            yield node.targets[0].id


def _name(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def _writes(call: ast.Call, opened: set[str]) -> bool:
    last = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if last not in SEEN:
        return False
    name = _name(call)
    arguments = [ast.unparse(argument) for argument in call.args]
    if arguments[:1] and arguments[0] in NO_FILE:
        return False
    if name in ALWAYS:
        return True
    if last in ("open", "GzipFile", "ZipFile", "fdopen"):
        return _opens_to_write(call)
    if last in METHODS and isinstance(call.func, ast.Attribute):
        return True
    if last == "replace" and isinstance(call.func, ast.Attribute):
        # A string's takes two arguments, a path's one, a dataclass's keywords.
        return len(call.args) == 1 and not call.keywords
    if name.rpartition(".")[0] in FILE_WRITERS and last == "write":
        return arguments[0] not in opened
    if last == "to_json" and not call.args and not call.keywords:
        return False  # of an object, what JSON holds: a table's writes a file when it is given one
    if last in SAVERS and name not in SAVES_ITSELF:
        named = [ast.unparse(keyword.value) for keyword in call.keywords]
        return not opened & {*arguments, *named}
    return False


def _opens_to_write(call: ast.Call) -> bool:
    modes = [argument for argument in [*call.args[:2], *(
        keyword.value for keyword in call.keywords if keyword.arg == "mode")]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        and len(argument.value) < 6]
    inside = [keyword for keyword in call.keywords if keyword.arg == "fileobj"]
    return not inside and any(set(str(mode.value)) & set("wax+") for mode in modes)


@pytest.mark.parametrize("source", [
    "open(path, 'w')", "open(path, mode='ab')", "path.open('wb')", "path.open('r+')",
    "gzip.open(path, 'wt')", "gzip.GzipFile(path, 'wb')", "path.write_text(text)",
    "files.write_bytes(path, content)", "os.replace(part, path)", "part.replace(path)",
    "part.rename(path)", "shutil.copy(one, other)", "shutil.copytree(one, other)",
    "os.open(path, flags)", "np.save(path, array)", "np.savez(path, a=array)",
    "torch.save(state, path)", "figure.savefig(path)", "image.save(path)", "json.dump(value, out)",
    "soundfile.write(path, samples, 8000)", "save_file(tensors, path)", "table.to_csv(path)",
    "path.touch()", "path.symlink_to(other)", "wave.open(path)", "zipfile.ZipFile(path, 'x')",
    "with open(path) as file:\n    np.save(file, array)"])
def test_every_other_writer_is_seen(source: str) -> None:
    assert list(writers(source))


@pytest.mark.parametrize("source", [
    "open(path)", "path.open('rb')", "gzip.open(path, 'rt')", "write_text(path, text)",
    "text.replace('a', 'b')", "replace(settings, seed=1)", "os.open(os.devnull, os.O_RDONLY)",
    "with atomic_writer(path) as file:\n    np.save(file, array)",
    "with atomic_writer(path) as file:\n    torch.save(state, file)",
    "content = io.BytesIO()\nsoundfile.write(content, samples, 8000, format='WAV')",
    "with atomic_writer(path) as raw, gzip.GzipFile(fileobj=raw, mode='wb') as packed:\n    pass"])
def test_other_calls_are_let_through(source: str) -> None:
    assert list(writers(source)) == []


def test_nobody_else_writes_a_file(root: Path) -> None:
    found = {path.relative_to(root).as_posix(): calls for folder in ("pipeline", "stages")
             for path in (root / folder).rglob("*.py")
             if (calls := list(writers(path.read_text("utf-8"))))}
    assert found.pop(WRITER)
    assert found == {}
