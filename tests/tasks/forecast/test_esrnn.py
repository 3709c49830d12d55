"""ES-RNN: its loss by hand, what it may see, and that its batches do not matter."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.systems.base import Run
from pipeline.tasks.forecast.scoring import METRICS, score
from pipeline.tasks.forecast.shared.hybrid import _Lookback, _mean_steps
from pipeline.tasks.forecast.shared.storage import load_ids, load_pasts, save_pasts
from pipeline.tasks.forecast.systems.esrnn import ESRNN, Settings
from tests.tasks.forecast.small_corpus import Features, twin

TRAINING = {"epochs": 2, "optimizer": "adam", "learning_rate": 0.01, "schedule": "cosine",
            "warmup_steps": 0, "weight_decay": 0.0, "gradient_clip": 5.0, "patience": 0}
PERIODS = {"Yearly": [], "Monthly": [12], "Hourly": [24, 168]}


def system(features: Features, **changes: Any) -> ESRNN:
    torch.manual_seed(0)
    values = {"seasonalities": PERIODS[features.spec["frequency"]], "history": 600,
              "input_window": 5, "hidden": 6, "blocks": [[1, 2], [3]], "tau": 0.4,
              "level_penalty": 1.0, "initial_smoothing": 0.5, "series_rate": 2.0,
              "attention": 0, "weights": "equal", "members": 1, "batch_size": 5, "holdout": False,
              "training": TRAINING, **changes}
    return ESRNN(Settings(track="m4", model="esrnn", **values), features.spec)


def perturbed(found: ESRNN) -> ESRNN:
    """Series of their own coefficients and seasons, as after training."""
    with torch.no_grad():
        for member in found.members:
            for parameter in member.own_parameters():
                parameter.add_(0.3 * torch.randn(parameter.shape))
    return found


def forecasts(found: ESRNN, features: Features) -> np.ndarray:
    by_id = {one["id"]: one["forecast"] for one in found.predict(features.test, None)}
    return np.array([by_id[identity] for identity in load_ids(features.test)])


@pytest.mark.parametrize("frequency", list(PERIODS))
def test_padding_does_not_change_a_forecast(frequency: str, tmp_path: Path) -> None:
    features = twin(tmp_path, frequency, series=10)
    together = perturbed(system(features, batch_size=10)).eval()
    alone = system(features, batch_size=1).eval()
    alone.load_state_dict(together.state_dict())
    np.testing.assert_allclose(forecasts(alone, features), forecasts(together, features),
                               rtol=2e-4)


def test_forecasts_scale_with_the_series(tmp_path: Path) -> None:
    """Nothing but ratios enters the network, not even where a window begins before its series."""
    features = twin(tmp_path, "Yearly", series=10)
    found = perturbed(system(features, input_window=20)).eval()
    ids, pasts = load_ids(features.test), load_pasts(features.test)

    def scaled(by: float) -> np.ndarray:
        """Forecasts of the series times `by`, which are none of those that were fitted."""
        save_pasts(features.test, ids, [by * np.array(past) for past in pasts])
        return forecasts(found, features)

    np.testing.assert_allclose(scaled(200), 100 * scaled(2), rtol=2e-4)


@pytest.mark.parametrize("frequency", ["Yearly", "Monthly"])
def test_padding_does_not_change_the_loss(frequency: str, tmp_path: Path) -> None:
    features = twin(tmp_path, frequency, series=10)
    found = perturbed(system(features, level_penalty=0.0))
    batches = found.batches(features.fit, "train", 1)
    total, terms = found.loss(batches.load(list(range(10))))
    singly = [found.loss(batches.load([row])) for row in range(10)]
    assert terms == pytest.approx(sum(terms for _, terms in singly)) == pytest.approx(10)
    torch.testing.assert_close(total, sum(total for total, _ in singly), rtol=1e-4, atol=1e-5)


def test_loss_of_one_window_by_hand(tmp_path: Path) -> None:
    """A network that answers zero forecasts level times season for every step."""
    features = twin(tmp_path, "Monthly", series=10)
    found = system(features, seasonalities=[12]).eval()
    with torch.no_grad():
        found.members[0].output.weight.zero_()
        found.members[0].output.bias.zero_()
    past = np.asarray(load_pasts(features.fit)[0])
    level, seasons = past[0], [1.0] * 12
    for t, value in enumerate(past[:-18]):
        level = 0.5 * value / seasons[t] + 0.5 * level
        seasons.append(0.5 * value / level + 0.5 * seasons[t])
    coming = np.resize(seasons[-12:], 18)
    error = np.log(past[-18:]) - np.log(level * coming)
    expected = np.mean(np.where(error > 0, 0.4 * error, -0.6 * error))
    total, terms = found.loss(found.batches(features.fit, "valid", 1).load([0]))
    assert terms == 1
    assert float(total.detach()) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("holdout", "same"), [(True, True), (False, False)])
def test_held_out_points_are_never_learnt_from(holdout: bool, same: bool,
                                               tmp_path: Path) -> None:
    features = twin(tmp_path, "Monthly", series=10)
    found = system(features, holdout=holdout)
    batches = found.batches(features.fit, "train", 1)
    batch = batches.load([3])
    changed = {**batch, "values": batch["values"].clone()}
    changed["values"][:, -18:] *= 3
    first, second = found.loss(batch)[0], found.loss(changed)[0]
    assert torch.allclose(first, second) == same


def test_training_learns_and_every_parameter_has_a_gradient(tmp_path: Path) -> None:
    features = twin(tmp_path, "Monthly", series=10)
    found = system(features)
    total, terms = found.loss(found.batches(features.fit, "train", 1).load(list(range(10))))
    (total / terms).backward()
    for name, parameter in found.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    curve = found.fit(features.fit, Run(1, tmp_path / "work"))
    assert curve[-1]["loss"] < curve[0]["loss"]
    expected = forecasts(found, features)
    found.save(tmp_path / "model")
    np.testing.assert_array_equal(forecasts(ESRNN.load(tmp_path / "model"), features), expected)


def test_twelve_series_are_learnt_well_enough_to_beat_naive2(tmp_path: Path) -> None:
    features = twin(tmp_path, "Yearly", series=40)
    found = system(features, hidden=16, level_penalty=50.0, holdout=True,
                   training={**TRAINING, "epochs": 15})
    found.fit(features.fit, Run(1, tmp_path / "work"))
    items = score(list(found.predict(features.test, None)), features.test)
    assert items.score(METRICS["owa"]) < 0.95


def test_an_epoch_has_every_series_once_in_an_order_of_its_own(tmp_path: Path) -> None:
    features = twin(tmp_path, "Yearly", series=23)
    batches = system(features).batches(features.fit, "train", 1)
    plans = [batches.plan(epoch) for epoch in (0, 1, 0)]
    assert plans[0] == plans[2] != plans[1]
    for plan in plans:
        assert sorted(row for rows in plan for row in rows) == list(range(23))


def test_first_seasons_are_found_in_the_past(tmp_path: Path) -> None:
    """A level with a day and a week in it comes apart into the two."""
    features = twin(tmp_path, "Hourly", series=10)
    day = 1 + 0.3 * np.sin(2 * np.pi * np.arange(24) / 24)
    week = np.repeat([1.0, 1.1, 0.9, 1.0, 1.1, 0.9, 1.0], 24)
    past = 50 * np.resize(day, 504) * np.resize(week, 504)
    save_pasts(features.fit, load_ids(features.fit), [past] * 10)
    found = system(features, training={**TRAINING, "epochs": 1, "learning_rate": 1e-9})
    found.fit(features.fit, Run(1, tmp_path / "work"))
    seasons = found.members[0].log_seasons[0].detach()
    product = seasons[:24].repeat(7) + seasons[24:]
    expected = torch.from_numpy(np.log(np.resize(day, 168) * week)).float()
    torch.testing.assert_close(product, expected - expected.mean(), atol=0.01, rtol=0)


def test_values_that_have_no_logarithm_are_named(tmp_path: Path) -> None:
    features = twin(tmp_path, "Yearly", series=10)
    pasts = [np.array(past) for past in load_pasts(features.fit)]
    pasts[4][-1] = 0.0
    save_pasts(features.fit, load_ids(features.fit), pasts)
    with pytest.raises(UserError, match="'Y5' has values that are not positive"):
        system(features).batches(features.fit, "train", 1)


def test_series_too_short_for_a_window_are_forecast_too(tmp_path: Path) -> None:
    features = twin(tmp_path, "Yearly", series=10)
    pasts = [np.array(past) for past in load_pasts(features.fit)]
    pasts[0], pasts[1] = pasts[0][:3], pasts[1][:9]
    for folder in (features.fit, features.test):
        save_pasts(folder, load_ids(folder), pasts)
    found = system(features)
    batches = found.batches(features.fit, "train", 1)
    assert sorted(row for rows in batches.plan(0) for row in rows) == list(range(1, 10))
    assert torch.isfinite(found.loss(batches.load([1]))[0])
    assert np.all(np.isfinite(forecasts(found.eval(), features)))


def test_members_are_averaged(tmp_path: Path) -> None:
    features = twin(tmp_path, "Monthly", series=10)
    found = perturbed(system(features, members=3)).eval()
    alone = []
    for member in found.members:
        single = system(features).eval()
        single.members[0].load_state_dict(member.state_dict())
        alone.append(forecasts(single, features))
    assert np.abs(alone[0] - alone[1]).max() > 0
    np.testing.assert_allclose(forecasts(found, features), np.mean(alone, axis=0), rtol=1e-5)
    batch = found.batches(features.fit, "valid", 1).load([1, 2])
    expected = np.mean([float(member.loss(batch)[0].detach()) for member in found.members])
    assert float(found.loss(batch)[0].detach()) == pytest.approx(expected, rel=1e-5)


def test_attention_looks_back_and_no_further() -> None:
    """A state at 20 moves with its 4 last and with nothing else; weights of a mean sum to 1."""
    torch.manual_seed(0)
    lookback = _Lookback(6, 4)
    states = torch.randn(2, 30, 6)
    for place, moved in ((16, False), (17, True), (20, True), (21, False)):
        changed = states.clone()
        changed[:, place] += 1
        same = torch.equal(lookback(changed)[:, 20], lookback(states)[:, 20])
        assert same != moved, place
    torch.testing.assert_close(lookback(torch.ones(1, 9, 6)), torch.ones(1, 9, 6))


def test_attention_learns_and_padding_does_not_change_it(tmp_path: Path) -> None:
    features = twin(tmp_path, "Yearly", series=10)
    found = perturbed(system(features, attention=5, batch_size=10))
    total, terms = found.loss(found.batches(features.fit, "train", 1).load(list(range(10))))
    (total / terms).backward()
    assert found.members[0].attention.query.weight.grad.abs().sum() > 0
    alone = system(features, attention=5, batch_size=1)
    alone.load_state_dict(found.state_dict())
    np.testing.assert_allclose(forecasts(alone, features), forecasts(found, features), rtol=2e-4)


def test_spread_is_the_mean_step_within_the_window() -> None:
    values = torch.tensor([[1.0, 3, 2, 2, 7]])
    expected = [1e-4, 2, 1.5, 0.5, 2.5]
    torch.testing.assert_close(_mean_steps(values, 3), torch.tensor([expected]))


def test_a_series_that_was_trained_on_is_forecast_alike_as_one_that_was_not(
        tmp_path: Path) -> None:
    features = twin(tmp_path, "Monthly", series=30)
    found = system(features, hidden=12, training={**TRAINING, "epochs": 10})
    found.fit(features.fit, Run(1, tmp_path / "work"))
    ids, pasts = load_ids(features.test), load_pasts(features.test)
    before = {name: tensor.clone() for name, tensor in found.state_dict().items()}
    adapted = found.forecast(ids[:6], pasts[:6], None).points
    assert all(torch.equal(before[name], tensor) for name, tensor in found.state_dict().items())
    trained = forecasts(found, features)[:6]
    assert np.median(np.abs(np.log(adapted / trained))) < 0.05
    np.testing.assert_array_equal(found.forecast(ids[:6], pasts[:6], None).points, adapted)
