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
from tests.shared import first
from tests.systems.entrants import Entrant, entrants

ROOT = Path(__file__).resolve().parents[2]
ENTRANTS = entrants(ROOT)
EPOCHS = 4  # the first few steps at the full rate may overshoot
UPDATES = 24


@dataclass(frozen=True)
class Track:
    """A track's features from its smallest corpus, and that corpus."""

    fit: Path
    test: Path
    corpus: Path


class Tracks(dict[str, Track]):
    """Features of tracks of the embedded suite, made when first asked for.

    Test processes share one copy, in the folder `base`.
    """

    def __init__(self, base: Path) -> None:
        super().__init__()
        self.base = base
        self.suite = load_valid(ROOT / "params.yaml")

    def __missing__(self, key: str) -> Track:
        suite, name = self.suite, self.suite.track(key).corpus
        found = Track(self.base / "tracks" / key / "fit", self.base / "tracks" / key / "test",
                      self.base / "data" / name)
        with first(found.corpus) as is_first:
            if is_first:
                settings = suite.corpus(name).smallest()
                corpus_module(settings.module).prepare(settings, found.corpus, None)
        with first(found.fit.parent) as is_first:
            if is_first:
                found.fit.mkdir()
                found.test.mkdir()
                task_module(suite.track(key).task, "features").extract(
                    suite.features(key).smallest(), found.corpus,
                    corpus_module(suite.reader_of(key)), found.fit, found.test)
        self[key] = found
        return found


def new_system(entrant: Entrant, track: Track, **changes: Any) -> System:
    settings = entrant.settings
    if entrant.neural:
        changes["training"] = settings.training.model_copy(
            update={"epochs": EPOCHS, "warmup_steps": 0})
    settings = settings.model_copy(update={**narrow(settings), **changes})
    torch.manual_seed(1)
    system = system_class(entrant.task, settings.model)(
        settings, read_json(track.fit / "spec.json"))
    system.artefacts = track.fit / ARTEFACTS
    return system


def narrow(settings: Any) -> dict[str, Any]:
    """An epoch of few steps where a setting says how many; a search for words that gives up soon.

    To who has learnt for a few steps all words sound alike. Synthetic voices of the smallest corpus
    say more letters a second than the upper layers of an encoder have steps, and in so few steps
    the noise of a small sample outweighs what is learnt.
    """
    few: dict[str, Any] = {}
    if hasattr(settings, "updates"):
        few["updates"] = min(UPDATES, settings.updates)
    if hasattr(settings, "ctc_after"):
        few["ctc_after"] = 1
    if hasattr(getattr(settings, "output_layer", None), "noise"):
        few["output_layer"] = settings.output_layer.model_copy(update={"noise": 512})
    if not hasattr(settings, "decoding"):
        return few
    return few | {"decoding": settings.decoding.model_copy(update={
        "most": 40, "lattice_beam": 4.0, "language_weights": [1.0, 4.0], "word_scores": [0.0]})}


def answers(system: System, track: Track) -> dict[str, list[dict]]:
    """Those to all test items, by variant."""
    variants = system.settings.variants or {"": None}
    return {name: list(system.predict(track.test, variant)) for name, variant in variants.items()}


@dataclass(frozen=True)
class Trained:
    """A saved system: its folder, and what it had answered before it was saved.

    Beside the answers stand the number of its parameters and its learning curve.
    """

    model: Path
    before: Path


def make_trained(base: Path, tracks: Tracks) -> Callable[[Entrant], Trained]:
    """Gives the saved system of an entrant in `base`, fitted when it is first asked for."""
    def of(entrant: Entrant) -> Trained:
        folder = base / "trained" / entrant.name.replace("/", "-")
        found = Trained(folder / "model", folder / "before.json")
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock"):
            if not found.before.exists():
                track = tracks[entrant.track]
                system = new_system(entrant, track)
                curve = system.fit(track.fit, Run(seed=1, work=folder / "work"))
                system.save(found.model)
                write_json(found.before, {"answers": answers(system, track), "curve": curve,
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
