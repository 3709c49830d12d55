"""Motions against closed forms and conserved energies, and the CSV files around them."""

from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import ellipk

from pipeline.corpora import trajectories
from pipeline.corpora.twins.mechanics import GRAVITY, arm, integrate, pendulum
from pipeline.errors import UserError

PENDULUM = {"angle": 1.5, "velocity": 1.0, "steps": 8, "step": 0.25, "damping": 0.2,
            "amplitude": 0.5, "frequency": 0.7}
ARM = {"angle": 1.0, "velocity": 0.5, "steps": 6, "step": 0.05, "friction": 0.5}
OPTIONS = {"seed": 3, "train": 5, "valid": 3, "test": 4, "pendulum": PENDULUM, "arm": ARM}
SPLITS = ("train", "valid", "test")


def settings(**options: object) -> trajectories.Settings:
    return trajectories.Settings.model_validate({"module": "trajectories", **OPTIONS, **options})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("machines")
    trajectories.prepare(settings(), directory, None)
    return directory


def path_of(motion, start: list[float], times: np.ndarray) -> np.ndarray:
    return integrate(motion, np.array([start]), times, 1e-11)[0]


def test_a_pendulum_that_hardly_swings_is_a_driven_harmonic_oscillator() -> None:
    b, a, w, start = 0.3, 2e-4, 0.7, [3e-4, -1e-4]
    times = np.linspace(0, 12, 50)
    found = path_of(partial(pendulum, damping=b, amplitude=a, frequency=w), start, times)[:, 0]
    # Steady state and decaying oscillation of x'' + b x' + x = a cos(w t).
    size, lag = a / np.hypot(1 - w**2, b * w), np.arctan2(b * w, 1 - w**2)
    free = np.sqrt(1 - b**2 / 4)
    cosine = start[0] - size * np.cos(lag)
    sine = (start[1] - size * w * np.sin(lag) + b / 2 * cosine) / free
    expected = (size * np.cos(w * times - lag) + np.exp(-b / 2 * times)
                * (cosine * np.cos(free * times) + sine * np.sin(free * times)))
    assert found == pytest.approx(expected, abs=1e-10)


def test_a_free_pendulum_returns_after_its_period() -> None:
    angle = 2.0
    times = np.array([0, 4 * ellipk(np.sin(angle / 2) ** 2)])
    found = path_of(partial(pendulum, damping=0.0, amplitude=0.0, frequency=1.0), [angle, 0.0],
                    times)
    assert found[1] == pytest.approx([angle, 0], abs=1e-8)


def energy(states: np.ndarray) -> np.ndarray:
    """Of two masses of 1 kg, from where they are and how fast: states [times, 4]."""
    q1, q2, w1, w2 = states.T
    elbow = np.stack([np.cos(q1) * w1, np.sin(q1) * w1])
    hand = elbow + np.stack([np.cos(q2) * w2, np.sin(q2) * w2])
    heights = -2 * np.cos(q1) - np.cos(q2)
    return ((elbow**2).sum(axis=0) + (hand**2).sum(axis=0)) / 2 + GRAVITY * heights


def test_an_arm_without_friction_keeps_its_energy() -> None:
    states = path_of(partial(arm, friction=0.0), [1.2, -0.8, 0.5, 2.0], np.linspace(0, 3, 40))
    assert np.ptp(states, axis=0).min() > 1
    assert energy(states) == pytest.approx(energy(states)[0], rel=1e-8)


def test_friction_takes_energy_at_the_rate_of_the_joints_motion() -> None:
    friction = 0.4
    times = np.linspace(0, 1, 4001)
    states = path_of(partial(arm, friction=friction), [1.2, -0.8, 0.5, 2.0], times)
    power = friction * (states[:, 2] ** 2 + (states[:, 3] - states[:, 2]) ** 2)
    lost = np.concatenate([[0], np.cumsum((power[1:] + power[:-1]) / 2 * np.diff(times))])
    assert energy(states) == pytest.approx(energy(states)[0] - lost, abs=1e-5)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_arm_that_hardly_moves_swings_in_its_two_modes(sign: int) -> None:
    # Double pendulum of equal masses and lengths: w^2 = g (2 -+ sqrt 2), q2 = +- sqrt 2 q1.
    period = 2 * np.pi / np.sqrt(GRAVITY * (2 - sign * np.sqrt(2)))
    start = [1e-4, sign * np.sqrt(2) * 1e-4, 0.0, 0.0]
    found = path_of(partial(arm, friction=0.0), start, np.array([0, period / 2, period]))
    assert found[1] == pytest.approx(-np.array(start), abs=1e-9)
    assert found[2] == pytest.approx(start, abs=1e-9)


