"""Free Spoken Digit Dataset: six people say the digits 0 to 9, fifty times each, 8 kHz WAV.

3,000 recordings of one digit, trimmed to the word, that volunteers of many accents made with
microphones of their own (Jackson et al., "Free Spoken Digit Dataset", 2016 to 2020,
doi:10.5281/zenodo.1342401; CC BY-SA 4.0). A file is `DIGIT_SPEAKER_NUMBER.wav`, and its publisher
keeps numbers 0 to 4 for the test and 5 to 49 for training; here `valid` is 5 to 9 and `train` the
rest, so every speaker is heard in every split.

Its address is a forge's archive of a version, which is packed anew for whoever asks, so members are
checked (`pipeline.corpora.fetching.archives`); a mirror has the folder of recordings alone. Nothing
but the recordings is put in place.
"""

import re
from pathlib import Path
from typing import Literal

from pipeline.corpora.fetching.archives import RemoteArchive, place
from pipeline.corpora.kinds import Utterance
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.folders import files_in

Split = Literal["train", "valid", "test"]

VERSION = "1.0.10"
SPLITS: dict[str, range] = {"test": range(5), "valid": range(5, 10), "train": range(10, 50)}
_FOLDER = "recordings"
_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[a-z]+)_(?P<number>[0-9]+)")
_LISTING = Path(__file__).with_name("fsdd_members.sha256")
_SHA256 = "1801eae019c063377d98f831d3f93574f259475df7332bb0e3d1b080fb5e6959"


class _Release(RemoteArchive):
    """An archive of the whole repository, in which the listed files lie in a folder."""

    def members(self) -> dict[str, str]:
        return {f"{_FOLDER}/{name}": sha256 for name, sha256 in super().members().items()}


MIRRORED = RemoteArchive(
    path=f"{_FOLDER}.tar.gz", mirror="fsdd/fsdd-3000.tar.gz", url=None, folder=f"fsdd/{_FOLDER}",
    listing=_LISTING, sha256=_SHA256)
PUBLISHED = _Release(
    path=f"free-spoken-digit-dataset-{VERSION}.tar.gz",
    mirror=f"fsdd/free-spoken-digit-dataset-{VERSION}.tar.gz",
    url=f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v{VERSION}"
        ".tar.gz",
    folder="fsdd", listing=_LISTING, sha256=_SHA256)


class Settings(CorpusSettings):
    """The corpus has no options."""


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Put the recordings into `directory/fsdd/recordings`, all of them or none."""
    (directory / "fsdd").mkdir(parents=True, exist_ok=True)
    packed = mirror is not None and (mirror / str(MIRRORED.mirror)).is_file()
    place(MIRRORED if packed else PUBLISHED, directory, mirror)


def utterances(directory: Path, split: Split) -> list[Utterance]:
    """The recordings of a split, sorted by id, whose text is the digit ("7"); `path` is a WAV file.

    Raises UserError naming a file that is called otherwise, and for a folder that has none of the
    split.
    """
    folder = directory / "fsdd" / _FOLDER
    found: list[Utterance] = []
    for path in files_in(folder, "*.wav"):
        name = _NAME.fullmatch(path.stem)
        if name is None:
            raise UserError(f"{path}: a recording is called DIGIT_SPEAKER_NUMBER.wav; rename the "
                            "file, or remove it and fetch the corpus again")
        if int(name["number"]) in SPLITS[split]:
            found.append(Utterance(path.stem, name["speaker"], path, name["digit"]))
    if not found:
        raise UserError(f"{folder} has no recordings {SPLITS[split][0]} to {SPLITS[split][-1]}, "
                        f"which are split {split!r}; fetch the corpus again")
    return sorted(found, key=lambda item: item.id)
