"""M4, the 100,000 series of the fourth Makridakis forecasting competition, and its embedded twin.

Two CSV files a frequency: `Train/Yearly-train.csv` has a header "V1","V2",... and one series a
row, its id first and empty fields after its end; `Test/Yearly-test.csv` holds the points to be
forecast. The twin has the same files, and beside them `Optimal/Yearly-optimal.csv` with the
forecast of the process that generated each series.

Source: Makridakis, Spiliotis and Assimakopoulos 2020, "The M4 Competition: 100,000 time series
and 61 forecasting methods", International Journal of Forecasting 36.
"""

from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pipeline.corpora.fetching.files import RemoteFile, fetch
from pipeline.corpora.kinds import Frequency, Series
from pipeline.corpora.twins import m4_twin
from pipeline.entries import CorpusSettings, Twin
from pipeline.errors import UserError
from pipeline.storage.lines import read_lines
from pipeline.storage.numbers import parse_number
from pipeline.storage.tables import shown

FrequencyName = Literal["Yearly", "Quarterly", "Monthly", "Weekly", "Daily", "Hourly"]

_SOURCE = "https://raw.githubusercontent.com/Mcompetitions/M4-methods/master/Dataset"

FREQUENCIES: dict[str, Frequency] = {
    "Yearly": Frequency(1, 6, "P1Y"),
    "Quarterly": Frequency(4, 8, "P3M"),
    "Monthly": Frequency(12, 18, "P1M"),
    "Weekly": Frequency(1, 13, "P7D"),
    "Daily": Frequency(1, 14, "P1D"),
    "Hourly": Frequency(24, 48, "PT1H"),
}


def _file(part: str, frequency: str, **checks: str | int) -> RemoteFile:
    path = f"{part}/{frequency}-{part.lower()}.csv"
    return RemoteFile(path, f"m4/{path}", f"{_SOURCE}/{path}", **checks)  # type: ignore[arg-type]


FILES: dict[str, tuple[RemoteFile, RemoteFile]] = {
    "Yearly": (
        _file("Train", "Yearly", size=25355736,
              sha256="6aa668d4f04654c0bf5f07b266a51c556f0df2faf4709f852653755396a249e4"),
        _file("Test", "Yearly", size=1486434,
              sha256="6dc2dd45b3af320389e2d3735cb4b3cdf320b63cbcda15d1a17193ab99702306"),
    ),
    "Quarterly": (
        _file("Train", "Quarterly", git_blob="94ce474ab74463e3db3edb616b5948be6af5079c"),
        _file("Test", "Quarterly", size=1971754,
              sha256="bf1cab3b969a744c220cdc148e3829803eaa5da2754270fc4f376e775cd7d0ae"),
    ),
    "Monthly": (
        _file("Train", "Monthly", git_blob="d956904cd5991422f70598453571572f5e6ba7f3"),
        _file("Test", "Monthly", git_blob="c27ca44ca20b15a40da9e96ca1867f1fff7aeecb"),
    ),
    "Weekly": (
        _file("Train", "Weekly", size=4015067,
              sha256="d478d3f6ed673e6ed3c2cb0fbed5425f72eedd51318ebebeb0b5ecfcefc37714"),
        _file("Test", "Weekly", size=44247,
              sha256="3b2bc4be8e636e802260dcd843ca3c5da40536a1fbe1ecb3229a97dae4f44688"),
    ),
    "Daily": (
        _file("Train", "Daily", git_blob="2393f4c26e7e002b3df8d173d83902ab26596928"),
        _file("Test", "Daily", size=576459,
              sha256="633b0815626ae266d36872c4d53e95eb93ee8d43e79587fceec519eba3e6b05e"),
    ),
    "Hourly": (
        _file("Train", "Hourly", size=2347115,
              sha256="ea59b7783573c49077a835ab6465c7d66f1474783360f310988a9a737fbca62f"),
        _file("Test", "Hourly", size=132820,
              sha256="71a57fccb15e534d973626ada4fb87febf789e9317715b7cc6dd3b5f90db6f42"),
    ),
}


