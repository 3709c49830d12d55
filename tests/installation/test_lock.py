"""The lock files: every release that an installation takes, by version and hash."""

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.errors import UserError
from pipeline.installation.lock import (
    ABOUT,
    ALL,
    BUILD,
    CUDA,
    TORCH_CPU,
    Entries,
    parsed,
    split,
    written,
)
from tests.conftest import ROOT

A, B, C = ("sha256:" + digit * 64 for digit in "abc")


def entries(**versions: str) -> Entries:
    return {name.replace("_", "-"): (f"{name.replace('_', '-')}=={version}", [A])
            for name, version in versions.items()}


def test_a_lock_is_read_as_it_was_written() -> None:
    found = {"a-b": ("a-b==1.0 ; sys_platform == 'linux'", [A, B]), "c": ("c==2rc1", [C])}
    text = written(found, "About it.")
    assert text.splitlines()[2:5] == ["a-b==1.0 ; sys_platform == 'linux' \\",
                                      f"    --hash={A} \\", f"    --hash={B}"]
    assert parsed(text) == found


@pytest.mark.parametrize("line", ["a==1.0", "a", f"a>=1.0 \\\n    --hash={A}", "-r other.txt",
                                  "a==1.0 \\\n    --hash=sha256:12", "https://host/a.whl",
                                  f"a==1.0 \\\n    --hash={A}\nb==1.0"])
def test_an_entry_without_a_version_or_a_hash_is_refused(line: str) -> None:
    with pytest.raises(UserError, match="pins no version with hashes"):
        parsed(f"{line}\n")


def test_cuda_packages_stand_apart_and_the_cpu_build_is_of_the_same_torch() -> None:
    resolved = entries(torch="2.13.0", setuptools="84.2.1", nvidia_cublas="13.1", triton="3.7",
                       cuda_bindings="13.5")
    files = split(resolved, {"torch": ("torch==2.13.0+cpu", [B])})
    assert set(files[ALL]) == {"torch", "setuptools"} and set(files[BUILD]) == {"setuptools"}
    assert set(files[CUDA]) == {"nvidia-cublas", "triton", "cuda-bindings"}
    with pytest.raises(UserError, match=r"has torch==2.12.0\+cpu, and pyproject.toml asks for"):
        split(resolved, {"torch": ("torch==2.12.0+cpu", [B])})


@pytest.mark.parametrize("path", ABOUT, ids=str)
def test_the_committed_locks_have_their_form(path: Path) -> None:
    text = (ROOT / path).read_text("utf-8")
    assert written(parsed(text), ABOUT[path]) == text


def test_what_is_installed_first_is_of_the_version_that_follows() -> None:
    found = parsed((ROOT / ALL).read_text("utf-8"))
    (cpu,) = parsed((ROOT / TORCH_CPU).read_text("utf-8")).values()
    assert cpu[0] == f"{found['torch'][0]}+cpu"
    assert parsed((ROOT / BUILD).read_text("utf-8"))["setuptools"] == found["setuptools"]


def test_the_lock_names_all_that_an_installation_needs() -> None:
    """pip is told not to look for dependencies, so none may be missing."""
    pins = {name: pin for path in (ALL, CUDA)
            for name, (pin, _) in parsed((ROOT / path).read_text("utf-8")).items()}
    waiting, seen = [("unrolled", "test")], set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for text in metadata.requires(name) or []:
            wanted = Requirement(text)
            if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
                continue
            needed = canonicalize_name(wanted.name)
            assert needed in pins, f"{name} needs {text}"
            version = re.split("==| ", pins[needed])[1]
            assert wanted.specifier.contains(version, prereleases=True), (name, text, version)
            waiting += [(needed, ""), *((needed, more) for more in wanted.extras)]
