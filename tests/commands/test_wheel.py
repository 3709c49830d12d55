"""The package: what it holds, and that it gives the command from any folder."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from pipeline.version import VERSION
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the project, built without anything from the internet."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "pipeline", folder / "pipeline",
                    ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("stages", "tests", "real"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copyfile(ROOT / name, folder / name)
    done = subprocess.run([sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--quiet",
                           "--no-build-isolation", "--wheel-dir", "wheels"], cwd=folder,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = (folder / "wheels").glob("*.whl")
    return built


def test_it_holds_the_pipeline_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = [archive.read(name).decode() for name in archive.namelist()
                       if name.endswith(".dist-info/METADATA")]
    sources = {path.relative_to(ROOT).as_posix() for pattern in ("*.py", "*.sha256", "*.tar.gz")
               for path in (ROOT / "pipeline").rglob(pattern)}
    assert names == sources
    fields = Parser().parsestr(metadata)
    assert (fields["Name"], fields["Version"]) == ("unrolled", VERSION)
    assert fields.get_all("License-File") == ["LICENSE", "NOTICE"]


def test_installed_elsewhere_it_gives_the_command(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
                           "--no-index", "--target", str(site), str(wheel)], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    command = site / "bin/unrolled"

    def unrolled(*arguments: str) -> subprocess.CompletedProcess[str]:
        path = ":".join([str(site), *(entry for entry in sys.path if entry != str(ROOT))])
        return subprocess.run([str(command), *arguments], cwd=tmp_path, capture_output=True,
                              text=True, env={"PYTHONPATH": path})

    assert unrolled("--version").stdout.strip() == VERSION
    outside = unrolled("ls")
    assert outside.returncode == 2 and "Change to a clone of Unrolled" in outside.stderr


def test_whatever_is_required_is_imported_or_needed_by_a_format() -> None:
    """pandas was required for long, and never imported."""
    required = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "dependencies"]
    names = {entry.partition(">")[0].partition("=")[0].strip() for entry in required}
    text = "\n".join(path.read_text("utf-8") for folder in ("pipeline", "stages")
                     for path in (ROOT / folder).rglob("*.py"))
    modules = {"espeakng-loader": "espeakng_loader", "pillow": "PIL", "ruamel.yaml": "ruamel.yaml",
               "typing-extensions": "typing_extensions", "markdown-it-py": "markdown_it"}
    # The C parser that ruamel.yaml finds by itself.
    for name in names - {"ruamel.yaml.clib"}:
        module = modules.get(name, name)
        assert f"import {module}" in text or f"from {module}" in text, name
