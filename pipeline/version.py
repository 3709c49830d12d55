"""The version of a trained system: one hash of everything that its training depends on.

The same settings, data and code give the same version on every machine, whatever the folder and
the files' dates. A resume checkpoint is taken up again only by its own version, and a run in the
tracking store is found by it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Suite
from pipeline.dependencies import modules_used
from pipeline.errors import UserError
from pipeline.files import sha256
from pipeline.inputs import entry_points, trained_params


@dataclass(frozen=True)
class Version:
    """16 hexadecimal digits of SHA-256 each; `hash` is that of the other three."""

    params: str
    data: str
    code: str
    hash: str


def system_version(root: Path, suite: Suite, key: str, seed: int) -> Version:
    """The version of system `key` trained with `seed` on the features that are there now."""
    entry = suite.systems[key]
    features = root / suite.directory / "features" / entry["track"] / "fit"
    code = modules_used(root, entry_points(suite, "train", key))
    params = params_hash(suite, key, seed)
    data = _data_hash(features)
    contents = _contents_hash(root, (root / path for path in code))
    return Version(params, data, contents, _short(f"{params} {data} {contents}"))


def params_hash(suite: Suite, key: str, seed: int) -> str:
    """The part of the version that params.yaml alone decides."""
    return _short(json.dumps(trained_params(suite, key, seed), sort_keys=True))


def _data_hash(folder: Path) -> str:
    if not folder.is_dir():
        raise UserError(f"{folder} does not exist; run the features stage of this track")
    return _contents_hash(folder, (path for path in folder.rglob("*") if path.is_file()))


def _contents_hash(base: Path, files: Iterable[Path]) -> str:
    names = {path.relative_to(base).as_posix(): path for path in files}
    return _short("\n".join(f"{name} {sha256(names[name])}" for name in sorted(names)))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
