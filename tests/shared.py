"""Folders that all processes of a test run share: the first that asks for one fills it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock


def shared_folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder of that name below what the test run calls its own."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def first(folder: Path) -> Iterator[bool]:
    """Whether this process is the one to fill the folder; the others wait until it has.

    Where one has failed, the next begins anew.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    complete = folder.with_name(f"{folder.name}.complete")
    with FileLock(f"{folder}.lock"):
        if is_first := not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        yield is_first
        complete.touch()
