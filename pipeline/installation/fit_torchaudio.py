"""Fit torchaudio to the torch that is installed.

torchaudio's wheel for Linux is compiled for CUDA, and beside a CPU build of torch its native
libraries do not load, so `import torchaudio` fails. Without those libraries torchaudio runs in its
supported pure-Python mode, which holds every transform that this project uses. This step moves
them aside when, and only when, torch is a CPU build and torchaudio fails to import because of
them; with a CUDA build, or a torchaudio that imports, it does nothing.

Run once after installation: `python -m pipeline.installation.fit_torchaudio`.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.storage.files import put_in_place

ASIDE = "built-for-cuda"


def fit_torchaudio() -> str:
    """Move the CUDA libraries aside if they are what breaks the import; say what was done.

    Raises UserError when torchaudio is missing or cannot be imported for another reason.
    """
    failure = _import_error()
    if failure is None:
        return "torchaudio imports; nothing to do"
    specification = importlib.util.find_spec("torchaudio")
    if specification is None or specification.origin is None:
        raise UserError("torchaudio is not installed; run 'make install'")
    libraries = Path(specification.origin).parent / "lib"
    native = sorted(libraries.glob("*.so"))
    if "Could not load this library" not in failure or _torch_has_cuda() or not native:
        raise UserError(f"torchaudio does not import: {failure.strip().splitlines()[-1]}")
    aside = libraries / ASIDE
    aside.mkdir(exist_ok=True)
    for library in native:
        put_in_place(library, aside / library.name)
    if failure := _import_error():
        raise UserError("torchaudio does not import even without its native libraries: "
                        f"{failure.strip().splitlines()[-1]}")
    return (f"torch is a CPU build and torchaudio's native libraries need CUDA: moved "
            f"{len(native)} of them to {aside}; torchaudio now runs in pure Python")


def _import_error() -> str | None:
    """What importing torchaudio prints when it fails, None when it succeeds."""
    found = subprocess.run([sys.executable, "-c", "import torchaudio"], capture_output=True,
                           text=True)
    return None if found.returncode == 0 else found.stderr


def _torch_has_cuda() -> bool:
    import torch

    return torch.version.cuda is not None


def main() -> None:
    print(fit_torchaudio())


if __name__ == "__main__":
    run_command(main)
