"""Write the lock files anew from pyproject.toml: `make lock`.

uv, the resolver, finds for each release the hashes of all its files, so that pip refuses any other
file under that name, on every platform and Python that the project supports. Pins that still fit
stay, unless `--upgrade` is given.

CUDA packages have a file of their own, because only one build of torch needs them, and what builds
a release from source has one too: a build must not fetch what nothing pins. torch's CPU builds are
not where uv looks; their hashes are put into `requirements/torch-cpu.lock` by hand.
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline import processes
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.storage.files import read_text, write_text

ALL = Path("requirements.lock")
CUDA = Path("requirements/cuda.lock")
BUILD = Path("requirements/build.lock")
KENLM = Path("requirements/kenlm.lock")
KENLM_BUILD = Path("requirements/kenlm-build.lock")
RESOLVER = Path("requirements/resolver.lock")
TORCH_CPU = Path("requirements/torch-cpu.lock")
ABOUT = {
    ALL: "Everything but what only a CUDA build of torch needs (requirements/cuda.lock).",
    CUDA: "What torch's CUDA build needs on Linux; a CPU build needs none of it.",
    BUILD: "What builds the releases that come as source.",
    KENLM: "Tests compare with it; it needs a C++ compiler and requirements/kenlm-build.lock.",
    KENLM_BUILD: "What builds kenlm.",
    RESOLVER: "What 'make lock' works with.",
}
_ROOT = Path(__file__).resolve().parents[2]
_HEADER = "# Written by 'make lock'. {about}\n# pip takes no file whose hash is not here.\n"
_FOR_CUDA = re.compile(r"(nvidia|cuda|triton)(-|$)")
_ENTRY = re.compile(r"(?P<pin>(?P<name>[a-z0-9-]+)==[^\s;\\]+[^\\\n]*?) *"
                    r"(?P<hashes>(?:\\\n[^\\\n]*)*)\n")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")

# A package's line, with its version and where it applies, and the hashes of its files.
Entries = dict[str, tuple[str, list[str]]]


def parsed(text: str) -> Entries:
    """Entries of a lock file by the package's name.

    Raises UserError for one without a version or without a hash.
    """
    body = "".join(f"{line}\n" for line in text.splitlines() if not line.startswith("#"))
    found: Entries = {}
    position = 0
    while position < len(body):
        match = _ENTRY.match(body, position)
        hashes = _HASH.findall(match["hashes"]) if match else []
        if match is None or not hashes:
            line = body[position:].partition("\n")[0]
            raise UserError(f"lock file: {line!r} pins no version with hashes; run 'make lock'")
        found[match["name"]] = (match["pin"], hashes)
        position = match.end()
    return found


def written(entries: Entries, about: str) -> str:
    """The text of a lock file, as pip reads it."""
    return _HEADER.format(about=about) + "".join(
        " \\\n    ".join([pin, *(f"--hash={digest}" for digest in sorted(hashes))]) + "\n"
        for _, (pin, hashes) in sorted(entries.items()))


def split(entries: Entries, torch_cpu: Entries) -> dict[Path, Entries]:
    """What was resolved for the project, by the file that gets it.

    Raises UserError when `torch_cpu`, the CPU builds, is of another torch.
    """
    asked, had = f"{entries['torch'][0]}+cpu", torch_cpu["torch"][0]
    if asked != had:
        raise UserError(f"{TORCH_CPU} has {had}, and pyproject.toml asks for {asked}; put its pin "
                        "and the hashes there that pytorch.org's page of CPU packages shows")
    return {
        ALL: {name: entry for name, entry in entries.items() if not _FOR_CUDA.match(name)},
        CUDA: {name: entry for name, entry in entries.items() if _FOR_CUDA.match(name)},
        BUILD: {"setuptools": entries["setuptools"]},
    }


def _resolved(earlier: Sequence[Path], upgrade: bool, *asked: str, wanted: str = "") -> Entries:
    """What uv resolves `asked` to; pins of the `earlier` files that fit stay without `upgrade`."""
    kept = "".join(f"{pin}\n" for pin in _pins(earlier)) if not upgrade else ""
    with tempfile.TemporaryDirectory(prefix="lock-") as folder:
        return _compiled(Path(folder) / "kept.txt", kept, asked, wanted)


def _compiled(file: Path, kept: str, asked: Sequence[str], wanted: str) -> Entries:
    write_text(file, kept)
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal",
               "--generate-hashes", "--no-header", "--no-annotate", "--python-version", "3.11",
               "--output-file", str(file), *asked]
    # uv does not read pip's settings; a company's certificates are in one of them.
    certificates = os.environ.get("PIP_CERT")
    variables = {**({"SSL_CERT_FILE": certificates} if certificates else {}), **os.environ}
    done = processes.run(command, input=wanted, stdout=subprocess.PIPE, text=True, env=variables)
    if done.returncode != 0:
        raise UserError("no versions were found that fit together; see above")
    return parsed(read_text(file))


def _pins(files: Sequence[Path]) -> Iterator[str]:
    for file in files:
        if file.exists():
            yield from (pin for pin, _ in parsed(read_text(file)).values())


def main() -> None:
    if importlib.util.find_spec("uv") is None:
        raise UserError(f"{sys.executable} has no uv, the resolver; call 'make lock', which "
                        "installs it first")
    os.chdir(_ROOT)
    upgrade = "--upgrade" in sys.argv[1:]
    files = split(_resolved([ALL, CUDA], upgrade, "--extra", "test", "pyproject.toml"),
                  parsed(read_text(TORCH_CPU)))
    for path, wanted in ((KENLM, "kenlm"), (KENLM_BUILD, "cmake>=3.10"), (RESOLVER, "uv")):
        files[path] = _resolved([path], upgrade, "--no-deps", "-", wanted=wanted)
    for path, entries in files.items():
        write_text(path, written(entries, ABOUT[path]))


if __name__ == "__main__":
    run_command(main)
