"""A system that no gradient trains comes out the same from every seed, so one training says all.

Claims, ranks and tolerances rest on it (`pipeline.results.trainings.is_deterministic`). Walks all
entrants of the suites.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.files import read_json
from pipeline.systems.base import NeuralSystem, Run, system_class
from tests.systems.entrants import Entrant
from tests.systems.trained import ENTRANTS, Tracks, Trained, answers, narrow


@pytest.mark.parametrize("entrant", [one for one in ENTRANTS if not one.neural], ids=str)
def test_another_seed_gives_the_same_answers(
        entrant: Entrant, small_tracks: Tracks, trained: Callable[[Entrant], Trained],
        tmp_path: Path) -> None:
    track, settings = small_tracks[entrant.track], entrant.settings
    settings = settings.model_copy(update=narrow(settings))
    torch.manual_seed(7)
    system = system_class(entrant.task, settings.model)(
        settings, read_json(track.fit / "spec.json"))
    system.artefacts = track.fit / ARTEFACTS
    system.fit(track.fit, Run(seed=7, work=tmp_path))
    found = json.loads(json.dumps(answers(system, track)))
    assert found == read_json(trained(entrant).before)["answers"]


@pytest.mark.parametrize("entrant", ENTRANTS, ids=str)
def test_whoever_is_trained_by_gradient_says_so_in_params_yaml(entrant: Entrant) -> None:
    """The claim that a system is deterministic is read off its entry, not off its class."""
    kind = system_class(entrant.task, entrant.settings.model)
    assert issubclass(kind, NeuralSystem) == entrant.neural
