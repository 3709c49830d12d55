"""An answer depends on the item and the system alone: not on other items, order, or the past.

Walks all entrants of the suites (`tests.systems.entrants`). A test set is shuffled, split and
enlarged as a user would do it, by naming files of one item each in another order.
"""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.errors import UserError
from pipeline.running.answering import Answering
from pipeline.systems.base import System
from pipeline.tasks.contract import OwnFile
from pipeline.tasks.forecast.systems import esrnn
from tests.systems.entrants import Entrant
from tests.systems.loaded import loaded
from tests.systems.pieces import odd, pieces
from tests.systems.trained import ENTRANTS, ROOT, Tracks, Trained, raw, same_answers
from tests.tasks.answers import without_ids
from tests.trials import trials

ITEMS = 4  # some systems take a second for one
FEW = 2
# Of the hundred by which a network that smooths is fitted to a series that is new to it, here to an
# odd one: they take seconds for each.
ADAPTATION_STEPS = trials(30, 100)


@dataclass
class Inputs:
    """A track's test items as files of one item each, and odd ones; what was prepared of them."""

    known: list[Path]
    odd: list[Path]
    folder: Path
    _prepared: dict[tuple[Path, ...], Path] = field(default_factory=dict)

    def prepared(self, files: Sequence[Path], answering: Answering) -> Path:
        """A test folder of the files in this order. Raises UserError for what is no input."""
        key = tuple(files)
        if key not in self._prepared:
            folder = self.folder / f"prepared-{len(self._prepared)}"
            folder.mkdir(exist_ok=True)
            answering.own.prepare([OwnFile(file.name, file) for file in files],
                                  answering.trained, folder)
            self._prepared[key] = folder
        return self._prepared[key]


@pytest.fixture(scope="module")
def inputs_of(small_tracks: Tracks,
              tmp_path_factory: pytest.TempPathFactory) -> Callable[[Entrant], Inputs]:
    """Gives the inputs of an entrant's track."""
    made: dict[str, Inputs] = {}

    def of(entrant: Entrant) -> Inputs:
        if entrant.track not in made:
            folder, track = tmp_path_factory.mktemp(entrant.track), small_tracks[entrant.track]
            (folder / "raw").mkdir()
            written = raw(entrant.task).write_raw(track.test, folder / "raw", track.corpus)
            known = pieces(written, folder / "pieces")
            made[entrant.track] = Inputs(
                known[:ITEMS], odd(entrant.task, known, folder / "odd"), folder)
        return made[entrant.track]
    return of


@dataclass(frozen=True)
class Asked:
    """A saved system that has been read back, and the inputs of its track."""

    answering: Answering
    inputs: Inputs

    @property
    def system(self) -> System:
        return self.answering.system

    @property
    def variants(self) -> list[Any]:
        return list((self.system.settings.variants or {"": None}).values())

    def answers(self, files: Sequence[Path], variant: Any) -> list[dict[str, Any]]:
        return without_ids(self.system.predict(
            self.inputs.prepared(files, self.answering), variant))

    def answered(self, variant: Any) -> list[Path]:
        """The odd files that get an answer, without NaN; the others get a plain error."""
        answering, found = replace(self.answering, variant=variant), []
        for file in self.inputs.odd:
            try:
                rows = list(answering.predict([str(file)]))
            except UserError as error:
                assert file.name in str(error)
            else:
                assert json.dumps(rows, allow_nan=False)
                found.append(file)
        return found