class TwinSettings(Twin):
    """The embedded twin: how many series of each frequency, and the seed that makes them."""

    seed: int = Field(ge=0)
    series: int = Field(ge=10, le=5000)

    def smallest(self) -> Self:
        return self.model_copy(update={"series": 10})


class Settings(CorpusSettings):
    """Frequencies to have, downloaded (`twin: null`) or generated."""

    frequencies: list[FrequencyName] = Field(min_length=1)
    twin: TwinSettings | None

    @model_validator(mode="after")
    def _twin_has_frequencies(self) -> Self:
        missing = sorted(set(self.frequencies) - set(m4_twin.PROCESSES))
        if self.twin and missing:
            raise ValueError(f"the twin has no {', '.join(missing)} series, only "
                             f"{', '.join(m4_twin.PROCESSES)}")
        return self


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the CSV files of the frequencies into `directory`."""
    if settings.twin is None:
        fetch([file for name in settings.frequencies for file in FILES[name]], directory, mirror)
        return
    for name in settings.frequencies:
        frequency = FREQUENCIES[name]
        m4_twin.write(directory, name, frequency.period, frequency.horizon, settings.twin.series,
                      settings.twin.seed)


def series(directory: Path, frequency: str) -> list[Series]:
    """All series of a frequency, in the order of the train file.

    Raises UserError naming file and row for a broken row, a value that is no finite number, a
    duplicated id, ids that differ between train and test, and a wrong number of test points.
    """
    train = directory / "Train" / f"{frequency}-train.csv"
    test = directory / "Test" / f"{frequency}-test.csv"
    optimal = directory / "Optimal" / f"{frequency}-optimal.csv"
    pasts = read_csv(train)
    futures = _futures(test, frequency, pasts, train)
    optima = _futures(optimal, frequency, pasts, train) if optimal.exists() else {}
    return [Series(identity, past, futures[identity], optima.get(identity))
            for identity, past in pasts.items()]


def read_csv(path: Path) -> dict[str, NDArray[np.float64]]:
    """The series of one M4 file by id. Raises UserError naming file and row (the header is 1)."""
    lines = read_lines(path)
    fields = lines[0].count(",")
    if not lines[0].startswith('"V1",'):
        raise UserError(f'{path}, row 1: expected the header "V1","V2",...; fetch the file again')
    found: dict[str, NDArray[np.float64]] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        place = f"{path}, row {number}"
        if line.count(",") != fields:
            raise UserError(f"{place}: expected {fields + 1} fields, got {line.count(',') + 1}; "
                            "the row is broken, fetch the file again")
        identity, _, rest = line.replace('"', "").partition(",")
        if identity in found:
            raise UserError(f"{place}: series {identity!r} was in an earlier row; remove one")
        found[identity] = _values(rest.rstrip(",\r"), f"{place} ({identity})")
    if not found:
        raise UserError(f"{path} holds no series; fetch the file again")
    return found


def _values(text: str, place: str) -> NDArray[np.float64]:
    """Comma-separated numbers as an array of shape [n], n >= 1."""
    cells = text.split(",")
    found = []
    for index, cell in enumerate(cells, start=1):
        try:
            found.append(parse_number(cell))
        except ValueError as error:
            raise UserError(f"{place}: value {index} is {shown(cell)}, not a finite number "
                            f"({error}); remove the series or mend the value") from None
    return np.array(found)


def _futures(path: Path, frequency: str, pasts: dict[str, NDArray[np.float64]],
             train: Path) -> dict[str, NDArray[np.float64]]:
    """Rows of a test or optimal file, one for each past, each as long as the horizon."""
    found = read_csv(path)
    odd = sorted(set(found) ^ set(pasts))
    if odd:
        raise UserError(f"{path} and {train} hold different series, for example {odd[0]!r}; "
                        "fetch both again")
    horizon = FREQUENCIES[frequency].horizon
    for row, (identity, values) in enumerate(found.items(), start=2):
        if len(values) != horizon:
            raise UserError(f"{path}, row {row} ({identity}): expected {horizon} points to "
                            f"forecast, got {len(values)}; fetch the file again")
    return found