def test_many_paths_at_once_are_those_of_each_alone() -> None:
    motion, times = partial(arm, friction=0.2), np.linspace(0, 1, 6)
    starts = np.random.default_rng(1).uniform(-1, 1, (5, 4))
    together = integrate(motion, starts, times, 1e-11)
    assert together.shape == (5, 6, 4)
    for start, path in zip(starts, together, strict=True):
        assert path == pytest.approx(path_of(motion, start.tolist(), times), abs=1e-8)


def test_paths_are_read_as_they_were_integrated(corpus: Path) -> None:
    motions = {"pendulum": partial(pendulum, damping=0.2, amplitude=0.5, frequency=0.7),
               "arm": partial(arm, friction=0.5)}
    for machine, motion in motions.items():
        for split, size in zip(SPLITS, (5, 3, 4), strict=True):
            found = trajectories.trajectories(corpus, machine, split)
            assert [one.id for one in found] == [f"{machine}-{split}-{number}"
                                                 for number in range(1, size + 1)]
            for one in found:
                assert one.times == pytest.approx(
                    np.arange(9) / 4 if machine == "pendulum" else np.arange(7) / 20)
                again = path_of(motion, one.states[0].tolist(), one.times)
                assert one.states == pytest.approx(again, abs=1e-5)


def test_starts_are_within_bounds_and_in_no_two_splits(corpus: Path) -> None:
    for machine, bounds in (("pendulum", [1.5, 1.0]), ("arm", [1.0, 1.0, 0.5, 0.5])):
        starts = [{tuple(one.states[0]) for one in trajectories.trajectories(
            corpus, machine, split)} for split in SPLITS]
        assert all(one.isdisjoint(other) for one, other in combinations(starts, 2))
        largest = np.abs(np.array([start for split in starts for start in split])).max(axis=0)
        assert (largest <= bounds).all() and (largest > np.array(bounds) / 2).all()


HEADER = "path,time,angle,velocity"
ROWS = ["1,0.0,1,2", "1,0.5,2,3", "2,0.0,4,5", "2,0.5,6,7"]


def test_paths_by_hand(tmp_path: Path) -> None:
    (tmp_path / "pendulum_test.csv").write_text("\n".join([HEADER, *ROWS]) + "\n")
    first, second = trajectories.trajectories(tmp_path, "pendulum", "test")
    assert first.times.tolist() == [0, 0.5]
    assert first.states.tolist() == [[1, 2], [2, 3]]
    assert second.id == "pendulum-test-2" and second.states.tolist() == [[4, 5], [6, 7]]


@pytest.mark.parametrize(("lines", "message"), [
    ([HEADER + ",more", *ROWS], "line 1: expected the columns path,time,angle,velocity"),
    ([HEADER, "1,0.0,1"], "line 2: expected 4 numbers, got '1,0.0,1'"),
    ([HEADER, *ROWS[:3], "2,0.5,x,7"], "line 5: expected 4 numbers"),
    ([HEADER, *ROWS[:3], "2,0.5,nan,7"], "line 5: expected 4 numbers"),
    ([HEADER, *ROWS[:2], "2,0.0,4,5", "2,0.6,6,7"], "line 4: path 2 does not begin at time 0"),
    ([HEADER, *ROWS[:2], "2,0.0,4,5"], "line 4: path 2 does not begin at time 0, or has other"),
    ([HEADER, "1,0.5,2,3"], "line 2: path 1 does not begin at time 0"),
    ([HEADER], "has no path"),
])
def test_a_file_of_another_form_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    (tmp_path / "pendulum_valid.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match=f"pendulum_valid.csv(, )?.*{message}"):
        trajectories.trajectories(tmp_path, "pendulum", "valid")


def test_the_same_seed_writes_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    trajectories.prepare(settings(), tmp_path, None)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 6
    assert all((tmp_path / name).read_bytes() == (corpus / name).read_bytes() for name in names)


def test_each_machine_has_its_own_constants() -> None:
    with pytest.raises(ValidationError, match="friction"):
        settings(pendulum=PENDULUM | {"friction": 0.1})
