"""The networks: their likelihoods by hand and by brute force, and that they learn what follows."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.storage.files import read_json
from pipeline.systems.base import Run, seeded
from pipeline.tasks.music.scoring import METRICS, score
from pipeline.tasks.music.shared.roll_model import RollModel
from pipeline.tasks.music.shared.rolls import KEYS, LOWEST, Rolls, roll_of
from tests.tasks.music.models import CLASSES, SPEC, new

STEPS = [[60, 67], [62, 69], [], [64, 71], [64, 71], [60, 72]]
FEW = SPEC | {"lowest_key": 40, "highest_key": 43}


def rolls(*pieces: list[list[int]]) -> torch.Tensor:
    return torch.from_numpy(np.stack([roll_of(steps) for steps in pieces])).float()


def losses(system: RollModel, *pieces: list[list[int]]) -> torch.Tensor:
    """Nats [pieces, T - 1] of pieces of one length."""
    batch = rolls(*pieces)
    with torch.no_grad():
        found = system.nats(batch, torch.ones(batch.shape[:2], dtype=torch.bool)[:, 1:])
    return found.view(len(pieces), -1)


def every_step(low: int, high: int) -> list[list[int]]:
    """All sets of the pitches of keys `low` to `high`."""
    pitches = range(low + LOWEST, high + LOWEST + 1)
    return [list(chosen) for size in range(len(pitches) + 1)
            for chosen in itertools.combinations(pitches, size)]


def test_a_network_without_weights_by_hand() -> None:
    system = new("recurrent")
    with torch.no_grad():
        system.output.weight.zero_()
        system.output.bias.fill_(-math.log(3))  # each key sounds with probability 1 / 4
        system.output.bias[60 - LOWEST] = 0.0
    found = losses(system, [[60], [60, 64], []])
    others = -(KEYS - 1) * math.log(3 / 4)
    torch.testing.assert_close(found, torch.tensor([[
        math.log(2) + others + math.log(3), math.log(2) + others]]))


@pytest.mark.parametrize("below", [1, 3])
def test_time_and_note_likelihoods_sum_to_one_over_all_steps(below: int) -> None:
    system = new("time_note", FEW, below=below)
    assert system.span == 4
    prefix = [[62, 63], [61], []]
    following = losses(system, *[[*prefix, step] for step in every_step(40, 43)])[:, -1]
    assert len(following) == 16 and following.std() > 0.01
    silent = 1 - 1 / (FEW["predicted_steps"] + 2)  # of each key outside the span
    assert following.double().neg().exp().sum().item() == pytest.approx(
        silent ** (KEYS - 4), rel=1e-5)


def test_keys_outside_the_span_have_a_small_probability() -> None:
    system = new("time_note", FEW)
    inside, outside = losses(system, [[62], [62, 63]], [[62], [62, 63, 100]])[:, 0].tolist()
    assert outside - inside == pytest.approx(math.log(FEW["predicted_steps"] + 1), rel=1e-5)


def test_transposition_widens_the_span() -> None:
    wide = new("time_note", FEW, transpose=3)
    assert (wide.low, wide.high) == (37, 47)
    widest = new("time_note", FEW | {"lowest_key": 1, "highest_key": 86}, transpose=3)
    assert (widest.low, widest.high) == (0, KEYS)


@pytest.mark.parametrize("model", list(CLASSES))
def test_key_probabilities_are_the_factors_of_the_likelihood(model: str) -> None:
    system = new(model)
    found = system.expected(roll_of(STEPS))
    sounds = roll_of(STEPS)[1:]
    expected = -np.log(np.where(sounds == 1, found, 1 - found)).sum(axis=1)
    np.testing.assert_allclose(losses(system, STEPS)[0].numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("model", list(CLASSES))
def test_neither_the_future_nor_higher_keys_are_seen(model: str) -> None:
    system = new(model)
    before = system.expected(roll_of(STEPS))
    changed = [*STEPS[:3], [64, 70], [61], []]
    after = system.expected(roll_of(changed))
    np.testing.assert_array_equal(before[:2], after[:2])
    place = 70 - LOWEST  # the lowest key that differs at the step 4
    np.testing.assert_allclose(before[2, : place + 1], after[2, : place + 1], rtol=1e-6)
    assert not np.allclose(before[3], after[3])
    assert np.allclose(before[2], after[2]) == (model == "recurrent")


@pytest.mark.parametrize("model", list(CLASSES))
def test_reading_step_by_step_is_reading_at_once(model: str) -> None:
    """What a composer expects is what the likelihood is about."""
    system, count = new(model, FEW), 4000
    state, generator = system.begin(count), seeded(2)
    for step in STEPS[:4]:
        expected, state = system.read(rolls([step])[0].expand(count, -1), state)
    with torch.no_grad():
        drawn = system.draw(expected, 1.0, generator)
    shares = drawn.mean(dim=0)
    every = every_step(40, 43)
    if model == "recurrent":
        np.testing.assert_allclose(shares, system.expected(roll_of(STEPS[:5]))[3], atol=0.03)
        return
    likelihoods = losses(system, *[[*STEPS[:4], step] for step in every])[:, -1].neg().exp()
    found = [(drawn == rolls([step])[0]).all(dim=1).float().mean().item() for step in every]
    assert sum(found) == pytest.approx(1)
    np.testing.assert_allclose(found, (likelihoods / likelihoods.sum()).numpy(), atol=0.03)


@pytest.mark.parametrize("model", list(CLASSES))
def test_padding_and_company_change_no_likelihood(model: str) -> None:
    system = new(model)
    batch = rolls(STEPS, [*STEPS[:3], [], [], []])
    inside = torch.tensor([[True] * 5, [True, True, False, False, False]])
    with torch.no_grad():
        together = system.nats(batch, inside)
    alone = torch.cat([losses(system, STEPS)[0], losses(system, STEPS[:3])[0]])
    torch.testing.assert_close(together, alone)
    total, terms = system.loss({"rolls": batch, "lengths": torch.tensor([6, 3])})
    assert terms == 7
    torch.testing.assert_close(total, alone.sum())


def test_a_key_sees_others_relative_to_itself() -> None:
    system = new("time_note", SPEC | {"lowest_key": 0, "highest_key": 87}, vicinity=2, beats=4)
    seen = system.seen(rolls([[60, 64], [72], []]).transpose(0, 1), first=3)
    assert seen.shape == (3, 1, KEYS, 5 + 12 + 1 + 4)
    at = seen[:, 0, 62 - LOWEST]
    assert at[0, :5].tolist() == [1, 0, 0, 0, 1]  # 60 two keys below, 64 two above
    assert at[0, 5:17].nonzero().flatten().tolist() == [2, 10]  # classes up from D: E, and C
    assert at[1, 5:17].nonzero().flatten().tolist() == [10]  # the C an octave higher
    assert at[:, 18:].argmax(dim=1).tolist() == [3, 0, 1]  # steps 3, 4, 5 of bars of 4
    assert seen[0, 0, 0, :2].tolist() == [0, 0]  # beyond the keyboard nothing sounds


@pytest.mark.parametrize("model", list(CLASSES))
def test_it_learns_which_chord_follows(model: str, extracted: Path, tmp_path: Path) -> None:
    system = new(model, read_json(extracted / "fit/spec.json"))
    system.train().fit(extracted / "fit", Run(seed=1, work=tmp_path))
    found = list(system.predict(extracted / "test", None))
    statistics = score(found, extracted / "test")
    assert statistics.score(METRICS["nll"]) < 1.0  # five equally likely chords have 1.6 nats
    test = Rolls(extracted / "test", "test")
    assert [len(answer["nll"]) for answer in found] == (test.lengths - 1).tolist()
    total, terms = system.loss({"rolls": torch.from_numpy(test[2].copy())[None].float(),
                                "lengths": torch.tensor([len(test[2])])})
    assert sum(found[2]["nll"]) == pytest.approx(float(total.detach()), abs=1e-3)


@pytest.mark.parametrize("cell", ["elman", "gru-take", "gru-torch"])
def test_every_cell_reads_rolls(cell: str) -> None:
    for model in CLASSES:
        assert torch.isfinite(losses(new(model, cell=cell), STEPS)).all()
