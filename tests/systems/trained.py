"""Every entrant on its track's smallest corpus, fitted once for all tests of its answers."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from filelock import FileLock

from pipeline.modules import corpus_module, task_module
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.files import read_json, write_json
from pipeline.suite.checks import load_valid
from pipeline.systems.base import Run, System, system_class
from tests.systems.entrants import Entrant, entrants

ROOT = Path(__file__).resolve().parents[2]
ENTRANTS = entrants(ROOT)
EPOCHS = 2


@dataclass(frozen=True)
class Track:
    """A track's features from its smallest corpus, and that corpus."""

    fit: Path
    test: Path
    corpus: Path


def make_tracks(base: Path) -> dict[str, Track]:
    """Features of every track of the embedded suite in `base`; test processes share one copy."""
    base.mkdir(exist_ok=True)
    suite = load_valid(ROOT / "params.yaml")
    with FileLock(base / "lock"):
        if not (base / "complete").exists():
            for key in suite.corpora:
                settings = suite.corpus(key).smallest()
                (base / "data" / key).mkdir(parents=True, exist_ok=True)
                corpus_module(settings.module).prepare(settings, base / "data" / key, None)
            for key, track in suite.tracks.items():
                fit, test = base / key / "fit", base / key / "test"
                for folder in (fit, test):
                    folder.mkdir(parents=True, exist_ok=True)
                task_module(track.task, "features").extract(
                    suite.features(key).smallest(), base / "data" / track.corpus,
                    corpus_module(suite.reader_of(key)), fit, test)
            (base / "complete").touch()
    return {key: Track(base / key / "fit", base / key / "test", base / "data" / track.corpus)
            for key, track in suite.tracks.items()}


def new_system(entrant: Entrant, track: Track, epochs: int = EPOCHS, **changes: Any) -> System:
    settings = entrant.settings
    if entrant.neural:
        changes["training"] = settings.training.model_copy(
            update={"epochs": epochs, "warmup_steps": 0})
    settings = settings.model_copy(update={**narrow(settings), **changes})
    torch.manual_seed(1)
    system = system_class(entrant.task, settings.model)(
        settings, read_json(track.fit / "spec.json"))
    system.artefacts = track.fit / ARTEFACTS
    return system


def narrow(settings: Any) -> dict[str, Any]:
    """A search for words that gives up soon: to who has learnt for a few steps all sound alike."""
    if not hasattr(settings, "decoding"):
        return {}
    return {"decoding": settings.decoding.model_copy(update={
        "most": 40, "lattice_beam": 4.0, "language_weights": [1.0, 4.0], "word_scores": [0.0]})}


def fitted(entrant: Entrant, track: Track, work: Path, epochs: int = EPOCHS) -> System:
    system = new_system(entrant, track, epochs)
    system.fit(track.fit, Run(seed=1, work=work))
    return system


def answers(system: System, track: Track) -> dict[str, list[dict]]:
    """Those to all test items, by variant."""
    variants = system.settings.variants or {"": None}
    return {name: list(system.predict(track.test, variant)) for name, variant in variants.items()}


@dataclass(frozen=True)
class Trained:
    """A saved system: its folder, and what it had answered before it was saved."""

    model: Path
    before: Path


def make_trained(base: Path, tracks: dict[str, Track]) -> Callable[[Entrant], Trained]:
    """Gives the saved system of an entrant in `base`, fitted when it is first asked for."""
    def of(entrant: Entrant) -> Trained:
        folder = base / "trained" / entrant.name.replace("/", "-")
        found = Trained(folder / "model", folder / "before.json")
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock"):
            if not found.before.exists():
                system = fitted(entrant, tracks[entrant.track], folder / "work")
                system.save(found.model)
                write_json(found.before, {"answers": answers(system, tracks[entrant.track]),
                                          "parameters": system.parameters_count})
        return found
    return of


def raw(task: str) -> ModuleType:
    """How the tests of a task write test items as the files that a user would hold."""
    return importlib.import_module(f"tests.tasks.{task}.raw")


def same_answers(found: Any, wanted: Any) -> bool:
    """Equal decisions, and numbers as near as sums in another order leave them."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(
            same_answers(found[name], value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same_answers, found, wanted))
    if isinstance(wanted, float):
        return abs(found - wanted) <= 1e-5 * max(1.0, abs(wanted))
    return found == wanted