@pytest.fixture
def asked(request: pytest.FixtureRequest, trained: Callable[[Entrant], Trained],
          inputs_of: Callable[[Entrant], Inputs], monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setattr(esrnn, "_ADAPTATION_STEPS", ADAPTATION_STEPS)
    return Asked(loaded(trained(request.param).model), inputs_of(request.param))


every_entrant = pytest.mark.parametrize("asked", ENTRANTS, ids=str, indirect=True)


@pytest.mark.fuzz
@every_entrant
def test_an_answer_is_the_same_in_any_company(asked: Asked) -> None:
    """Alone, among part of the items, among more, in another order, beside odd ones.

    The odd ones (empty, unknown, longer than the longest) are answered or named in a plain error.
    """
    known = asked.inputs.known
    for variant in asked.variants:
        whole = dict(zip(known, asked.answers(known, variant), strict=True))
        others = asked.answered(variant)
        for files in (beginnings if asked.system.running_text else companies)(known, others):
            for file, found in zip(files, asked.answers(files, variant), strict=True):
                assert file not in whole or same_answers(found, whole[file]), file.name


def companies(known: list[Path], others: list[Path]) -> list[list[Path]]:
    """One of the `known` files, some in another order, and all among others, two of them twice."""
    generator = np.random.default_rng(0)
    mixed = [known[place] for place in generator.permutation(len(known))]
    return [known[1:2], mixed[:FEW], [*others, *mixed, *known[:2]],
            *([[*known, *others][place] for place in generator.integers(
                0, len(known) + len(others), generator.integers(1, 2 * len(known)))]
              for _ in range(trials(0, 20)))]


def beginnings(known: list[Path], others: list[Path]) -> list[list[Path]]:
    """Beginnings of the text of the `known` files, and the text with others behind it."""
    return [*(known[:length] for length in range(1, len(known), 2)), [*known, *others]]


@every_entrant
def test_an_answer_depends_on_nothing_that_was_before(asked: Asked) -> None:
    """Neither on random states and defaults of the process, nor on what was asked meanwhile."""
    files = asked.inputs.known[:FEW]
    for variant in asked.variants:
        expected = asked.answers(files, variant)
        with another_state(asked.system):
            state = process_state()
            assert asked.answers(files, variant) == expected
            assert process_state() == state
        folder = asked.inputs.prepared(files, asked.answering)
        side_by_side = zip(*(asked.system.predict(folder, variant) for _ in range(2)), strict=True)
        assert [without_ids(pair) for pair in side_by_side] == [[one, one] for one in expected]


def process_state() -> list[Any]:
    """What an answer must leave as it was."""
    return [torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_rng_state().tolist(),
            random.getstate(), np.random.get_state()[1].tolist()]  # noqa: NPY002, as above


@contextmanager
def another_state(system: System) -> Iterator[None]:
    """Within, all that a process has of its own is another, and a network is in training."""
    torch.manual_seed(987)
    random.seed(987)
    np.random.seed(987)  # noqa: NPY002, a library may draw from it
    torch.set_default_dtype(torch.float64)
    learning(system, True)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)
        learning(system, False)


def learning(system: System, mode: bool) -> None:
    if isinstance(system, nn.Module):
        system.train(mode)


ANSWERS = """
import json, sys
from pathlib import Path
import torch
from tests.systems.loaded import loaded
torch.set_num_threads(1)
for model, folder in json.load(sys.stdin):
    system = loaded(Path(model)).system
    for variant in (system.settings.variants or {"": None}).values():
        print(json.dumps([*system.predict(Path(folder), variant)]))
"""


def test_another_process_gives_the_same_bytes(
        trained: Callable[[Entrant], Trained], inputs_of: Callable[[Entrant], Inputs]) -> None:
    """All entrants in one process, in the opposite order."""
    calls, expected = [], []
    for entrant in reversed(ENTRANTS):
        asked = Asked(loaded(trained(entrant).model), inputs_of(entrant))
        folder = asked.inputs.prepared(asked.inputs.known[:FEW], asked.answering)
        calls.append([str(trained(entrant).model), str(folder)])
        expected += [json.dumps([*asked.system.predict(folder, variant)])
                     for variant in asked.variants]
    found = subprocess.run([sys.executable, "-c", ANSWERS], input=json.dumps(calls), text=True,
                           capture_output=True, check=True, cwd=ROOT).stdout
    assert found.splitlines() == expected
