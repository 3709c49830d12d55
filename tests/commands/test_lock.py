"""The lock file that `make lock` writes from pip's report."""

import re

from pipeline.commands.lock import locked
from tests.conftest import ROOT


def test_versions_without_local_parts_and_without_cuda() -> None:
    report = {"install": [{"metadata": {"name": name, "version": version}} for name, version in (
        ("torch", "2.13.0+cpu"), ("Ruamel.YAML", "0.19.1"), ("zc.lockfile", "4.0"),
        ("nvidia-cublas-cu12", "12.8"), ("triton", "3.7"), ("cuda-bindings", "13"),
        ("unrolled", "0.1.0"))]}
    assert locked(report).splitlines()[2:] == [
        "ruamel-yaml==0.19.1", "torch==2.13.0", "zc-lockfile==4.0"]


def test_the_committed_lock_has_its_form() -> None:
    header, lines = locked({"install": []}), (ROOT / "requirements.lock").read_text("utf-8")
    assert lines.startswith(header)
    entries = lines.removeprefix(header).splitlines()
    names = [entry.partition("==")[0] for entry in entries]
    assert len(set(names)) == len(names) and {"cyclopts", "setuptools", "torch"} <= set(names)
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+( ; .+)?", entry) for entry in entries)
