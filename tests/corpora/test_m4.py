"""M4's files: reading, what is wrong with broken ones, and the embedded twin."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.corpora import m4
from pipeline.corpora.twins import m4_twin
from pipeline.errors import UserError


def write(directory: Path, train: str, test: str, frequency: str = "Yearly") -> None:
    for part, text in (("Train", train), ("Test", test)):
        path = directory / part / f"{frequency}-{part.lower()}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


TRAIN = '"V1","V2","V3","V4"\n"Y1","1","2.5","3"\n"Y2","4","5",\n'
TEST = ('"V1","V2","V3","V4","V5","V6","V7"\n"Y2","1","2","3","4","5","6"\n'
        '"Y1","7","8","9","10","11","12.5"\n')


def test_series_are_read_with_their_own_lengths_and_futures(tmp_path: Path) -> None:
    write(tmp_path, TRAIN, TEST)
    first, second = m4.series(tmp_path, "Yearly")
    assert (first.id, second.id) == ("Y1", "Y2")
    assert first.past.tolist() == [1, 2.5, 3]
    assert second.past.tolist() == [4, 5]
    assert first.future.tolist() == [7, 8, 9, 10, 11, 12.5]
    assert first.optimal is None


@pytest.mark.parametrize(("train", "test", "complaints"), [
    (TRAIN.replace('"2.5",', ""), TEST, ["Yearly-train.csv", "row 2", "expected 4 fields, got 3"]),
    (TRAIN.replace("2.5", "NaN"), TEST, ["Yearly-train.csv", "row 2", "Y1", "value 2", "NaN"]),
    (TRAIN.replace("2.5", "inf"), TEST, ["Yearly-train.csv", "row 2", "not a finite number"]),
    (TRAIN.replace("2.5", "two"), TEST, ["Yearly-train.csv", "row 2", "value 2", "'two'"]),
    (TRAIN.replace('"2.5"', ""), TEST, ["Yearly-train.csv", "row 2", "value 2", "''"]),
    (TRAIN.replace("Y2", "Y1"), TEST, ["Yearly-train.csv", "row 3", "'Y1'", "earlier row"]),
    (TRAIN.replace("Y2", "Y3"), TEST, ["Yearly-test.csv", "different series", "'Y2'"]),
    (TRAIN.replace('"V1"', '"X1"'), TEST, ["Yearly-train.csv", "row 1", "header"]),
    (TRAIN.split("\n")[0] + "\n", TEST, ["Yearly-train.csv", "no series"]),
    (TRAIN, TEST.replace('"12.5"', ""), ["Yearly-test.csv", "row 3", "Y1", "expected 6", "got 5"]),
])
def test_broken_files_are_named_with_their_row(tmp_path: Path, train: str, test: str,
                                               complaints: list[str]) -> None:
    write(tmp_path, train, test)
    with pytest.raises(UserError) as error:
        m4.series(tmp_path, "Yearly")
    for complaint in complaints:
        assert complaint in str(error.value)


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    write(tmp_path, TRAIN, TEST)
    (tmp_path / "Train/Yearly-train.csv").write_bytes(TRAIN.encode() + b'"Y\xff","1","2","3"\n')
    with pytest.raises(UserError, match="line 4.*not UTF-8"):
        m4.series(tmp_path, "Yearly")


def twin(directory: Path, seed: int = 3) -> m4.Settings:
    settings = m4.Settings(module="m4", frequencies=["Yearly", "Monthly", "Hourly"],
                           twin=m4.TwinSettings(seed=seed, series=10))
    m4.prepare(settings, directory, None)
    return settings


def test_twin_has_the_publishers_format_and_depends_on_its_seed_alone(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        twin(tmp_path / name, seed)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.csv"))
    assert len(files) == 9
    for file in files:
        content = (tmp_path / "a" / file).read_bytes()
        assert content == (tmp_path / "b" / file).read_bytes()
        assert content != (tmp_path / "c" / file).read_bytes()
    for frequency in ("Yearly", "Monthly", "Hourly"):
        series = m4.series(tmp_path / "a", frequency)
        assert len(series) == 10
        for one in series:
            assert one.optimal is not None and one.optimal.shape == one.future.shape
            assert np.all(one.past > 0)


def test_twin_refuses_a_frequency_that_it_has_no_process_for() -> None:
    with pytest.raises(ValidationError, match="no Weekly series"):
        m4.Settings(module="m4", frequencies=["Weekly"],
                    twin=m4.TwinSettings(seed=1, series=10))


@pytest.mark.parametrize("name", ["Yearly", "Monthly", "Hourly"])
def test_optimal_forecast_is_the_median_of_the_futures(name: str) -> None:
    """Futures lie half above and half below it, at every step of the horizon."""
    frequency = m4.FREQUENCIES[name]
    generator = np.random.Generator(np.random.PCG64(0))
    above = np.mean([
        simulation.future > simulation.optimal for simulation in (
            m4_twin.simulate(m4_twin.PROCESSES[name], frequency.period, frequency.horizon,
                             generator) for _ in range(400))], axis=0)
    assert np.all(np.abs(above - 0.5) < 4 * 0.5 / np.sqrt(400))


@pytest.mark.parametrize("kept", ["growth_shock", "cycle_shock"])
def test_errors_of_the_optimal_forecast_cannot_be_told_from_the_past(kept: str) -> None:
    """Errors of a conditional expectation are uncorrelated with everything known before."""
    silenced = {name: 0.0 for name in ("growth_spread", "growth_shock", "cycle_shock", "noise",
                                       "break_size") if name != kept}
    process = replace(m4_twin.PROCESSES["Yearly"], **silenced)
    generator = np.random.Generator(np.random.PCG64(2))
    simulations = [m4_twin.simulate(process, 1, 6, generator) for _ in range(2000)]
    errors = np.array([np.log(s.future / s.optimal) for s in simulations])
    known = np.array([np.diff(np.log(s.past[-4:])) for s in simulations])
    correlations = np.corrcoef(errors.T, known.T)[:6, 6:]
    assert np.all(np.abs(correlations) < 4.5 / np.sqrt(2000))


def test_optimal_forecast_cannot_be_shifted_to_advantage() -> None:
    """Both errors of the competition grow when the forecast is moved up or down."""
    generator = np.random.Generator(np.random.PCG64(1))
    simulations = [m4_twin.simulate(m4_twin.PROCESSES["Monthly"], 12, 18, generator)
                   for _ in range(400)]

    def errors(factor: float) -> tuple[float, float]:
        from pipeline.tasks.forecast.shared.measures import mase, mase_scale, smape

        return (float(np.mean([smape(s.future, factor * s.optimal) for s in simulations])),
                float(np.mean([mase(s.future, factor * s.optimal, mase_scale(s.past, 12))
                               for s in simulations])))

    for factor in (0.95, 1.05):
        assert all(moved > optimal
                   for moved, optimal in zip(errors(factor), errors(1.0), strict=True))


def test_real_files_pass_their_checks(tmp_path: Path, mirror: Path) -> None:
    settings = m4.Settings(module="m4", frequencies=["Weekly", "Hourly"], twin=None)
    m4.prepare(settings, tmp_path, mirror)
    weekly, hourly = m4.series(tmp_path, "Weekly"), m4.series(tmp_path, "Hourly")
    assert (len(weekly), len(hourly)) == (359, 414)
    assert hourly[0].past[:3].tolist() == [605, 586, 586]
    assert hourly[0].future[-1] == 659


def test_every_frequency_has_checked_files() -> None:
    assert set(m4.FILES) == set(m4.FREQUENCIES)
    for frequency, files in m4.FILES.items():
        assert [file.path for file in files] == [f"Train/{frequency}-train.csv",
                                                 f"Test/{frequency}-test.csv"]
        assert all(file.url and (file.sha256 or file.git_blob) for file in files)
